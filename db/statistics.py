"""Statistics for operators: approval, volume and speed, by model version and front-end.

`print(statistics(session))` shows them as a table.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, select, true
from sqlalchemy.orm import Session

from db import model_registry
from db.approval import Approval, votes_needed
from db.tables import Caption, Correction, RegistryEvent, State, Vote
from db.votes import vote_counts

RECENT = 10_000  # number of newest captions from which speeds are computed
ALL = "all"  # instead of a front-end: all of them together
EVENTS = 5  # registry events that are shown

Group = tuple[str | None, str]  # model version, front-end


class Speed(NamedTuple):
    """Latency of captions that a worker made."""

    seconds: float | None = None  # median time from request to caption
    slowest: float | None = None  # its 95th percentile
    engine: float | None = None  # median milliseconds of a batch in the engine


NO_VOTES, UNKNOWN = Approval(), Speed()


@dataclass(frozen=True)
class Line:
    """Statistics of one model version in one front-end."""

    model: str | None  # None: captions without a model, which failed early or repeat a correction
    front_end: str
    captions: int = 0  # done
    known: int = 0  # of these, how many reused an earlier sentence
    failed: int = 0
    corrections: int = 0
    approval: Approval = NO_VOTES
    speed: Speed = UNKNOWN


@dataclass(frozen=True)
class Comparison:
    """Two versions of which one followed the other."""

    older: str
    newer: str
    needed: int | None  # votes that each still needs; see approval.votes_needed

    def __str__(self) -> str:
        what = f"{self.older} and {self.newer}"
        if self.needed is None:
            return f"{what}: no difference to be seen yet"
        return f"{what}: {self.needed} more votes each to be sure" if self.needed else f"{what}: the difference is real"


@dataclass(frozen=True)
class Statistics:
    """Statistics since a time, or of all captions.

    Attributes:
        lines: one for each version and front-end, in order of the version's first caption; a version with several
            front-ends has one more line for all of them.
        events: the latest changes of the model registry, newest first.
    """

    since: datetime | None
    lines: tuple[Line, ...]
    comparisons: tuple[Comparison, ...]
    events: tuple[RegistryEvent, ...]

    def __str__(self) -> str:
        rows = [HEAD, *(_row(line) for line in self.lines)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        since = f"Since {self.since:%Y-%m-%d %H:%M} UTC" if self.since else "Since the beginning"
        parts = [[since], table, map(str, self.comparisons), map(_event, self.events)]
        return "\n\n".join(text for part in parts if (text := "\n".join(part)))


def statistics(session: Session, since: datetime | None = None) -> Statistics:
    """Statistics of captions requested since then, with all votes and corrections that they have received."""
    requested = Caption.created_at >= since if since else true()
    counts = _counts(session, requested)
    thumbs = _grouped(session, select(*vote_counts()).join(Vote.caption).where(requested))
    corrections = _grouped(session, select(func.count(Correction.id)).join(Correction.caption).where(requested))
    speeds = _speeds(session, requested)
    lines = []
    for version in dict.fromkeys(model for model, _ in counts):
        groups = [group for group in counts if group[0] == version]
        for group in groups:
            approval, (corrected,) = Approval(*thumbs.get(group, (0, 0))), corrections.get(group, (0,))
            speed = speeds.get(group, UNKNOWN)
            lines.append(replace(counts[group], corrections=corrected, approval=approval, speed=speed))
        if len(groups) > 1:
            lines.append(_total(lines[-len(groups) :], speeds.get((version, ALL), UNKNOWN)))
    return Statistics(since, tuple(lines), _comparisons(lines), tuple(model_registry.events(session, EVENTS)))


def _counts(session: Session, requested: ColumnElement[bool]) -> dict[Group, Line]:
    """Counts by version and front-end, in order of the version's first caption; captions without a model come last."""

    def count(condition: ColumnElement[bool]) -> Any:
        return func.sum(case((condition, 1), else_=0))

    done = Caption.state == State.DONE
    rows = session.execute(
        select(
            Caption.model_version,
            Caption.front_end,
            count(done),
            count(done & Caption.worker.is_(None)),
            count(Caption.state == State.FAILED),
        )
        .where(requested, Caption.state.in_([State.DONE, State.FAILED]))
        .group_by(Caption.model_version, Caption.front_end)
        .order_by(Caption.model_version.is_(None), func.min(Caption.id))
    )
    return {
        (model, front_end): Line(model, front_end, captions, known, failed)
        for model, front_end, captions, known, failed in rows
    }


def _grouped(session: Session, query: Select[*tuple[Any, ...]]) -> dict[Group, Sequence[int]]:
    group = (Caption.model_version, Caption.front_end)
    return {(row[-2], row[-1]): row[:-2] for row in session.execute(query.add_columns(*group).group_by(*group))}


def _speeds(session: Session, requested: ColumnElement[bool]) -> dict[Group, Speed]:
    group = (Caption.model_version, Caption.front_end)
    recent = session.execute(
        select(*group, Caption.created_at, Caption.finished_at, Caption.milliseconds)
        .where(requested, Caption.state == State.DONE, Caption.worker.is_not(None))
        .order_by(Caption.id.desc())
        .limit(RECENT)
    )
    times: dict[Group, list[tuple[float, float]]] = defaultdict(list)
    for model, front_end, created, finished, milliseconds in recent:
        if finished and milliseconds is not None:
            for front_ends in (front_end, ALL):
                times[model, front_ends].append(((finished - created).total_seconds(), milliseconds))
    return {group: _speed(*zip(*both, strict=True)) for group, both in times.items()}


def _speed(seconds: Sequence[float], engine: Sequence[float]) -> Speed:
    return Speed(_percentile(seconds, 0.5), _percentile(seconds, 0.95), _percentile(engine, 0.5))


def _percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest-rank method)."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _total(lines: Sequence[Line], speed: Speed) -> Line:
    return Line(
        lines[0].model,
        ALL,
        captions=sum(line.captions for line in lines),
        known=sum(line.known for line in lines),
        failed=sum(line.failed for line in lines),
        corrections=sum(line.corrections for line in lines),
        approval=sum((line.approval for line in lines), NO_VOTES),
        speed=speed,
    )


def _comparisons(lines: Sequence[Line]) -> tuple[Comparison, ...]:
    thumbs: dict[str, Approval] = {}
    for line in lines:  # the last line of a version covers all front-ends
        if line.model is not None:
            thumbs[line.model] = line.approval
    return tuple(Comparison(one, other, votes_needed(thumbs[one], thumbs[other])) for one, other in pairwise(thumbs))


HEAD = "model,front-end,captions,known,failed,corrected,votes,approval,95 %,seconds,slowest 5 %,engine ms".split(",")


def _row(line: Line) -> list[str]:
    low, high = line.approval.interval
    share = line.approval.share
    return [
        line.model or "-",
        line.front_end,
        *(str(number) for number in (line.captions, line.known, line.failed, line.corrections, line.approval.votes)),
        "-" if share is None else f"{share:.0%}",
        "-" if share is None else f"{100 * low:.0f}-{100 * high:.0f}",
        *("-" if value is None else f"{value:.2f}" for value in (line.speed.seconds, line.speed.slowest)),
        "-" if line.speed.engine is None else f"{line.speed.engine:.0f}",
    ]


def _event(event: RegistryEvent) -> str:
    return f"{event.at:%Y-%m-%d %H:%M} {event.kind} {event.version or '-'} by {event.by}"
