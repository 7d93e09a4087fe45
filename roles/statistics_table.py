"""Shows statistics about captions: a table in a terminal, plain text otherwise."""

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from db.statistics import Line, Statistics

COLUMNS = ("model", "front-end", "captions", "known", "failed", "corrected", "votes", "approval", "95 %", "median wait")


def show_statistics(statistics: Statistics) -> None:
    """Print one row for each model version and front-end, and then the comparison of each pair of versions."""
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


def as_object(statistics: Statistics) -> dict[str, Any]:
    """The same for programs: plain values that JSON can hold."""
    return {
        "since": statistics.since and statistics.since.isoformat(),
        "models": [
            {
                "model": line.model,
                "front_end": line.front_end,
                "captions": line.captions,
                "known": line.known,
                "failed": line.failed,
                "corrected": line.corrections,
                "votes": line.approval.votes,
                "approval": line.approval.share,
                "interval": line.approval.interval if line.approval.votes else None,
                "seconds": line.speed.seconds,
                "slowest_seconds": line.speed.slowest,
                "engine_milliseconds": line.speed.engine,
            }
            for line in statistics.lines
        ],
    }


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
