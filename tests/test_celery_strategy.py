"""How Celery hands messages to the batcher and acknowledges them."""

import threading

import pytest
from celery.exceptions import InvalidTaskError

from worker.celery_strategy import PipelineStrategy
from worker.job_queue import create_app, send


class Consumer:
    connection_errors = (ConnectionError,)


def take(handle):
    return PipelineStrategy(handle)(task=None, app=None, consumer=Consumer())


def received(row) -> object:
    """A message as it comes from a queue."""
    app = create_app(None, f"hand_over_{threading.get_ident()}")
    with app.connection_for_read() as connection, connection.channel() as channel:
        queue = app.amqp.queues[app.conf.task_default_queue](channel)
        queue.declare()
        send(app, row)
        app.outbox.close(10)
        return queue.get(no_ack=True)


def test_a_message_is_handed_over_with_what_acknowledges_it_later():
    handed, acked = [], []
    take(lambda *given: handed.append(given))(received(7), None, lambda *given: acked.append(given), None, [])
    [(row, done)] = handed
    assert (row, acked) == (7, [])
    done()
    assert [errors for _, errors in acked] == [(ConnectionError,)]


def test_a_message_of_the_first_protocol_is_understood():
    handed = []
    take(lambda row, done: handed.append(row))(None, {"args": [8]}, print, None, [])
    assert handed == [8]


@pytest.mark.parametrize("args", [[], [1, 2], ["seven"], [None]])
def test_a_message_without_a_row_is_refused_and_does_not_stop_the_worker(args):
    with pytest.raises(InvalidTaskError, match="instead of the id of a row"):
        take(None)(None, {"args": args}, None, None, [])
