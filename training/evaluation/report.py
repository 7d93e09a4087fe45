"""Reports of evaluations: a table for the terminal or in Markdown, and a folder of files."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from training.evaluation.evaluate import Evaluation, compare_with
from training.evaluation.sample_sheet import sample_sheet
from training.metrics.bootstrap import Interval
from training.metrics.objects import reliability
from training.metrics.scores import COUNTS, TITLES

FOOTNOTE = "* NLTK's sentence BLEU, method 1: not comparable with papers"


def show(evaluations: Sequence[Evaluation], compared: Path | None = None) -> None:
    """Print a table, the notes of each evaluation, and its differences from those of the model folder `compared`."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(terminal_table(evaluations))
    else:
        print(markdown_table(evaluations))
    print("", *note_lines(evaluations), sep="\n")
    for other in evaluations:
        for one in evaluations:
            if other.folder == compared != one.folder and one.beams == other.beams:
                print("", *comparison_lines(one, other), sep="\n")


def write(evaluations: Sequence[Evaluation], out: Path) -> None:
    """Write table.md, and a folder for each evaluation: metrics.json, captions.jsonl, objects.md, samples.png."""
    for evaluation in evaluations:
        folder = out / f"{evaluation.name.replace('/', '-')}-beam-{evaluation.beams}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metrics.json").write_text(json.dumps(evaluation.to_json(), indent=2) + "\n")
        lines = [json.dumps(caption, ensure_ascii=False) for caption in evaluation.captions()]
        (folder / "captions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "objects.md").write_text(objects_table(evaluation))
        sample_sheet(evaluation).save(folder / "samples.png")
    text = "\n".join([markdown_table(evaluations), "", *(f"- {line}" for line in note_lines(evaluations))])
    (out / "table.md").write_text(text + "\n", encoding="utf-8")


def terminal_table(evaluations: Sequence[Evaluation]) -> Table:
    """A table with a row for each metric and a column for each evaluation, with 95 % intervals."""
    table = Table("", caption=FOOTNOTE, caption_justify="left")
    for evaluation in evaluations:
        table.add_column(evaluation.title, justify="right")
    for name, title in TITLES.items():
        figures = [evaluation.scores.figures.get(name) for evaluation in evaluations]
        table.add_row(title, *(_with_interval(name, figure) for figure in figures))
    return table


def markdown_table(evaluations: Sequence[Evaluation]) -> str:
    """A table with a row for each evaluation and a column for each metric; ± half the width of the 95 % interval."""
    rows = [["", *TITLES.values()], ["---", *("---:" for _ in TITLES)]]
    for evaluation in evaluations:
        figures = evaluation.scores.figures
        rows.append([evaluation.title, *(_with_half_width(name, figures.get(name)) for name in TITLES)])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", FOOTNOTE.replace("*", "\\*")])


def objects_table(evaluation: Evaluation) -> str:
    """How reliably common objects are named, in Markdown: the objects that are there most often first."""
    captions = [evaluation.words(example.id) for example in evaluation.examples]
    rows = reliability(captions, [example.captions for example in evaluation.examples])
    lines = [
        f"| {row.object} | {row.there} | {_share(row.named_there, row.there)} | "
        f"{row.named_elsewhere} | {_share(row.named_elsewhere, row.elsewhere)} |"
        for row in rows
    ]
    head = ["| object | photos with it | named there | named elsewhere | share |", "|---|---:|---:|---:|---:|"]
    note = "An object is there if a reference names it."
    return "\n".join([f"# {evaluation.title}", "", *head, *lines, "", note, ""])


def note_lines(evaluations: Sequence[Evaluation]) -> list[str]:
    """A line for each evaluation: its signature and notes."""
    return ["; ".join([f"{one.title}: {one.signature}", *one.notes]) for one in evaluations]


def comparison_lines(one: Evaluation, other: Evaluation) -> list[str]:
    """The paired bootstrap in words, a line for each metric."""
    lines = [f"{one.title} less {other.title}, paired bootstrap over {len(one.examples):,} photos:"]
    for name, (difference, low, high, wins) in compare_with(one, other).items():
        lines.append(
            f"  {TITLES[name]:<10} {difference:+.3f} ({low:+.3f} to {high:+.3f}), better in {wins:.1%} of draws"
        )
    return lines


def _with_interval(name: str, figure: Interval | None) -> str:
    if figure is None or figure.low is None:
        return _plain(name, figure)
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})"


def _plain(name: str, figure: Interval | None) -> str:
    return "-" if figure is None else f"{figure.value:.{0 if name in COUNTS else 3}f}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _with_half_width(name: str, figure: Interval | None) -> str:
    if figure is None or figure.low is None or figure.high is None:
        return _plain(name, figure)
    return f"{figure.value:.3f} ±{(figure.high - figure.low) / 2:.3f}"
