"""What people say of captions: thumbs and better sentences."""

import unicodedata

from sqlalchemy.orm import Session

from bots.caption_views import caption_views
from bots.errors import BadText
from bots.service_base import ServiceBase
from bots.views import CaptionView, VoteCount
from db import corrections, people, votes
from db.correction_filter import reason_against
from db.tables import Caption, Person, Review

LONGEST = 200  # characters of a correction
ASKED = "asked_for_consent"  # among a person's preferences


class Feedback(ServiceBase):
    def vote(self, id: str, *, person: str, value: int, chat: str | None = None) -> VoteCount:
        """Count a thumb, 1 or -1; the last one of a person counts. Raises NotFound, NotReady, ValueError."""
        with self._sessions.begin() as session:
            caption = self._find_done(session, id, person, chat)
            voter = people.find_or_create(session, person)
            votes.vote(session, caption.id, voter.id, value)
            return _count(session, caption, voter, ask_consent=_ask_consent(caption, voter))

    def unvote(self, id: str, *, person: str, chat: str | None = None) -> VoteCount:
        """Take the thumb back. Raises NotFound, NotReady."""
        with self._sessions.begin() as session:
            caption = self._find_done(session, id, person, chat)
            voter = people.find_or_create(session, person)
            votes.unvote(session, caption.id, voter.id)
            return _count(session, caption, voter)

    def correct(self, id: str, *, person: str, text: str, chat: str | None = None) -> CaptionView:
        """Keep a better sentence; the last one of a person counts. Raises NotFound, NotReady, BadText."""
        sentence = _one_line(text)
        if not 0 < len(sentence) <= LONGEST:
            raise BadText(limit=LONGEST)
        with self._sessions.begin() as session:
            caption = self._find_done(session, id, person, chat)
            writer = people.find_or_create(session, person)
            reason = reason_against(sentence, caption.text or "")
            review = Review.QUARANTINED if reason else Review.ACCEPTED
            corrections.correct(session, caption.id, writer.id, sentence, review, reason)
            ask_consent = _ask_consent(caption, writer)
            session.flush()
            return caption_views(session, [caption], person, ask_consent=ask_consent)[0]


def _count(session: Session, caption: Caption, voter: Person, ask_consent: bool = False) -> VoteCount:
    thumbs = votes.thumbs(session, [caption.id], voter.id)[caption.id]
    return VoteCount(**vars(thumbs), ask_consent=ask_consent)


def _ask_consent(caption: Caption, person: Person) -> bool:
    """Whether to ask now: only who sent the photo, and only once. No answer is no."""
    if person.id != caption.person_id or person.training_consent is not None or person.preferences.get(ASKED):
        return False
    person.preferences = person.preferences | {ASKED: True}
    return True


def _one_line(text: str) -> str:
    """Without what cannot be seen, such as control characters, and with single spaces."""
    return " ".join("".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text).split())
