"""What an evaluation leaves behind: a table for the terminal or in Markdown, and a folder of files."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from training.evaluate import Evaluation, compare_with
from training.metrics.bootstrap import Interval
from training.metrics.scores import TITLES
from training.sample_sheet import sample_sheet

FOOTNOTE = "* NLTK's sentence BLEU, method 1: not comparable with papers"


def show(evaluations: Sequence[Evaluation], compared: Path | None = None) -> None:
    """Print a table, what to know of each evaluation, and how each differs from those of the model `compared`."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(terminal_table(evaluations))
    else:
        print(markdown_table(evaluations))
    print("", *remarks(evaluations), sep="\n")
    for other in evaluations:
        for one in evaluations:
            if other.folder == compared != one.folder and one.beams == other.beams:
                print("", *comparison_lines(one, other), sep="\n")


def write(evaluations: Sequence[Evaluation], out: Path) -> None:
    """Write table.md, and a folder for each evaluation with metrics.json, captions.jsonl and samples.png."""
    for evaluation in evaluations:
        folder = out / f"{evaluation.name.replace('/', '-')}-beam-{evaluation.beams}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metrics.json").write_text(json.dumps(evaluation.to_json(), indent=2) + "\n")
        lines = [json.dumps(caption, ensure_ascii=False) for caption in evaluation.captions()]
        (folder / "captions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        sample_sheet(evaluation).save(folder / "samples.png")
    text = "\n".join([markdown_table(evaluations), "", *(f"- {line}" for line in remarks(evaluations))])
    (out / "table.md").write_text(text + "\n", encoding="utf-8")


def terminal_table(evaluations: Sequence[Evaluation]) -> Table:
    """A row a metric, a column an evaluation, with 95 % intervals."""
    table = Table("", caption=FOOTNOTE, caption_justify="left")
    for evaluation in evaluations:
        table.add_column(evaluation.title, justify="right")
    for name, title in TITLES.items():
        figures = [evaluation.scores.figures.get(name) for evaluation in evaluations]
        table.add_row(title, *(_with_interval(figure) for figure in figures))
    return table


def markdown_table(evaluations: Sequence[Evaluation]) -> str:
    """A row an evaluation, a column a metric: what a README shows. Half the width of the 95 % interval behind ±."""
    rows = [["", *TITLES.values()], ["---", *("---:" for _ in TITLES)]]
    for evaluation in evaluations:
        figures = [evaluation.scores.figures.get(name) for name in TITLES]
        rows.append([evaluation.title, *(_with_half_width(figure) for figure in figures)])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", FOOTNOTE.replace("*", "\\*")])


def remarks(evaluations: Sequence[Evaluation]) -> list[str]:
    """A line for each evaluation: its signature, and what to know before believing its figures."""
    return ["; ".join([f"{one.title}: {one.signature}", *one.notes]) for one in evaluations]


def comparison_lines(one: Evaluation, other: Evaluation) -> list[str]:
    """The paired bootstrap in words, a line a metric."""
    lines = [f"{one.title} less {other.title}, paired bootstrap over {len(one.examples):,} photos:"]
    for name, (difference, low, high, wins) in compare_with(one, other).items():
        lines.append(
            f"  {TITLES[name]:<10} {difference:+.3f} ({low:+.3f} to {high:+.3f}), better in {wins:.1%} of draws"
        )
    return lines


def _with_interval(figure: Interval | None) -> str:
    if figure is None:
        return "-"
    return f"{figure.value:.3f}" + ("" if figure.low is None else f" ({figure.low:.3f}-{figure.high:.3f})")


def _with_half_width(figure: Interval | None) -> str:
    if figure is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} ±{(figure.high - figure.low) / 2:.3f}"
