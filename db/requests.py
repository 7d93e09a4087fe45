"""How rows of captions come to be, and how they are found again."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from db.tables import Caption, Person, Photo, State, now
from db.upsert import insert

SENTENCE = (
    *("text", "confidence", "hedged", "is_photo", "words", "alternatives", "attention", "model_version"),
    "remembered_from",
)
RECENT = 50  # finished captions of a photo among which the same options are looked for


def create(
    session: Session,
    *,
    photo: Photo,
    person: Person,
    front_end: str,
    source: str | None,
    reply_to: dict[str, Any],
    chat: str | None = None,
    album: str | None = None,
    position: int = 0,
    options: dict[str, Any] | None = None,
    parent: Caption | None = None,
    rank: int = 0,
    known: Caption | None = None,
) -> tuple[Caption, bool]:
    """A new queued row; or the one that this source has already, and False.

    known: a finished caption whose sentence this one gets at once.
    """
    row = insert(session, Caption).values(
        photo_id=photo.id,
        person_id=person.id,
        front_end=front_end,
        source=source,
        reply_to=reply_to,
        chat=chat,
        album=album,
        position=position,
        options=options or {},
        parent_id=parent and parent.id,
        rank=rank,
        **(_copy(known) if known else {}),
    )
    created = session.scalar(row.on_conflict_do_nothing(index_elements=["source"]).returning(Caption))
    if created is None:
        return session.scalars(_whole().where(Caption.source == source)).one(), False
    for name, value in (("photo", photo), ("person", person), ("parent", parent)):
        set_committed_value(created, name, value)
    return created, True


def first_sentences(session: Session, photo_id: int, options: dict[str, Any]) -> list[tuple[int, str | None]]:
    """Ids and model versions of captions that are done, for the same photo and options, the newest first.

    Not those that a person's correction was remembered for: that belongs to that person or chat.
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
    # Compared here: PostgreSQL cannot compare JSON.
    return [(id, version) for id, version, theirs in session.execute(recent) if theirs == options]


def find(session: Session, public_id: str) -> Caption | None:
    return session.scalar(_whole().where(Caption.public_id == public_id))


def by_ids(session: Session, ids: list[int]) -> list[Caption]:
    return list(session.scalars(_whole().where(Caption.id.in_(ids)).order_by(Caption.id)))


def by_message(session: Session, message: str) -> list[Caption]:
    """The captions that stand in a message, in the order of their album."""
    return list(session.scalars(_whole().where(Caption.message == message).order_by(Caption.position, Caption.id)))


def by_source(session: Session, source: str) -> list[Caption]:
    """The captions asked for by a message: `source` itself, and SOURCE/n."""
    numbered = (Caption.source > f"{source}/") & (Caption.source < f"{source}0")  # 0 is what follows / in the alphabet
    return list(session.scalars(_whole().where((Caption.source == source) | numbered).order_by(Caption.id)))


def of_person(session: Session, person_id: int, limit: int, before: int | None = None) -> list[Caption]:
    """A person's captions, newest first; before: the row id of the last one of the page before."""
    page = _whole().where(Caption.person_id == person_id).order_by(Caption.id.desc()).limit(limit)
    return list(session.scalars(page if before is None else page.where(Caption.id < before)))


def chain(session: Session, caption: Caption) -> list[Caption]:
    """A caption's first one and all "another ones" of it, in order of rank, whichever of them is given."""
    first = caption
    while first.parent is not None:
        first = first.parent
    found, new = [first], [first.id]
    while new:
        children = session.scalars(_whole().where(Caption.parent_id.in_(new))).all()
        found += children
        new = [child.id for child in children]
    return sorted(found, key=lambda row: (row.rank, row.id))


def _copy(caption: Caption) -> dict[str, Any]:
    at = now()
    return {name: getattr(caption, name) for name in SENTENCE} | {"state": State.DONE, "finished_at": at}


def _whole() -> Any:
    return select(Caption).options(joinedload(Caption.photo), joinedload(Caption.person))
