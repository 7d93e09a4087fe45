"""Rate limits for each person, in one process and over Redis."""

import contextlib
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from bots.errors import TooManyRequests
from bots.service import rate_limits
from bots.service.rate_limits import RateLimits


@pytest.fixture
def patience(monkeypatch):
    """Redis may take its time on a busy machine."""
    monkeypatch.setattr(rate_limits, "REDIS_TIMEOUT", 5.0)


def test_as_many_as_the_rate_says_and_no_more():
    limits = RateLimits("3/minute")
    for _ in range(3):
        limits.hit("web:ann")
    with pytest.raises(TooManyRequests) as refusal:
        limits.hit("web:ann")
    assert 0 < refusal.value.retry_after <= 60
    assert "in 1 minute" in str(refusal.value) or "seconds" in str(refusal.value)


def test_many_at_the_same_time_are_no_way_around_it():
    limits, together = RateLimits("3/hour;2/minute"), Barrier(8)

    def spend(person: str) -> bool:
        together.wait()
        try:
            limits.hit(person)
        except TooManyRequests:
            return False
        return True

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns in the middle of everything
    try:
        with ThreadPoolExecutor(8) as crowd:
            for number in range(50):
                assert sum(crowd.map(spend, [f"web:ann{number}"] * 8)) == 2
    finally:
        sys.setswitchinterval(usual)


def test_everyone_has_their_own_rate():
    limits = RateLimits("1/hour")
    limits.hit("web:ann")
    limits.hit("web:ben")


def test_the_slowest_rate_that_is_spent_says_when_to_come_back():
    limits = RateLimits("2/hour;2/minute")
    limits.hit("web:ann")
    limits.hit("web:ann")
    with pytest.raises(TooManyRequests) as refusal:
        limits.hit("web:ann")
    assert 3500 < refusal.value.retry_after <= 3600


def test_what_is_refused_does_not_count():
    limits = RateLimits("1/3 seconds")
    limits.hit("web:ann")
    with pytest.raises(TooManyRequests):
        limits.hit("web:ann")
    time.sleep(3.05)
    limits.hit("web:ann")


@pytest.mark.usefixtures("patience")
def test_processes_count_together_in_redis(redis_server):
    first, second = RateLimits("1/hour", redis_server.url, "test"), RateLimits("1/hour", redis_server.url, "test")
    first.hit("web:ann")
    with pytest.raises(TooManyRequests):
        second.hit("web:ann")
    assert all(key.startswith(b"test:rates") for key in [*redis_server.client.scan_iter()])


@pytest.fixture
def ahead(monkeypatch):
    """ahead(600): the clock of this machine is from now on so many seconds ahead of what it was in the beginning."""
    right = time.time
    return lambda seconds: monkeypatch.setattr(time, "time", lambda: right() + seconds)


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("seconds", [600, -600])
@pytest.mark.parametrize("place", ["redis", "memory"])
def test_wrong_clocks_count_alike(redis_server, ahead, place, seconds):
    """Machines whose clocks differ by minutes, or one whose clock is set."""
    limits = RateLimits("2/minute", redis_server.url if place == "redis" else None, "test")
    ahead(seconds)
    limits.hit("web:ann")
    limits.hit("web:ann")
    ahead(0)
    with pytest.raises(TooManyRequests) as refusal:
        limits.hit("web:ann")
    assert 50 < refusal.value.retry_after <= 60


@pytest.mark.usefixtures("patience")
def test_in_redis_nothing_is_left_of_what_no_limit_counts(redis_server):
    limits = RateLimits("2/3 seconds;3/hour", redis_server.url, "test")
    limits.hit("web:ann")
    time.sleep(3.05)
    limits.hit("web:ann")
    limits.hit("web:ann")
    assert sorted(redis_server.client.llen(key) for key in redis_server.client.scan_iter()) == [2, 3]
    time.sleep(3.05)
    assert [redis_server.client.llen(key) for key in redis_server.client.scan_iter()] == [3]


@pytest.mark.usefixtures("patience")
def test_without_redis_each_process_counts_at_once_and_nobody_fails(redis_server):
    limits = RateLimits("2/hour", redis_server.url, "test")
    limits.hit("web:ann")
    redis_server.stop()
    start = time.monotonic()
    limits.hit("web:ann")
    limits.hit("web:ann")
    assert time.monotonic() - start < 3  # nobody is there to be waited for
    with pytest.raises(TooManyRequests):
        limits.hit("web:ann")


def connections(server):
    """How many clients have connected since the last call."""
    server.setblocking(False)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_a_redis_that_never_answers_delays_one_request_only():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limits = RateLimits("9/hour", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        limits.hit("web:ann")
        asked = connections(silent)
        for _ in range(4):
            limits.hit("web:ann")
        assert asked > 0
        assert connections(silent) == 0
