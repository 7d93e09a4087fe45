"""How captioned files are written out: a JSON object, tab-separated text, or coloured for a terminal."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from model.caption_files import CaptionedFile

WIDEST_NAME = 30  # of the column of file names in a terminal
Item = TypeVar("Item")


def printer(model: str, *, jsonl: bool, names: Iterable[str]) -> Callable[[CaptionedFile], None]:
    """What writes a result to stdout: JSON Lines, text with tabs for a pipe, or colours for a person.

    model: the version of the model folder. names: of all files that may come, for the width of their column.
    """
    if jsonl:
        return lambda result: print(json_line(result, model), flush=True)
    if not sys.stdout.isatty():
        return lambda result: print(plain_line(result), flush=True)
    console = Console(highlight=False)
    width = min(max(map(len, names), default=0), WIDEST_NAME)
    return lambda result: console.print(terminal_row(result, width))


def with_progress(items: Iterable[Item], total: int) -> Iterator[Item]:
    """The items, counted on stderr if a person watches there and does not see the results themselves go by."""
    if total < 2 or not sys.stderr.isatty() or sys.stdout.isatty():
        yield from items
        return
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("photos"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield from bar.track(items, total=total)


def json_line(result: CaptionedFile, model: str) -> str:
    """One object on one line; the keys are what programs may rely on. model: the version of the model folder."""
    return json.dumps(
        {
            "photo": str(result.path),
            "caption": result.caption.text,
            "confidence": round(result.caption.confidence, 4),
            "alternatives": list(result.caption.alternatives),
            "model": model,
            "milliseconds": round(result.milliseconds, 1),
        }
    )


def plain_line(result: CaptionedFile) -> str:
    """File, sentence, confidence, and each alternative, with tabs between."""
    caption = result.caption
    return "\t".join([str(result.path), caption.text, f"{caption.confidence:.2f}", *caption.alternatives])


def terminal_row(result: CaptionedFile, width: int) -> Table:
    """The sentence beside the file's name, alternatives below it. width: of the column of names."""
    caption = result.caption
    colour = "red" if not caption.photo else "yellow" if caption.hedged else "green"
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=width, no_wrap=True)
    row.add_column()
    name = Text(result.path.name, "cyan")  # not a plain string: its brackets would be read as styles
    row.add_row(name, Text.assemble((caption.text, "bold"), (f"  {caption.confidence:.0%}", colour)))
    for alternative in caption.alternatives:
        row.add_row("", Text(alternative, "dim"))
    return row
