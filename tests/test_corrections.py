from factories import make_caption, make_person
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import corrections
from db.tables import Correction, Review


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
    assert corrections.own(session, [caption.id], me) == {caption.id: "a brown dog"}
    assert corrections.own(session, [], me) == {}
