"""Clients that keep the page waiting: many idle connections, headers and bodies that do not come, answers not read."""

import contextlib
import resource
import socket
import time

import httpx
import pytest

from bots.http import bodies, connections
from bots.http.connections import PER_ADDRESS
from tests.support.processes import until

pytestmark = pytest.mark.database("sqlite")

IDLE = 2000
ESTABLISHED = 1  # the first byte of TCP_INFO, as Linux has it
FORM = "POST /api/captions HTTP/1.1\r\nHost: page\r\nContent-Type: multipart/form-data; boundary=x\r\n"
JSON = "PUT /api/me/consent HTTP/1.1\r\nHost: page\r\nContent-Type: application/json\r\n"


@pytest.fixture
def connect(client):
    """connect("127.0.0.2"): a new connection to the page from this address."""
    with contextlib.ExitStack() as stack:

        def make(address="127.0.0.2"):
            port = client.base_url.port
            return stack.enter_context(socket.create_connection(("127.0.0.1", port), 90, source_address=(address, 0)))

        yield make


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4 * IDLE:
        pytest.skip(f"this test needs {4 * IDLE} open files, and {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4 * IDLE), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def seconds_until_answered(client, address):
    began = time.monotonic()
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address), base_url=client.base_url) as other:
        assert other.get("/").status_code == 200
    return time.monotonic() - began


def all_of(connection):
    """What the server sends until it closes the connection."""
    received = []
    with contextlib.suppress(ConnectionResetError):
        while some := connection.recv(65536):
            received.append(some)
    return b"".join(received)


def is_closed(connection):
    """Whether the server has closed it, as far as it is read."""
    connection.setblocking(False)
    try:
        return connection.recv(65536) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(90)


# 127.0.0.1 is trusted as a proxy, for which only the limit for all connections together applies.
@pytest.mark.parametrize("idle_address", ["127.0.0.2", "127.0.0.1"])
def test_the_page_answers_others_within_a_second_while_one_address_holds_2000_connections(
    many_files, client, connect, caplog, idle_address
):
    for number in range(IDLE):
        connect(idle_address).sendall(b"GET / HTTP/1.1\r\n" if number % 2 else b"")
    assert min(seconds_until_answered(client, "127.0.0.3") for _ in range(3)) < 1
    assert len(caplog.records) < 10


def test_an_address_has_so_many_connections_and_a_new_one_takes_the_place_of_the_idle_one_that_is_oldest(connect):
    idle = [connect() for _ in range(PER_ADDRESS)]
    new = connect()
    until(lambda: is_closed(idle[0]))
    new.sendall(b"GET /healthz HTTP/1.1\r\nHost: page\r\n\r\n")
    assert b"200 OK" in new.recv(65536)
    assert not any(is_closed(each) for each in idle[1:])


def test_an_address_whose_connections_are_all_at_work_gets_no_more(connect):
    busy = [connect() for _ in range(PER_ADDRESS)]
    for each in busy:
        each.sendall(f"{FORM}Expect: 100-continue\r\nContent-Length: 100\r\n\r\n".encode())
        assert each.recv(65536).startswith(b"HTTP/1.1 100 ")  # the body is waited for
    refused = connect()
    answer = all_of(refused)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: " in answer
    assert b'"reason":"busy"' in answer
    assert not is_closed(busy[0])


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: pa", b"GET /healthz HTTP/1.1\r\nHost: page\r\n\r\nGET"]
)
def test_headers_that_do_not_come_are_not_waited_for(connect, monkeypatch, sent):
    monkeypatch.setattr(connections, "HEADER_TIMEOUT", 0.5)
    silent = connect()
    silent.sendall(sent)
    until(lambda: is_closed(silent))


@pytest.mark.parametrize("headers", [FORM, JSON])
@pytest.mark.parametrize("length", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_answered_and_not_waited_for(connect, monkeypatch, headers, length):
    monkeypatch.setattr(bodies, "FIRST_BYTES", 0.3)
    silent = connect()
    silent.sendall(f"{headers}{length}\r\n\r\n".encode())
    answer = all_of(silent)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"reason":"request-timeout"' in answer


def test_a_slow_body_that_keeps_coming_is_waited_for(client, monkeypatch):
    monkeypatch.setattr(bodies, "FIRST_BYTES", 0.5)

    def slowly():
        for start in range(0, 4000, 1000):  # in 0.9 s, and 4.5 s are allowed
            yield (b'{"agreed": true' + b" " * 4000 + b"}")[start : start + 1000 if start < 3000 else None]
            time.sleep(0.3 * (start < 3000))

    answer = client.put("/api/me/consent", content=slowly(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 200


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="asks Linux for the state of a connection")
def test_an_answer_that_nobody_reads_is_not_kept(connect, client, monkeypatch):
    monkeypatch.setattr(connections, "SEND_TIMEOUT", 0.5)
    reader = connect()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with contextlib.suppress(OSError):  # ended meanwhile
        for _ in range(300):
            reader.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: page\r\n\r\n")
            time.sleep(0.01)

    until(lambda: reader.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED)


AMBIGUOUS = [
    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("rest", AMBIGUOUS)
def test_a_request_that_says_in_two_ways_where_it_ends_is_refused_and_nothing_behind_it_is_read(connect, rest):
    connection = connect()
    connection.sendall(f"{JSON}{rest}GET /healthz HTTP/1.1\r\nHost: page\r\n\r\n".encode())
    answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
