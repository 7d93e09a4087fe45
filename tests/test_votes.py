"""Votes: one for each person and caption, which can be changed and taken back."""

import pytest
from sqlalchemy.orm import Session

from db import votes
from db.votes import Thumbs
from tests.support.factories import make_caption, make_person


def test_votes_of_many_are_counted_and_ones_own_is_told(session: Session):
    caption = make_caption(session, text="a dog")
    people = [make_person(session).id for _ in range(3)]
    for person, value in zip(people, (1, 1, -1), strict=True):
        votes.vote(session, caption.id, person, value)
    assert votes.thumbs(session, [caption.id], people[2]) == {caption.id: Thumbs(up=2, down=1, mine=-1)}
    assert votes.thumbs(session, [caption.id]) == {caption.id: Thumbs(up=2, down=1, mine=0)}


def test_the_last_vote_of_a_person_counts(session: Session):
    caption, person = make_caption(session, text="a dog"), make_person(session).id
    votes.vote(session, caption.id, person, 1)
    votes.vote(session, caption.id, person, -1)
    assert votes.thumbs(session, [caption.id]) == {caption.id: Thumbs(down=1)}


def test_a_vote_can_be_taken_back_more_than_once(session: Session):
    caption, person = make_caption(session, text="a dog"), make_person(session).id
    votes.vote(session, caption.id, person, 1)
    votes.unvote(session, caption.id, person)
    votes.unvote(session, caption.id, person)
    assert votes.thumbs(session, [caption.id]) == {caption.id: Thumbs()}


@pytest.mark.parametrize("value", [0, 2, -5])
def test_a_vote_is_up_or_down(session: Session, value: int):
    with pytest.raises(ValueError, match="neither 1 nor -1"):
        votes.vote(session, make_caption(session).id, make_person(session).id, value)
