"""Tests that messages are taken, given back and removed in Redis alike by our transport and by Kombu's own."""

import json
import time

import pytest
from kombu import Consumer
from kombu.asynchronous import Hub

from worker.job_queue import send_many


class Taker:
    """A consumer in an event loop, as a worker has it. It begins with as many messages as it may hold."""

    def __init__(self, queue, most):
        self.hub, self.messages = Hub(), []
        self.connection = queue.connection_for_read()
        self.connection.connect()
        self.connection.transport.register_with_event_loop(self.connection.connection, self.hub)
        captions = queue.amqp.queues["test.captions"]
        Consumer(
            self.connection.default_channel, [captions], on_message=self.messages.append, prefetch_count=most
        ).consume()
        self._loop = self.hub.create_loop()
        self.turn_until(lambda: len(self.messages) >= most)

    def turn_until(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            next(self._loop)

    def close(self):
        self.connection.close()
        self.hub.close()

    def rows(self):
        return [message.payload[0][0] for message in self.messages]


@pytest.fixture
def take(job_queue):
    """take(most): a taker, closed in the end."""
    takers = []

    def take_one(most):
        takers.append(Taker(job_queue, most))
        return takers[-1]

    yield take_one
    for taker in takers:
        taker.close()


def held(server) -> list[int]:
    """Rows that Redis gives to somebody else if this process dies."""
    texts = server.client.hvals("test:unacked")
    assert server.client.zcard("test:unacked_index") == len(texts)
    return sorted(json.loads(text)[0]["headers"]["argsrepr"].strip("(,)") for text in texts)


def commands(server) -> int:
    return server.client.info("stats")["total_commands_processed"]


def test_waiting_messages_are_taken_in_order_as_many_as_may_be_held(job_queue, take, redis_server, transport):
    send_many(job_queue, range(30))
    job_queue.outbox.close(10)
    before = commands(redis_server)
    taker = take(most=20)
    if transport == "auto":  # in batches; Kombu's own sends BRPOP, MULTI, ZADD, HSET and EXEC 20 times
        assert commands(redis_server) - before < 40  # those with which it connects included
    assert taker.rows() == list(range(20))
    assert redis_server.client.llen("test:test.captions") == 10
    assert held(redis_server) == sorted(map(str, range(20)))


def test_what_was_acknowledged_is_removed_and_more_is_taken(job_queue, take, redis_server):
    send_many(job_queue, range(30))
    job_queue.outbox.close(10)
    taker = take(most=20)
    for message in taker.messages[:12]:
        message.ack()
    taker.turn_until(lambda: len(taker.messages) == 30)
    assert taker.rows() == list(range(30))
    assert held(redis_server) == sorted(map(str, range(12, 30)))
    for message in taker.messages[12:]:
        message.ack()
    taker.turn_until(lambda: not held(redis_server))


def test_a_consumer_that_closes_gives_back_what_was_not_acknowledged_and_nothing_else(job_queue, take, redis_server):
    send_many(job_queue, range(8))
    job_queue.outbox.close(10)
    taker = take(most=6)
    for message in taker.messages[:4]:
        message.ack()
    taker.connection.close()
    assert held(redis_server) == []
    assert redis_server.client.llen("test:test.captions") == 4
    another = take(most=4)
    assert sorted(another.rows()) == [4, 5, 6, 7]
