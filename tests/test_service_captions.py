"""The caption service: what is known of a caption, and for whom."""

from pathlib import Path

import pytest

from bots.errors import NotFound, PhotoGone
from bots.service.views import VoteCount
from db.tables import Correction, State, Vote
from tests.support.service_parts import ANN, BEN, CHAT, count, submit


def test_a_result_is_all_that_is_known_of_a_caption(service, worker):
    submitted = submit(service)
    waiting = service.captions.get(submitted.id, person=ANN)
    assert (waiting.state, waiting.text, waiting.has_photo) == (State.QUEUED, None, True)
    worker.caption(submitted.row, text="a dog runs", confidence=0.7, attention={"rows": 1, "columns": 1, "maps": []})
    view = service.captions.get(submitted.id, person=ANN)
    assert (view.state, view.text, view.confidence, view.model) == (State.DONE, "a dog runs", 0.7, "bundled")
    assert (view.words, view.alternatives) == (("a", "dog", "runs"), ("a brown dog",))
    assert view.attention == {"rows": 1, "columns": 1, "maps": []}
    assert view.votes == VoteCount(0, 0, 0)
    assert view.sender == ANN


def test_a_failure_is_a_sentence(service, worker):
    submitted = submit(service)
    worker.fail(submitted.row, "The photo is gone.")
    view = service.captions.get(submitted.id, person=ANN)
    assert (view.state, view.error) == (State.FAILED, "The photo is gone.")


def test_the_stored_photo_is_for_its_sender(service, anns):
    assert service.captions.photo(anns, person=ANN).startswith(b"\xff\xd8")
    with pytest.raises(NotFound):
        service.captions.photo(anns, person=BEN)


def test_a_photo_whose_file_is_gone_is_said_to_be_gone(service, anns, store):
    for name in store.names():
        store.drop(name)
    with pytest.raises(PhotoGone):
        service.captions.photo(anns, person=ANN)


def test_a_photo_that_the_disk_damaged_is_not_shown_and_is_whole_when_it_is_sent_again(service, anns, store):
    whole = service.captions.photo(anns, person=ANN)
    [file] = Path(store.url).glob("*/*")
    file.write_bytes(whole[:-9] + b"corrupted")
    with pytest.raises(PhotoGone):
        service.captions.photo(anns, person=ANN)
    submit(service, sender=BEN)
    assert service.captions.photo(anns, person=ANN) == whole


def test_ones_own_captions_newest_first_page_by_page(service):
    ids = [submit(service, number).id for number in range(5)]
    submit(service, sender=BEN)
    first = [view.id for view in service.captions.of_person(ANN, limit=3)]
    second = [view.id for view in service.captions.of_person(ANN, limit=3, before=first[-1])]
    assert first + second == ids[::-1]
    assert service.captions.of_person("web:nobody", limit=3) == []


def test_hedged_wording_is_left_out_for_those_who_want_it_plain(service, anns):
    assert service.captions.get(anns, person=ANN).text == "Could be: a dog runs."
    service.people.set_preferences(ANN, hedging=False)
    assert service.captions.get(anns, person=ANN).text == "A dog runs."


# Whose caption it is


def test_to_another_account_a_caption_does_not_exist(service, anns, sessions):
    for attempt in (
        lambda: service.captions.get(anns, person=BEN),
        lambda: service.captions.photo(anns, person=BEN),
        lambda: service.feedback.vote(anns, person=BEN, value=1),
        lambda: service.feedback.unvote(anns, person=BEN),
        lambda: service.feedback.correct(anns, person=BEN, text="a cat sleeps"),
        lambda: service.submissions.another(anns, person=BEN),
        lambda: service.captions.remove(anns, person=BEN),
        lambda: service.captions.of_person(BEN, limit=5, before=anns),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert count(sessions, Vote) == count(sessions, Correction) == 0
    assert service.captions.of_person(BEN, limit=5) == []
    service.people.forget(BEN)
    assert service.captions.get(anns, person=ANN).state is State.DONE


def test_an_id_that_is_not_there_is_not_found_in_the_same_words(service, anns):
    with pytest.raises(NotFound) as unknown:
        service.captions.get("x" * 22, person=BEN)
    with pytest.raises(NotFound) as foreign:
        service.captions.get(anns, person=BEN)
    assert str(unknown.value) == str(foreign.value)


def test_those_in_the_chat_may_vote_and_correct(service, in_chat):
    assert service.feedback.vote(in_chat, person="telegram:8", value=-1, chat=CHAT).down == 1
    assert service.feedback.correct(in_chat, person="telegram:8", text="two cats", chat=CHAT).correction == "two cats"
    with pytest.raises(NotFound):
        service.feedback.vote(in_chat, person="telegram:8", value=-1, chat="telegram:-2")


def test_a_chat_that_is_none_is_no_chat(service, anns):
    with pytest.raises(NotFound):
        service.feedback.vote(anns, person=BEN, value=1, chat=None)
