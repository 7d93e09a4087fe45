"""People take turns: who sends one photo is answered as if somebody with a thousand were not there."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session, sessionmaker

from bots.errors import Busy, TooManyWaiting
from db import captions, turns
from db.caption_requests import CaptionRequest
from db.tables import Caption, State
from tests.support.factories import make_caption, make_person, make_photo, make_result
from tests.support.processes import until
from tests.support.service_parts import picture
from tests.support.worker_parts import all_done, queue_photos, rows_of
from worker.job_queue import create_app, create_notifier, send_many
from worker.worker import Worker

LEASE = timedelta(minutes=1)
FLOOD = 1000
BATCH = 32


def flood(session: Session, count: int = FLOOD, person: str = "web:flooder", chat: str | None = None) -> list[int]:
    """So many photos of one person wait."""
    sender, photo = make_person(session, person).id, make_photo(session).id
    row = {"photo_id": photo, "person_id": sender, "front_end": "web", "chat": chat}
    return list(session.scalars(insert(Caption).returning(Caption.id), [row] * count))


def claim_and_finish(session: Session, count: int) -> list[int]:
    claimed = [caption.id for caption in captions.claim_next(session, count, "w", LEASE)]
    captions.finish_many(session, "w", {id: make_result() for id in claimed})
    return claimed


def test_one_photo_is_claimed_with_the_next_batch_and_one_of_the_flooders_before_it(session: Session):
    flood(session)
    claim_and_finish(session, BATCH)
    single = make_caption(session, "web:ann").id
    assert turns.whose_turn(session, BATCH).index(single) == 1
    assert single in claim_and_finish(session, BATCH)


def test_a_worker_that_claims_one_at_a_time_is_shared_too(session: Session):
    flood(session)
    in_work = captions.claim_next(session, 1, "w", LEASE)
    single = make_caption(session, "web:ann").id
    assert [caption.id for caption in captions.claim_next(session, 1, "w", LEASE)] == [single]
    assert in_work


def test_several_flooders_share_and_nobody_starves(session: Session):
    first, second = flood(session, 50, "web:one"), flood(session, 50, "web:two")
    third = flood(session, 5, "web:three")
    order = turns.whose_turn(session, 105)
    assert order[:6] == [first[0], second[0], third[0], first[1], second[1], third[1]]
    assert max(order.index(id) for id in third) == 14
    assert sorted(order) == sorted(first + second + third)


def test_a_chat_with_many_people_has_one_share_and_its_people_take_turns_in_it(session: Session):
    raid = [flood(session, 1, f"telegram:{number}", "telegram:-1")[0] for number in range(100)]
    flood(session, 100, "telegram:0", "telegram:-1")
    outside = make_caption(session, "telegram:200", chat="telegram:-2").id
    private = make_caption(session, "telegram:201").id
    inside = make_caption(session, "telegram:202", chat="telegram:-1").id
    order = turns.whose_turn(session, FLOOD)
    assert order[:3] == [raid[0], outside, private]
    assert order.index(inside) == len(raid) + 2


def test_one_person_in_many_chats_has_one_share(session: Session):
    for number in range(50):
        flood(session, 2, "telegram:1", f"telegram:-{number}")
    single = make_caption(session, "telegram:2").id
    assert turns.whose_turn(session, 10).index(single) == 1


def test_newcomers_are_those_of_whom_nothing_is_in_work_nor_of_their_chat(session: Session):
    flood(session, 5)
    flood(session, 5, "telegram:1", "telegram:-1")
    captions.claim_next(session, 2, "w", LEASE)
    inside = make_caption(session, "telegram:2", chat="telegram:-1").id
    outside = flood(session, 3, "telegram:3", "telegram:-2")
    alone = make_caption(session, "web:ann").id
    assert turns.newcomers(session, BATCH) == [outside[0], alone]
    assert [caption.id for caption in captions.claim_newcomers(session, 1, "w", LEASE)] == [outside[0]]
    assert inside not in turns.newcomers(session, BATCH)
    assert turns.newcomers(session, BATCH) == [alone]


def test_what_is_finished_or_in_work_is_not_claimed(session: Session):
    make_caption(session, text="done")
    make_caption(session, state=State.RUNNING, worker="w1")
    assert captions.claim_next(session, BATCH, "w2", LEASE) == []


@pytest.mark.parametrize("max_batch", [1, 4])
def test_a_worker_describes_one_photo_long_before_the_flooders(
    sessions: sessionmaker[Session], store, tiny_model, max_batch: int
):
    """Whatever order the messages come in, at most what the worker already held is described before it."""
    queue, notifier, finished = create_app(None, "turns"), create_notifier(None), []
    notifier.subscribe("web", finished.append)
    rows = queue_photos(sessions, store, 160)
    worker = Worker(queue, sessions, store, notifier, model_dir=tiny_model, max_batch=max_batch)
    send_many(queue, rows)
    worker.start()
    until(lambda: len(finished) >= 8)
    with sessions.begin() as session:
        single = make_caption(session, "web:ann", photo=session.get_one(Caption, rows[0]).photo).id
    before = len(finished)
    send_many(queue, [single])
    until(lambda: single in finished)
    assert finished.index(single) - before < 100
    until(lambda: all_done(sessions))
    assert worker.stop()
    queue.outbox.close()
    assert sorted(finished) == sorted([*rows, single])


def test_photos_whose_messages_were_lost_are_found_by_the_next_message(
    sessions: sessionmaker[Session], store, tiny_model
):
    queue = create_app(None, "lost")
    rows = queue_photos(sessions, store, 20)
    worker = Worker(queue, sessions, store, create_notifier(None), model_dir=tiny_model, max_batch=4)
    worker.start()
    send_many(queue, rows[-1:])
    until(lambda: all_done(sessions))
    assert worker.stop()
    queue.outbox.close()
    assert {row.attempts for row in rows_of(sessions)} == {0}


# How many may wait


@pytest.fixture
def submit(new_service: Callable) -> Callable:
    service = new_service(queue_limit=10, person_queue_limit=4, chat_queue_limit=6)
    numbers = iter(range(100))

    def submit_one(sender: str, chat: str | None = None) -> None:
        request = CaptionRequest(sender=sender, front_end="web", chat=chat)
        service.submissions.submit(picture(next(numbers)), request)

    return submit_one


def test_a_person_who_has_many_waiting_is_refused_and_others_are_not(submit):
    for _ in range(4):
        submit("web:flooder")
    with pytest.raises(TooManyWaiting, match="your photos") as refusal:
        submit("web:flooder")
    assert 10 <= refusal.value.retry_after <= 600
    submit("web:ann")


def test_a_chat_in_which_many_photos_wait_is_refused_and_others_are_not(submit):
    for number in range(6):
        submit(f"telegram:{number}", "telegram:-1")
    with pytest.raises(Busy):
        submit("telegram:7", "telegram:-1")
    submit("telegram:7", "telegram:-2")
    submit("telegram:7")


def test_the_limit_in_total_holds_above_both(submit):
    for number in range(10):
        submit(f"web:{number}")
    with pytest.raises(Busy):
        submit("web:ann")
