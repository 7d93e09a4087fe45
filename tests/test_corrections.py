"""Corrections: one for each person and caption, and their review."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import corrections
from db.tables import Correction, Review
from tests.support.factories import make_caption, make_person


def test_the_last_correction_of_a_person_counts_and_is_reviewed_anew(session: Session):
    caption, person = make_caption(session, text="a dog"), make_person(session).id
    corrections.correct(session, caption.id, person, "buy this", Review.QUARANTINED, "a link")
    corrections.correct(session, caption.id, person, "a brown dog")
    row = session.scalars(select(Correction)).one()
    assert (row.text, row.review, row.reason) == ("a brown dog", Review.PENDING, None)


def test_a_person_sees_their_own_corrections_only(session: Session):
    caption = make_caption(session, text="a dog")
    me, other = make_person(session).id, make_person(session).id
    corrections.correct(session, caption.id, me, "a brown dog")
    corrections.correct(session, caption.id, other, "a cat")
    assert corrections.own(session, [caption.photo_id], me) == {caption.photo_id: "a brown dog"}
    assert corrections.own(session, [], me) == {}


def test_what_was_written_last_about_a_photo_counts_for_all_of_its_captions(session: Session):
    first, me = make_caption(session, text="a dog"), make_person(session).id
    second = make_caption(session, text="a wolf", photo=first.photo)
    corrections.correct(session, second.id, me, "a fox")
    corrections.correct(session, first.id, me, "a brown fox")  # later, about the earlier caption
    assert corrections.own(session, [first.photo_id], me) == {first.photo_id: "a brown fox"}
