"""The job queue: messages over Redis and in memory, and sending while the broker is away."""

import base64
import json
import subprocess
import sys
import threading
import time

from tests.support.processes import until
from tests.support.redis_server import free_port
from worker.job_queue import TASK, create_app, send, send_many

AT_ONCE = 3.0  # seconds for many messages, each of which would wait about so long for a broker that is away


def waiting(server, prefix="test") -> list[int]:
    """Row ids in the queue in Redis, oldest first."""
    messages = server.client.lrange(f"{prefix}:{prefix}.captions", 0, -1)
    return [message_row(json.loads(message)) for message in reversed(messages)]


def message_row(message) -> int:
    (row,), _, _ = json.loads(base64.b64decode(message["body"]))
    return row


def test_front_ends_load_no_network_with_the_queue():
    heavy = "{'torch', 'openvino', 'numpy', 'model', 'sqlalchemy'}"
    code = f"import sys, worker.job_queue; worker.job_queue.create_app(None); print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_message_is_the_id_of_a_row(job_queue, redis_server):
    send(job_queue, 7)
    send_many(job_queue, [8, 9])
    until(lambda: waiting(redis_server) == [7, 8, 9])
    message = json.loads(redis_server.client.lindex("test:test.captions", 0))
    assert (message["content-type"], message["headers"]["task"]) == ("application/json", TASK)


def test_sending_still_works_after_redis_was_wiped(job_queue, redis_server):
    send(job_queue, 1)
    until(lambda: waiting(redis_server) == [1])
    redis_server.wipe()
    send(job_queue, 2)
    until(lambda: waiting(redis_server) == [2])


def test_sending_does_not_wait_for_a_broker_that_is_away_and_is_made_up_for(job_queue, redis_server):
    send(job_queue, 1)
    until(lambda: waiting(redis_server) == [1])
    redis_server.stop()
    begin = time.monotonic()
    for row in range(2, 22):
        send_many(job_queue, [row, row + 100])
    assert time.monotonic() - begin < AT_ONCE
    redis_server.start()
    until(lambda: set(waiting(redis_server)) == {*range(2, 22), *range(102, 122)})


def test_sending_raises_nothing_when_there_is_no_broker_at_all(transport):
    app = create_app(f"redis://127.0.0.1:{free_port()}/0", "test", transport)
    begin = time.monotonic()
    for row in range(100):
        send(app, row)
    assert time.monotonic() - begin < AT_ONCE
    app.outbox.close(0.1)


def test_two_prefixes_share_a_broker_and_no_message(redis_server, transport):
    apps = [create_app(redis_server.url, prefix, transport) for prefix in ("one", "two")]
    for row, app in enumerate(apps):
        send(app, row)
        app.outbox.close(10)
    assert (waiting(redis_server, "one"), waiting(redis_server, "two")) == ([0], [1])


def test_the_broker_in_memory_hands_messages_over_within_the_process(transport):
    app = create_app(None, "test_memory", transport)
    with app.connection_for_read() as connection, connection.channel() as channel:
        queue = app.amqp.queues["test_memory.captions"](channel)
        queue.declare()
        send(app, 5)
        app.outbox.close(10)
        assert queue.get(no_ack=True).decode()[0] == [5]


def test_a_reader_of_the_broker_in_memory_gets_what_comes_while_it_waits():
    app = create_app(None, "test_waiting")
    with app.connection_for_read() as connection, connection.channel() as channel:
        queue = app.amqp.queues["test_waiting.captions"](channel)
        queue.declare()
        later = threading.Timer(0.05, send, (app, 7))
        later.start()
        message = queue.get(no_ack=True)  # one look, which would find nothing if it did not wait
        later.join()
        app.outbox.close(10)
    assert message is not None
    assert message.decode()[0] == [7]
