"""Inserts rows of captions and finds them again. Their later states are in captions.py."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from db.caption_options import DEFAULT_OPTIONS, CaptionOptions
from db.tables import Caption, Person, Photo, ReplyTo, State, now
from db.upsert import insert

RESULT_COLUMNS = (
    *("text", "confidence", "hedged", "is_photo", "words", "alternatives", "attention", "model_version"),
    "remembered_from",
)
RECENT = 50  # how many finished captions of a photo are searched for one with the same options


@dataclass(frozen=True)
class CaptionRequest:
    """A request to caption one photo: who asks, with which options, and where the answer goes."""

    sender: str  # key of the person, such as "telegram:1234"
    front_end: str  # web, telegram or discord
    source: str | None = None  # id of the message or call; each source gets one caption, however often it is sent
    reply_to: ReplyTo = field(default_factory=dict)
    chat: str | None = None  # key of the group or channel; None in a private chat
    album: str | None = None  # photos with the same album get one numbered answer
    position: int = 0  # in the album
    options: CaptionOptions = DEFAULT_OPTIONS
    file_name: str | None = None  # of the photo, for its sender's list


def create(
    session: Session, request: CaptionRequest, photo: Photo, person: Person, *, known: Caption | None = None
) -> tuple[Caption, bool]:
    """Insert a queued caption, or return the caption that the same source already has.

    Args:
        known: a finished caption whose sentence is copied, so that no worker is needed.

    Returns:
        The row, and whether it was inserted.
    """
    columns = _columns(request, photo, person) | (_result_of(known) if known else {})
    return _insert(session, columns, photo=photo, person=person, parent=None)


def create_another(
    session: Session, request: CaptionRequest, parent: Caption, person: Person, rank: int
) -> tuple[Caption, bool]:
    """Like `create` for "another one": the `rank`-th further caption of the photo of `parent`."""
    columns = _columns(request, parent.photo, person) | {"parent_id": parent.id, "rank": rank}
    return _insert(session, columns, photo=parent.photo, person=person, parent=parent)


def _columns(request: CaptionRequest, photo: Photo, person: Person) -> dict[str, Any]:
    shared = {part.name: getattr(request, part.name) for part in fields(request) if part.name != "sender"}
    return shared | {"photo_id": photo.id, "person_id": person.id}


def _insert(session: Session, columns: dict[str, Any], **related: Any) -> tuple[Caption, bool]:
    row = insert(session, Caption).values(**columns)
    created = session.scalar(row.on_conflict_do_nothing(index_elements=["source"]).returning(Caption))
    if created is None:
        return session.scalars(_with_relations().where(Caption.source == columns["source"])).one(), False
    for name, value in related.items():
        set_committed_value(created, name, value)  # saves a query when they are used
    return created, True


def first_sentences(session: Session, photo_id: int, options: CaptionOptions) -> list[tuple[int, str | None]]:
    """Ids and model versions of finished captions of this photo with these options, newest first.

    Captions that repeat a person's correction are left out: they belong to that person or chat alone.
    """
    recent = (
        select(Caption.id, Caption.model_version, Caption.options)
        .where(
            Caption.photo_id == photo_id,
            Caption.state == State.DONE,
            Caption.rank == 0,
            Caption.remembered_from.is_(None),
        )
        .order_by(Caption.id.desc())
        .limit(RECENT)
    )
    # Compared in Python: PostgreSQL cannot compare JSON.
    return [(id, version) for id, version, theirs in session.execute(recent) if theirs == options]


def find(session: Session, public_id: str) -> Caption | None:
    """The caption with this public id."""
    return session.scalar(_with_relations().where(Caption.public_id == public_id))


def by_ids(session: Session, ids: list[int]) -> list[Caption]:
    """Captions by row id, read anew even if the session has loaded them."""
    if not ids:
        return []
    rows = _with_relations().where(Caption.id.in_(ids)).order_by(Caption.id)
    return list(session.scalars(rows, execution_options={"populate_existing": True}))


def by_message(session: Session, message: str) -> list[Caption]:
    """The captions that a message of the bot shows, in the order of their album."""
    shown = _with_relations().where(Caption.message == message)
    return list(session.scalars(shown.order_by(Caption.position, Caption.id)))


def by_source(session: Session, source: str) -> list[Caption]:
    """The captions that a person's message requested: with `source` itself or SOURCE/n as their source."""
    numbered = (Caption.source > f"{source}/") & (Caption.source < f"{source}0")  # "0" follows "/" in ASCII
    return list(session.scalars(_with_relations().where((Caption.source == source) | numbered).order_by(Caption.id)))


def of_person(session: Session, person_id: int, limit: int, before: int | None = None) -> list[Caption]:
    """A page of a person's captions, newest first.

    Args:
        before: row id of the last caption of the previous page; None for the first page.
    """
    page = _with_relations().where(Caption.person_id == person_id).order_by(Caption.id.desc()).limit(limit)
    return list(session.scalars(page if before is None else page.where(Caption.id < before)))


def chain(session: Session, caption: Caption) -> list[Caption]:
    """The first caption of a photo and every "another one" made from it, in order of rank, found from any of them."""
    first = caption
    while first.parent is not None:
        first = first.parent
    found, new = [first], [first.id]
    while new:
        children = session.scalars(_with_relations().where(Caption.parent_id.in_(new))).all()
        found += children
        new = [child.id for child in children]
    return sorted(found, key=lambda row: (row.rank, row.id))


def lock(session: Session, rows: Sequence[Caption]) -> None:
    """Lock captions until the transaction ends, and read what others wrote into them meanwhile."""
    wanted = select(Caption).where(Caption.id.in_([row.id for row in rows])).order_by(Caption.id)
    session.scalars(wanted.with_for_update(of=Caption), execution_options={"populate_existing": True}).all()


def _result_of(caption: Caption) -> dict[str, Any]:
    at = now()
    return {name: getattr(caption, name) for name in RESULT_COLUMNS} | {"state": State.DONE, "finished_at": at}


def _with_relations() -> Any:
    return select(Caption).options(joinedload(Caption.photo), joinedload(Caption.person))
