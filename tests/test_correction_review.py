"""The quarantine: a filter fills it, an admin has the last word."""

import pytest

from db.correction_review import UnknownCorrection, decide, judge_all, undecided, verdict
from db.tables import Review
from tests.support.factories import make_caption, make_correction, make_vote

KNOWN = frozenset("a dog cat runs sleeps on in the bed grass".split())


def texts(session, review=Review.QUARANTINED):
    return [row.text for row in undecided(session, review)]


def correct(session, text, person="web:ann"):
    return make_correction(session, make_caption(session, text="A horse."), text, person)


def test_a_verdict_has_a_reason_when_it_is_a_quarantine():
    assert verdict("a dog runs", "A cat.") == (Review.ACCEPTED, None)
    assert verdict("a dog", "A cat.") == (Review.QUARANTINED, "2 words; 3 to 30 are taken")


def test_what_the_filter_refuses_waits_for_an_admin_with_the_reason(session):
    correct(session, "a dog runs")
    correct(session, "ein hund rennt schnell")
    judge_all(session, KNOWN)
    assert texts(session) == ["ein hund rennt schnell"]
    assert texts(session, Review.ACCEPTED) == ["a dog runs"]
    assert undecided(session, Review.QUARANTINED)[0].reason.startswith("words the model does not know")


def test_an_admin_s_word_stays(session):
    kept, gone = correct(session, "ein hund rennt"), correct(session, "a dog runs")
    decide(session, kept.id, True, "telegram:1")
    decide(session, gone.id, False, "telegram:1")
    judge_all(session, KNOWN)
    assert (kept.review, kept.reason, kept.reviewed_by) == (Review.ACCEPTED, None, "telegram:1")
    assert (gone.review, gone.reason) == (Review.QUARANTINED, "turned down")
    assert texts(session) == texts(session, Review.ACCEPTED) == []


def test_the_same_sentence_for_many_photos_is_quarantined(session):
    for _ in range(4):
        correct(session, "a dog runs")
    correct(session, "a dog runs", "web:ben")
    judge_all(session, KNOWN)
    assert [row.reason for row in undecided(session, Review.QUARANTINED)] == [
        "the same sentence for several photos"
    ] * 4


def test_corrections_of_a_suspicious_voter_are_quarantined(session):
    for _ in range(25):
        make_vote(session, make_caption(session, text="A horse."), -1, "web:eve")
    correct(session, "a dog runs", "web:eve")
    correct(session, "a cat sleeps", "web:ann")
    judge_all(session, KNOWN)
    assert texts(session) == ["a dog runs"]


def test_who_does_not_know_the_words_lifts_no_quarantine(session):
    correct(session, "ein hund rennt schnell")
    judge_all(session, KNOWN)
    judge_all(session)
    assert texts(session) == ["ein hund rennt schnell"]


def test_a_number_that_is_none_is_named(session):
    with pytest.raises(UnknownCorrection, match="there is no correction 7"):
        decide(session, 7, True, "telegram:1")
