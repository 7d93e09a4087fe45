"""The delivery loop: finished and failed captions reach the front-end that asked for them, once."""

import asyncio
from datetime import timedelta

import pytest

from bots.delivery_loop import DeliveryLoop, RetryLater, Sent, Undeliverable
from db.caption_requests import CaptionRequest
from db.tables import Caption, now
from tests.support.service_parts import picture

FRONT_END = "telegram"


def submit(service, number=0, **more):
    sender = more.pop("sender", "telegram:7")
    return service.submissions.submit(
        picture(number), CaptionRequest(sender=sender, front_end=FRONT_END, reply_to={"message": number}, **more)
    )


class Platform:
    """Takes what is sent, as a chat platform does; `answers` are what it says first, one a send."""

    def __init__(self, *answers):
        self.answers, self.shown, self.withdrawn = list(answers), [], []
        self.while_sending = None

    async def send(self, delivery):
        if self.answers and (answer := self.answers.pop(0)):
            raise answer
        self.shown.append(delivery)
        if self.while_sending:
            await asyncio.to_thread(self.while_sending)
        return Sent(f"telegram:7/{len(self.shown)}")

    async def withdraw(self, removed):
        self.withdrawn += removed


def deliver(service, platform, *, until, notifier=None, poll=0.05, meanwhile=None):
    """Run deliveries until the condition holds."""

    async def run():
        loop = DeliveryLoop(service, FRONT_END, notifier, poll=poll)
        running = asyncio.create_task(loop.run(platform.send, platform.withdraw))
        await asyncio.sleep(0.2)
        if meanwhile:
            await asyncio.to_thread(meanwhile)
        async with asyncio.timeout(90):
            while not until():
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


def row_of(sessions, submitted):
    with sessions() as session:
        return session.get(Caption, submitted.row)


def test_what_is_finished_is_shown_once_and_then_found_by_its_message(service, worker, sessions):
    submitted = submit(service)
    worker.caption(submitted.row, text="a dog runs")
    platform = Platform()
    deliver(service, platform, until=lambda: row_of(sessions, submitted).delivered_at)
    deliver(service, platform, until=lambda: True)
    assert len(platform.shown) == 1
    assert platform.shown[0].reply_to == {"message": 0}
    assert [view.text for view in platform.shown[0].captions] == ["a dog runs"]
    assert [view.id for view in service.captions.by_message("telegram:7/1")] == [submitted.id]


def test_what_is_removed_while_it_is_sent_is_withdrawn(service, worker):
    """The platform may show an answer, and the person press Remove, before the bot notes which message shows it."""
    kept, removed = submit(service, album="7"), submit(service, number=1, album="7")
    for submitted in (kept, removed):
        worker.caption(submitted.row, text="a dog runs")
    platform = Platform()
    platform.while_sending = lambda: service.captions.remove(removed.id, person="telegram:7")
    deliver(service, platform, until=lambda: platform.withdrawn)
    assert [(view.id, view.message) for view in platform.withdrawn] == [(removed.id, "telegram:7/1")]
    assert [view.id for view in service.captions.by_message("telegram:7/1")] == [kept.id]


def test_failures_are_shown_too(service, worker):
    worker.fail(submit(service).row, "The photo is gone.")
    platform = Platform()
    deliver(service, platform, until=lambda: platform.shown)
    assert platform.shown[0].captions[0].error == "The photo is gone."


def test_what_waits_is_not_shown(service, worker):
    submit(service, 1)
    worker.caption(submit(service, 2).row)
    platform = Platform()
    deliver(service, platform, until=lambda: platform.shown)
    assert [delivery.reply_to["message"] for delivery in platform.shown] == [2]


def test_a_wake_up_shows_it_without_waiting_for_the_next_look(service, worker, notifier):
    submitted = submit(service)
    platform = Platform()

    def finish():
        worker.caption(submitted.row)
        notifier.notify({FRONT_END: [submitted.row]})

    deliver(service, platform, until=lambda: platform.shown, notifier=notifier, poll=3600, meanwhile=finish)


def test_more_than_can_be_under_way_are_all_shown(service, worker):
    for number in range(30):
        worker.caption(submit(service, number).row)
    platform = Platform()
    deliver(service, platform, until=lambda: len(platform.shown) == 30, poll=3600)
    assert sorted(delivery.reply_to["message"] for delivery in platform.shown) == list(range(30))


def test_one_slow_answer_does_not_hold_up_the_others(service, worker):
    class SlowForOne(Platform):
        async def send(self, delivery):
            while delivery.reply_to["message"] == 0 and len(self.shown) < 2:
                await asyncio.sleep(0.02)
            return await super().send(delivery)

    for number in range(3):
        worker.caption(submit(service, number).row)
    platform = SlowForOne()
    deliver(service, platform, until=lambda: len(platform.shown) == 3)


