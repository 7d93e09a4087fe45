"""Votes on captions, and corrections of them."""

import unicodedata

from sqlalchemy.orm import Session

from bots.errors import BadText
from bots.service.base import Backend, find_finished
from bots.service.views import CaptionView, VoteCount
from db import corrections, people, votes
from db.correction_review import verdict
from db.tables import Caption, Person, now

MAX_LENGTH = 200  # characters of a correction


class Feedback:
    """`service.feedback`. Only finished captions can be rated."""

    def __init__(self, backend: Backend):
        self._backend = backend

    def vote(self, id: str, *, person: str, value: int, chat: str | None = None) -> VoteCount:
        """Store a person's vote, 1 or -1; it replaces an earlier one.

        Raises:
            NotFound
            NotReady
            ValueError: another value.
        """
        with self._backend.sessions.begin() as session:
            caption = find_finished(session, id, person, chat)
            voter = people.find_or_create(session, person)
            votes.vote(session, caption.id, voter.id, value)
            return _count(session, caption, voter, ask_consent=_ask_consent(caption, voter))

    def unvote(self, id: str, *, person: str, chat: str | None = None) -> VoteCount:
        """Delete a person's vote.

        Raises:
            NotFound
            NotReady
        """
        with self._backend.sessions.begin() as session:
            caption = find_finished(session, id, person, chat)
            voter = people.find_or_create(session, person)
            votes.unvote(session, caption.id, voter.id)
            return _count(session, caption, voter)

    def correct(self, id: str, *, person: str, text: str, chat: str | None = None) -> CaptionView:
        """Store a person's correction; it replaces an earlier one.

        Raises:
            NotFound
            NotReady
            BadText: it is empty, or longer than MAX_LENGTH.
        """
        sentence = _one_line(text)
        if not 0 < len(sentence) <= MAX_LENGTH:
            raise BadText(limit=MAX_LENGTH)
        with self._backend.sessions.begin() as session:
            caption = find_finished(session, id, person, chat)
            writer = people.find_or_create(session, person)
            review, reason = verdict(sentence, caption.text or "")
            corrections.correct(session, caption.id, writer.id, sentence, review, reason)
            ask_consent = _ask_consent(caption, writer)
            session.flush()
            return self._backend.views(session, [caption], person, ask_consent=ask_consent)[0]


def _count(session: Session, caption: Caption, voter: Person, ask_consent: bool = False) -> VoteCount:
    thumbs = votes.thumbs(session, [caption.id], voter.id)[caption.id]
    return VoteCount(**vars(thumbs), ask_consent=ask_consent)


def _ask_consent(caption: Caption, person: Person) -> bool:
    """Whether to ask for consent now: only the sender of the photo is asked, and only once."""
    if person.id != caption.person_id or person.training_consent is not None or person.consent_asked_at:
        return False
    person.consent_asked_at = now()
    return True


def _one_line(text: str) -> str:
    """Replace control characters and line breaks by spaces, and runs of spaces by one."""
    return " ".join(
        "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in text).split()
    )
