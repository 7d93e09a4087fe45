"""Figures about captions as a table in the terminal, or as plain text where the output is none."""

import sys

from rich.console import Console
from rich.table import Table

from db.statistics import Line, Statistics

COLUMNS = ("model", "front-end", "captions", "known", "failed", "corrected", "votes", "approval", "95 %", "median wait")


def show_statistics(statistics: Statistics) -> None:
    """A row for each model version and front-end; then what can be said of each two versions."""
    if not sys.stdout.isatty():
        print(statistics)
        return
    since = f"since {statistics.since:%Y-%m-%d}" if statistics.since else "since the beginning"
    table = Table(title=f"Captions {since}", title_justify="left", caption="\n".join(map(str, statistics.comparisons)))
    for number, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if number > 1 else "left", no_wrap=number > 1)
    for line in statistics.lines:
        table.add_row(*_cells(line), end_section=line.front_end == "all")
    Console(highlight=False).print(table)


def _cells(line: Line) -> list[str]:
    approval, wait = line.approval, line.speed.seconds
    low, high = approval.interval
    counts = (line.captions, line.known, line.failed, line.corrections, approval.votes)
    return [
        line.model or "-",
        line.front_end,
        *(f"{count:,}" for count in counts),
        "-" if approval.share is None else f"{approval.share:.0%}",
        "-" if approval.share is None else f"{low:.0%} to {high:.0%}",
        "-" if wait is None else f"{wait:.2f} s",
    ]
