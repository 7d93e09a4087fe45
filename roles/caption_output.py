"""Output of `captionbot caption`: JSON Lines, tab-separated text, or colours in a terminal."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from model.caption_files import CaptionedFile
from roles.file_names import STDIN, without_controls

MAX_NAME_WIDTH = 30  # characters of the column of file names in a terminal
Item = TypeVar("Item")
Written = tuple[str, Path]  # what became of a description, and the file that holds it


def printer(
    model: str, *, jsonl: bool, names: Iterable[str], file: TextIO | None = None
) -> Callable[[CaptionedFile, Written | None], None]:
    """A function that prints a result: as JSON Lines, as tab-separated text for a pipe or a file, or in colours.

    Its second argument is what --write did, None without it.

    Args:
        model: version of the model.
        names: of all files, for the width of their column.
        file: to write to instead of stdout.
    """
    if jsonl:
        return lambda result, written: print(json_line(result, model, written), file=file, flush=True)
    if file or not sys.stdout.isatty():
        return lambda result, written: print(plain_line(result, written), file=file, flush=True)
    console = Console(highlight=False)
    width = min(max(map(len, names), default=0), MAX_NAME_WIDTH)
    return lambda result, written: console.print(terminal_row(result, width, written))


def names_in(file: Path, *, jsonl: bool) -> set[str]:
    """The photos that an earlier output has, by their shown names; a line that was cut short counts as none."""
    names = set()
    if file.exists():
        for line in file.read_text("utf-8", errors="surrogateescape").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                names.add(json.loads(line)["photo"] if jsonl else line.split("\t", 1)[0])
    return names


def shown_name(path: Path) -> str:
    """The name of a file in the output."""
    return "-" if path == STDIN else str(path)


def with_progress(items: Iterable[Item], total: int, *, beside_output: bool = False) -> Iterator[Item]:
    """The items, with a progress bar on stderr if that is a terminal and the results are not shown there too."""
    if total < 2 or not sys.stderr.isatty() or (sys.stdout.isatty() and not beside_output):
        yield from items
        return
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("photos"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield from bar.track(items, total=total)


def json_line(result: CaptionedFile, model: str, written: Written | None = None) -> str:
    """A JSON object on one line. Its keys are an interface for programs. model: version of the model."""
    description = {"description": written[0], "file": shown_name(written[1])} if written else {}
    return json.dumps(
        {
            "photo": shown_name(result.path),
            "caption": result.prediction.text,
            "confidence": round(result.prediction.confidence, 4),
            "alternatives": list(result.prediction.alternatives),
            "model": model,
            "milliseconds": round(result.milliseconds, 1),
            **description,
        }
    )


def plain_line(result: CaptionedFile, written: Written | None = None) -> str:
    """File, sentence, confidence, alternatives, and what was done with the description, separated by tabs."""
    best, done = result.prediction, [written[0]] if written else []
    return "\t".join(
        [without_controls(shown_name(result.path)), best.text, f"{best.confidence:.2f}", *best.alternatives, *done]
    )


def terminal_row(result: CaptionedFile, width: int, written: Written | None = None) -> Table:
    """The file name and the sentence, with alternatives below. width: characters of the column of names."""
    best = result.prediction
    colour = "red" if not best.is_photo else "yellow" if best.hedged else "green"
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=width, no_wrap=True)
    row.add_column()
    name = Text(
        without_controls(result.path.name), "cyan"
    )  # not a plain string: rich would parse brackets in it as markup
    row.add_row(name, Text.assemble((best.text, "bold"), (f"  {best.confidence:.0%}", colour)))
    if written:
        row.add_row("", Text(f"{written[0]}: {without_controls(str(written[1]))}", "dim"))
    for alternative in best.alternatives:
        row.add_row("", Text(alternative, "dim"))
    return row
