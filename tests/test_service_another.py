"""Asking for another sentence: a new row of the same photo, and when there is none."""

from datetime import timedelta

import pytest

from bots.errors import NoneLeft, NotFound, NotReady, PhotoGone
from db.caption_options import CaptionOptions
from db.captions import MOST_SENTENCES, NONE_LEFT
from db.tables import Caption, State, now
from tests.support.service_parts import ANN, row_of, submit


def test_another_one_is_a_new_row_of_the_same_photo(service, worker, queued, sessions):
    first = submit(
        service, options=CaptionOptions(beams=5), chat="telegram:-1", front_end="telegram", sender="telegram:7"
    )
    worker.caption(first.row)
    second = service.submissions.another(
        first.id, person="telegram:7", source="telegram:click 1", reply_to={"button": 1}
    )
    worker.caption(second.row, text="something else")
    third = service.submissions.another(second.id, person="telegram:7")
    assert queued == [first.row, second.row, third.row]
    rows = [row_of(sessions, submitted) for submitted in (first, second, third)]
    assert [row.rank for row in rows] == [0, 1, 2]
    assert [row.parent_id for row in rows] == [None, first.row, second.row]
    assert len({row.photo_id for row in rows}) == len({row.person_id for row in rows}) == 1
    assert {row.chat for row in rows} == {"telegram:-1"}
    assert all(row.options.beams == 5 for row in rows)
    assert rows[1].reply_to == {"button": 1}
    assert service.captions.get(second.id, person="telegram:7").parent == first.id


def test_another_one_is_asked_for_once_at_a_time(service, worker, queued):
    first = submit(service)
    worker.caption(first.row)
    second = service.submissions.another(first.id, person=ANN)
    assert service.submissions.another(first.id, person=ANN) == second
    assert queued == [first.row, second.row]


def test_when_nothing_is_left_to_say_another_one_is_refused_without_a_search(service, worker, queued):
    submitted = submit(service)
    worker.caption(submitted.row)
    again = service.submissions.another(submitted.id, person=ANN)
    worker.fail(again.row, NONE_LEFT)
    with pytest.raises(NoneLeft, match="nothing else"):
        service.submissions.another(submitted.id, person=ANN)
    assert queued == [submitted.row, again.row]


def test_a_photo_has_a_number_of_sentences_that_is_limited(service, worker, queued):
    last = submit(service)
    worker.caption(last.row)
    for number in range(1, MOST_SENTENCES):
        last = service.submissions.another(last.id, person=ANN)
        worker.caption(last.row, text=f"sentence {number}")
    with pytest.raises(NoneLeft):
        service.submissions.another(last.id, person=ANN)
    assert len(queued) == MOST_SENTENCES


def test_another_one_of_somebody_in_the_chat_belongs_to_the_sender(service, worker):
    first = submit(service, sender="telegram:7", chat="telegram:-1", front_end="telegram")
    worker.caption(first.row)
    with pytest.raises(NotFound):
        service.submissions.another(first.id, person="telegram:8")
    second = service.submissions.another(first.id, person="telegram:8", chat="telegram:-1")
    assert service.captions.get(second.id, person="telegram:7").sender == "telegram:7"


def test_there_is_no_other_one_before_the_first(service):
    with pytest.raises(NotReady):
        service.submissions.another(submit(service).id, person=ANN)


def test_a_failed_caption_can_be_tried_again(service, worker):
    first = submit(service)
    worker.fail(first.row)
    assert service.submissions.another(first.id, person=ANN).state is State.QUEUED


def test_there_is_no_other_one_of_a_photo_that_is_gone(service, worker, sessions):
    first = submit(service)
    worker.caption(first.row)
    with sessions.begin() as session:
        session.get(Caption, first.row).photo.last_sent_at = now() - timedelta(days=3)
    assert service.maintenance().clear() == 1
    with pytest.raises(PhotoGone):
        service.submissions.another(first.id, person=ANN)
    assert submit(service).known
