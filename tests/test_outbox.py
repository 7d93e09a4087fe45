"""The outbox: messages are sent in order, and again when sending fails."""

import threading
import time

from worker.outbox import Outbox


class Flaky:
    """Somebody to send to, who can be away."""

    def __init__(self, away: bool = False):
        self.away, self.got, self.asked = away, [], threading.Event()

    def __call__(self, items: list[int]) -> None:
        self.asked.set()
        if self.away:
            raise ConnectionError("nobody is here")
        self.got += items


def test_what_is_put_is_sent_in_order():
    there = Flaky()
    outbox = Outbox(there, "numbers")
    for number in range(100):
        outbox.put([number])
    outbox.close(10)
    assert there.got == list(range(100))


def test_what_fails_is_sent_later():
    there = Flaky(away=True)
    outbox = Outbox(there, "numbers", pause=0.01)
    outbox.put([1, 2])
    assert there.asked.wait(10)
    outbox.put([3])
    there.away = False
    outbox.close(10)
    assert there.got == [1, 2, 3]


def test_only_so_many_wait_and_the_oldest_of_them_are_kept():
    there = Flaky(away=True)
    outbox = Outbox(there, "numbers", limit=3, pause=0.01)
    outbox.put([1, 2])
    outbox.put([3, 4, 5])
    assert there.asked.wait(10)
    there.away = False
    outbox.close(10)
    assert there.got == [1, 2, 3]


def test_putting_does_not_wait_for_the_sending():
    leave = threading.Event()
    outbox = Outbox(lambda items: leave.wait(10), "numbers")
    begin = time.monotonic()
    for number in range(1000):
        outbox.put([number])
    assert time.monotonic() - begin < 5  # sending one would take 10
    leave.set()
    outbox.close(10)


def test_closing_gives_up_on_somebody_who_stays_away():
    outbox = Outbox(Flaky(away=True), "numbers", pause=0.01)
    outbox.put([1])
    begin = time.monotonic()
    outbox.close(0.1)
    assert time.monotonic() - begin < 5
