"""Notifications from workers to front-ends, over Redis and in memory."""

import queue
import time
from functools import partial

import pytest

from worker.notifications import create_notifier


@pytest.fixture(params=["in one process", "over Redis"])
def notifier(request):
    """Two ends: one notifies, the other subscribes."""
    if request.param == "in one process":
        one = create_notifier(None)
        yield one, one
        one.close()
        return
    url = request.getfixturevalue("redis_server").url
    ends = create_notifier(url, "test"), create_notifier(url, "test")
    yield ends
    for end in ends:
        end.close()


def heard(notify, rows: queue.Queue) -> int:
    """A row that is heard of; over Redis a subscription takes a moment, and what is said before it is lost."""
    for _ in range(100):
        notify()
        try:
            return rows.get(timeout=0.1)
        except queue.Empty:
            continue
    raise AssertionError("nothing was heard")


def test_a_front_end_hears_of_its_captions(notifier):
    here, there = notifier
    rows = queue.Queue()
    there.subscribe("web", rows.put)
    assert heard(partial(here.notify, {"web": [7]}), rows) == 7


def test_a_front_end_does_not_hear_of_those_of_others(notifier):
    here, there = notifier
    web, telegram = queue.Queue(), queue.Queue()
    there.subscribe("web", web.put)
    there.subscribe("telegram", telegram.put)
    notify = partial(here.notify, {"telegram": [1], "web": [2]})
    assert (heard(notify, web), heard(notify, telegram)) == (2, 1)
    assert not {2} & {*telegram.queue}
    assert not {1} & {*web.queue}


def test_nothing_is_heard_once_a_subscription_has_ended(notifier):
    here, there = notifier
    ended, other = queue.Queue(), queue.Queue()
    unsubscribe = there.subscribe("web", ended.put)
    there.subscribe("web", other.put)
    unsubscribe()
    heard(partial(here.notify, {"web": [1]}), other)
    assert ended.empty()


def test_a_callback_that_fails_does_not_keep_others_from_theirs(notifier):
    here, there = notifier
    rows = queue.Queue()
    there.subscribe("web", lambda row: 1 / 0)
    there.subscribe("web", rows.put)
    assert heard(partial(here.notify, {"web": [3]}), rows) == 3


def test_front_ends_hear_again_after_redis_was_away(redis_server):
    here, there = create_notifier(redis_server.url, "test"), create_notifier(redis_server.url, "test")
    rows = queue.Queue()
    there.subscribe("web", rows.put)
    heard(partial(here.notify, {"web": [1]}), rows)
    redis_server.stop()
    begin = time.monotonic()
    here.notify({"web": [2]})
    assert time.monotonic() - begin < 1  # aside
    redis_server.start()
    assert heard(partial(here.notify, {"web": [3]}), rows) in (1, 2, 3)
    here.close()
    there.close()
