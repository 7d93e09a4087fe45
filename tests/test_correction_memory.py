"""What somebody corrected is said right the next time: to them, in their chat, and to all once an admin agreed."""

import io

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import correction_review
from db.caption_requests import CaptionRequest
from db.correction_memory import as_caption, recall
from db.erasure import forget
from db.tables import Caption, Review, State
from tests.support.factories import make_caption, make_correction, make_person, make_photo
from tests.support.service_parts import picture

HERE, FAR = "00000000000000ff", "ffffffff00000000"  # hashes of 64 bits
NEARLY = "00000000000000fc"
CHAT = "telegram:-5"
ANN, BEN = "web:ann", "web:ben"


@pytest.fixture
def corrected(session: Session):
    """Ann's correction of Ann's photo."""
    photo = make_photo(session, perceptual_hash=HERE)
    caption = make_caption(session, ANN, text="A cat.", photo=photo)
    return make_correction(session, caption, "a brown dog runs", ANN, review=Review.ACCEPTED)


def test_a_person_s_own_sentence_is_remembered_for_a_photo_that_looks_the_same(session, corrected):
    assert recall(session, NEARLY, corrected.person_id, None) == corrected


def test_another_photo_has_no_such_sentence(session, corrected):
    assert recall(session, FAR, corrected.person_id, None) is None


def test_others_do_not_get_it(session, corrected):
    assert recall(session, HERE, make_person(session, BEN).id, None) is None


def test_what_is_quarantined_is_remembered_for_its_writer_alone(session, corrected):
    corrected.review = Review.QUARANTINED
    session.flush()
    assert recall(session, HERE, corrected.person_id, None) == corrected
    assert recall(session, HERE, corrected.person_id, CHAT) is None  # the chat would see it
    assert recall(session, HERE, make_person(session, BEN).id, None) is None


def test_all_get_what_an_admin_accepted(session, corrected):
    correction_review.decide(session, corrected.id, True, "telegram:1")
    session.flush()
    assert recall(session, HERE, make_person(session, BEN).id, None) == corrected


def test_a_chat_gets_what_was_corrected_in_it(session):
    caption = make_caption(session, ANN, text="A cat.", photo=make_photo(session, perceptual_hash=HERE), chat=CHAT)
    wrote = make_correction(session, caption, "a brown dog runs", ANN, review=Review.ACCEPTED)
    ben = make_person(session, BEN).id
    assert recall(session, HERE, ben, CHAT) == wrote
    assert recall(session, HERE, ben, "telegram:-6") is None


def test_one_s_own_sentence_comes_before_that_of_others(session, corrected):
    correction_review.decide(session, corrected.id, True, "telegram:1")
    caption = make_caption(session, BEN, text="A cat.", photo=make_photo(session, perceptual_hash=NEARLY))
    bens = make_correction(session, caption, "a dog of mine", BEN, review=Review.ACCEPTED)
    assert recall(session, HERE, bens.person_id, None) == bens


def test_the_caption_reads_as_a_sentence_and_says_where_it_comes_from(corrected):
    caption = as_caption(corrected)
    assert (caption.text, caption.words) == ("A brown dog runs.", ["a", "brown", "dog", "runs"])
    assert (caption.remembered_from, caption.state, caption.model_version) == (corrected.id, State.DONE, None)


def submit(service, data: bytes, sender: str = ANN):
    return service.submissions.submit(data, CaptionRequest(sender=sender, front_end="web"))


def smaller(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.convert("RGB").resize((36, 27)).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def test_the_service_says_it_at_once_for_a_near_duplicate_and_to_the_writer_alone(service, worker, queued):
    first = submit(service, picture(1))
    worker.caption(first.row, text="A cat.", words=["a", "cat"])
    service.feedback.correct(first.id, person=ANN, text="a brown dog runs")
    again = submit(service, smaller(picture(1)))
    assert again.known
    assert service.captions.get(again.id, person=ANN).text == "A brown dog runs."
    assert not submit(service, smaller(picture(1)), BEN).known


def test_forgetting_a_writer_takes_their_sentence_from_everybody(sessions, store, service, worker):
    first = submit(service, picture(1))
    worker.caption(first.row, text="A cat.", words=["a", "cat"])
    service.feedback.correct(first.id, person=ANN, text="a brown dog runs")
    with sessions.begin() as session:
        for wrote in correction_review.undecided(session, Review.ACCEPTED):
            correction_review.decide(session, wrote.id, True, "telegram:1")
    bens = submit(service, picture(1), BEN)
    assert service.captions.get(bens.id, person=BEN).text == "A brown dog runs."
    forget(sessions, store, ANN)
    with sessions() as session:
        assert session.scalars(select(Caption)).all() == []
