"""The caption service: votes, corrections, and the question whether photos may be used for training."""

import pytest
from sqlalchemy import select

from bots.errors import BadText, NotReady
from bots.service.views import VoteCount
from db.tables import Correction, Review
from tests.support.service_parts import ANN, BEN, CHAT, count, submit


def test_the_last_vote_counts(service, in_chat):
    assert service.feedback.vote(in_chat, person="telegram:7", value=1) == VoteCount(1, 0, 1, ask_consent=True)
    assert service.feedback.vote(in_chat, person="telegram:8", value=1, chat=CHAT) == VoteCount(2, 0, 1)
    assert service.feedback.vote(in_chat, person="telegram:7", value=-1) == VoteCount(1, 1, -1)
    assert service.feedback.unvote(in_chat, person="telegram:7") == VoteCount(1, 0, 0)
    assert service.captions.get(in_chat, person="telegram:7").votes == VoteCount(1, 0, 0)


@pytest.mark.parametrize("value", [0, 2, -5])
def test_a_vote_is_one_up_or_down(service, anns, value):
    with pytest.raises(ValueError, match="neither 1 nor -1"):
        service.feedback.vote(anns, person=ANN, value=value)


def test_what_is_not_done_cannot_be_rated(service, worker):
    submitted = submit(service)
    with pytest.raises(NotReady):
        service.feedback.vote(submitted.id, person=ANN, value=1)
    worker.fail(submitted.row)
    with pytest.raises(NotReady):
        service.feedback.correct(submitted.id, person=ANN, text="a dog")


def test_the_last_correction_counts(service, anns, sessions):
    service.feedback.correct(anns, person=ANN, text="a cat")
    view = service.feedback.correct(anns, person=ANN, text="  a black\n cat\u200b sleeps \x00 ")
    assert view.correction == "a black cat sleeps"
    assert service.captions.get(anns, person=ANN).correction == "a black cat sleeps"
    assert count(sessions, Correction) == 1


@pytest.mark.parametrize("text", ["", " \n ", "\u200b", "x" * 201])
def test_a_correction_has_some_words_and_not_too_many(service, anns, text):
    with pytest.raises(BadText, match="up to 200 characters"):
        service.feedback.correct(anns, person=ANN, text=text)


def test_a_correction_that_is_no_description_is_quarantined(service, anns, sessions):
    service.feedback.correct(anns, person=ANN, text="buy it now at www.example.com")
    with sessions() as session:
        correction = session.scalars(select(Correction)).one()
        assert correction.review is Review.QUARANTINED
        assert correction.reason


def test_what_was_corrected_is_said_right_the_next_time(service, anns, queued):
    service.feedback.correct(anns, person=ANN, text="a black cat sleeps")
    again = submit(service)
    assert again.known
    assert service.captions.get(again.id, person=ANN).text == "A black cat sleeps."
    others = submit(service, sender=BEN)
    assert service.captions.get(others.id, person=BEN).text == "Could be: a dog runs."


def test_figures_count_captions_and_votes(service, anns):
    service.feedback.vote(anns, person=ANN, value=1)
    submit(service)
    (line,) = service.admin.stats().lines
    assert (line.model, line.front_end, line.captions, line.known, line.approval.votes) == ("bundled", "web", 2, 1, 1)


# Consent


def test_the_sender_is_asked_for_consent_once(service, worker, anns):
    assert service.feedback.vote(anns, person=ANN, value=1).ask_consent
    assert not service.feedback.vote(anns, person=ANN, value=-1).ask_consent
    other = submit(service, 1)
    worker.caption(other.row)
    assert not service.feedback.correct(other.id, person=ANN, text="a cat sleeps").ask_consent


def test_a_first_correction_asks_too(service, anns):
    assert service.feedback.correct(anns, person=ANN, text="a black cat sleeps").ask_consent


def test_only_who_sent_the_photo_is_asked(service, in_chat):
    assert not service.feedback.vote(in_chat, person="telegram:8", value=1, chat=CHAT).ask_consent
    assert service.feedback.vote(in_chat, person="telegram:7", value=1).ask_consent


def test_who_has_answered_already_is_not_asked(service, anns):
    service.people.set_consent(ANN, agreed=False)
    assert not service.feedback.vote(anns, person=ANN, value=1).ask_consent


def test_no_answer_is_no_consent_and_an_answer_can_be_changed(service, anns):
    service.feedback.vote(anns, person=ANN, value=1)
    assert service.people.preferences(ANN).training_consent is None
    assert service.people.set_consent(ANN, agreed=True).training_consent is True
    assert service.people.set_consent(ANN, agreed=False).training_consent is False