def test_what_the_platform_wants_later_is_sent_again(service, worker, sessions):
    submitted = submit(service)
    worker.caption(submitted.row)
    platform = Platform(RetryLater(0.2))
    deliver(service, platform, until=lambda: row_of(sessions, submitted).delivered_at)
    assert len(platform.shown) == 1


def test_what_can_never_be_shown_is_closed_with_a_reason(service, worker, sessions):
    submitted = submit(service)
    worker.caption(submitted.row)
    platform = Platform(Undeliverable("blocked"))
    deliver(service, platform, until=lambda: row_of(sessions, submitted).closed)
    assert row_of(sessions, submitted).closed == "blocked"
    assert platform.shown == []


def test_a_send_that_fails_for_an_unknown_reason_is_tried_again_later(service, worker, sessions):
    submitted = submit(service)
    worker.caption(submitted.row)
    deliver(service, Platform(OSError("no route")), until=lambda: row_of(sessions, submitted).deliver_after)
    assert row_of(sessions, submitted).deliver_after > now()
    assert row_of(sessions, submitted).closed is None


def test_a_send_that_fails_again_and_again_is_given_up(service, worker, sessions):
    submitted = submit(service)
    worker.caption(submitted.row)
    with sessions.begin() as session:
        session.get(Caption, submitted.row).delivery_attempts = 7
    deliver(service, Platform(OSError("no route")), until=lambda: row_of(sessions, submitted).closed)
    assert row_of(sessions, submitted).closed == "gave up: OSError"


def test_after_a_long_outage_a_first_failure_is_no_reason_to_give_up(service, worker, sessions):
    submitted = submit(service)
    worker.caption(submitted.row)
    platform = Platform(*[RetryLater(0)] * 10, OSError("no route"))
    deliver(service, platform, until=lambda: not platform.answers and failed(row_of(sessions, submitted)))
    assert row_of(sessions, submitted).closed is None
    assert row_of(sessions, submitted).delivery_attempts == 1


def failed(row):
    return row.closed or row.deliver_after > now()


def test_what_a_crashed_sender_held_is_sent_when_its_lease_ends(service, worker, sessions):
    submitted = submit(service)
    worker.caption(submitted.row)
    assert len(service.deliveries.undelivered(FRONT_END, 10)) == 1  # and then it crashes
    assert service.deliveries.undelivered(FRONT_END, 10) == []
    with sessions.begin() as session:
        session.get(Caption, submitted.row).delivery_lease_until = now() - timedelta(seconds=1)
    assert service.deliveries.undelivered(FRONT_END, 10)[0].attempts == 2


def album(service, sessions, worker, finished, age):
    """An album of three photos; `finished` of them are done, asked for `age` seconds ago."""
    asked = [submit(service, number, album="telegram:7/album", position=2 - number) for number in range(3)]
    for submitted in asked[:finished]:
        worker.caption(submitted.row)
    with sessions.begin() as session:
        for submitted in asked:
            session.get(Caption, submitted.row).created_at = now() - timedelta(seconds=age)
    return asked


def test_an_album_comes_as_one_in_its_order(service, worker, sessions):
    asked = album(service, sessions, worker, finished=3, age=10)
    due = service.deliveries.undelivered(FRONT_END, 1)
    assert [delivery.rows for delivery in due] == [[submitted.row for submitted in asked[::-1]]]
    assert due[0].reply_to == {"message": 2}
    service.deliveries.delivered(due[0].rows, "telegram:7/55")
    assert len(service.captions.by_message("telegram:7/55")) == 3


def test_an_album_waits_for_its_last_photo(service, worker, sessions):
    asked = album(service, sessions, worker, finished=2, age=10)
    assert service.deliveries.undelivered(FRONT_END, 10) == []
    worker.fail(asked[2].row)
    assert len(service.deliveries.undelivered(FRONT_END, 10)) == 1


def test_an_album_that_may_still_grow_is_waited_for(service, worker, sessions):
    album(service, sessions, worker, finished=3, age=0)
    assert service.deliveries.undelivered(FRONT_END, 10) == []
    platform = Platform()
    deliver(service, platform, until=lambda: platform.shown)
    assert len(platform.shown[0].captions) == 3


@pytest.mark.parametrize("front_end", ["discord", "web"])
def test_a_front_end_gets_only_its_own(service, worker, front_end):
    worker.caption(submit(service).row)
    assert service.deliveries.undelivered(front_end, 10) == []
