"""What a chaos run shows: a table of faults, and which of its lines do not hold."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from db.engine import create_engine, sessions
from db.tables import Caption, State, Vote
from tests.support.chaos.people import Sender, Sent
from tests.support.chaos.stage import Stage
from worker.photo_reader import MISSING

MOST_LINES = 10  # of log for one fault, of all three processes


@dataclass
class Row:
    """What happened between one fault and the next."""

    fault: str
    lines: int = 0


@dataclass(frozen=True)
class Stored:
    """A caption in the database."""

    row: int
    state: State
    error: str
    sha256: str


@dataclass
class Verdict:
    table: Table
    complaints: list[str]


def judge(stage: Stage, senders: Sequence[Sender], rows: Sequence[Row]) -> Verdict:
    photos = [photo for sender in senders for photo in sender.photos]
    stored, votes = _stored(stage)
    per_row = Counter(stage.captioned())
    lost = {photo.id for photo in photos if not (photo.id in stored and _is_good(stored[photo.id], stage.rotten))}
    doubled = {photo.id for photo in photos if photo.id in stored and per_row[stored[photo.id].row] > 1}
    complaints = [line for sender in senders for line in sender.counts.broken]
    complaints += [
        f"photo {one.id} ({one.during}) {one.status or 'waits'}: {one.error}" for one in photos if one.id in lost
    ]
    complaints += [f"photo {id} was described twice" for id in doubled]
    if extra := len(stored) - len({photo.id for photo in photos}):
        complaints.append(f"{extra} photos were stored that nobody was told of")
    wanted = Counter(id for sender in senders for id in sender.votes)
    if missing := wanted.keys() - votes.keys():
        complaints.append(f"{len(missing)} votes were confirmed and are lost")
    complaints += [f"vote for {id} counts twice" for id, count in votes.items() if count > 1]
    complaints += [f"{row.lines} lines of log: {row.fault}" for row in rows if row.lines > MOST_LINES]
    return Verdict(_table(rows, photos, senders, lost, doubled), complaints)


def _is_good(row: Stored, rotten: set[str]) -> bool:
    """Described, or told to be sent again because a disk had damaged its file."""
    return row.state is State.DONE or (row.error == MISSING and row.sha256 in rotten)


def _stored(stage: Stage) -> tuple[dict[str, Stored], Counter[str]]:
    """All captions by public id, and how many votes each has."""
    engine = create_engine(stage.pair.url)
    with sessions(engine)() as session:
        rows = session.execute(select(Caption).options(joinedload(Caption.photo))).scalars()
        captions = {row.public_id: Stored(row.id, row.state, row.error or "", row.photo.sha256) for row in rows}
        votes = Counter(session.scalars(select(Caption.public_id).join(Vote, Vote.caption_id == Caption.id)))
    engine.dispose()
    return captions, votes


def _table(
    rows: Sequence[Row], photos: Sequence[Sent], senders: Sequence[Sender], lost: set[str], doubled: set[str]
) -> Table:
    table = Table(
        "fault", "accepted", "refused (503)", "no answer", "longest wait (s)", "lost", "doubled", "lines of log"
    )
    refused: Counter[str] = sum((sender.counts.refused for sender in senders), Counter())
    unanswered: Counter[str] = sum((sender.counts.unanswered for sender in senders), Counter())

    def add(name: str, mine: Sequence[Sent], refused: int, unanswered: int, lines: int) -> None:
        waits = [photo.finished_at - photo.accepted_at for photo in mine if photo.finished_at]
        ids = {photo.id for photo in mine}
        figures = [
            len(mine),
            refused,
            unanswered,
            f"{max(waits, default=0):.1f}",
            len(ids & lost),
            len(ids & doubled),
            lines,
        ]
        table.add_row(name, *map(str, figures))

    for row in rows:
        mine = [photo for photo in photos if photo.during == row.fault]
        add(row.fault, mine, refused[row.fault], unanswered[row.fault], row.lines)
    table.add_section()
    add("all", photos, refused.total(), unanswered.total(), sum(row.lines for row in rows))
    return table
