"""Tests that every form of a Redis URL reaches a real server, from the queue, the notifications and the rate limits."""

import shutil
import subprocess

import pytest

from bots.errors import TooManyRequests
from bots.service import rate_limits
from bots.service.rate_limits import RateLimits
from settings import Settings
from tests.support.processes import until
from tests.support.redis_server import RedisServer, Sentinel, free_port
from tests.support.worker_parts import all_done, queue_photos
from worker.job_queue import create_app, create_notifier, send_many
from worker.redis_url import connect, for_kombu
from worker.worker import Worker

FORMS = ["redis", "rediss", "unix", "redis+socket", "sentinel"]


def make_certificate(folder):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed here")
    certificate, key = folder / "redis.crt", folder / "redis.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=redis"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def server(request, tmp_path):
    """A Redis that can be reached in all forms but Sentinel's. Yields it with the URL of the form asked for."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed here")
    socket, port = tmp_path / "redis.sock", free_port()
    options, sentinel, url = [], None, None
    match request.param:
        case "rediss":
            certificate, key = make_certificate(tmp_path)
            options = ["--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
            options += ["--tls-auth-clients", "no"]
            url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}"
        case "unix" | "redis+socket":
            options = ["--unixsocket", str(socket)]
            url = f"{request.param}://{socket}"
    server = RedisServer(tmp_path, *options)
    if request.param == "sentinel":
        sentinel = Sentinel(tmp_path, server)
        url = sentinel.url
    yield server, url or server.url
    if sentinel:
        sentinel.stop()
    server.client.close()
    server.stop()


@pytest.mark.parametrize("server", FORMS, indirect=True)
@pytest.mark.database("sqlite")
def test_a_worker_is_sent_captions_and_notifies_front_ends(server, transport, sessions, store, tiny_model):
    _, given = server
    url = Settings(_env_file=None, redis_url=given, secret_key="long enough for a test").broker_url
    apps = [create_app(url, "test", transport) for _ in range(2)]
    queue, notifier, woken = apps[0], create_notifier(url, "test"), []
    notifier.subscribe("web", woken.append)
    worker = Worker(apps[1], sessions, store, notifier, model_dir=tiny_model, max_batch=4)
    worker.start()
    until(lambda: notifier._listener.is_alive())
    rows = queue_photos(sessions, store, 9)
    send_many(queue, rows)
    until(lambda: all_done(sessions))
    until(lambda: sorted(woken) == rows)
    assert worker.stop()
    notifier.close()
    for app in apps:
        app.outbox.close()
        app.close()


@pytest.mark.parametrize("server", FORMS, indirect=True)
def test_rates_are_counted_in_redis(server, monkeypatch):
    monkeypatch.setattr(rate_limits, "REDIS_TIMEOUT", 5.0)  # on a busy machine
    redis, url = server
    limits = RateLimits("1/hour", url, "test")
    limits.hit("web:ann")
    with pytest.raises(TooManyRequests):
        RateLimits("1/hour", url, "test").hit("web:ann")
    assert redis.client.keys("test:rates*")


@pytest.mark.parametrize("server", ["rediss"], indirect=True)
def test_a_certificate_that_nobody_vouches_for_is_refused_unless_the_url_says_otherwise(server):
    _, url = server
    bare, _, _ = url.partition("?")
    for client in connect, lambda url: create_app(url, "test").connection_for_read(connect_timeout=30):
        with pytest.raises(Exception, match="certificate verify failed"):
            reach(client(bare))
        reach(client(f"{bare}?ssl_cert_reqs=none"))


def reach(client):
    """A command over a client of redis-py, or a connection of Kombu's."""
    try:
        (client.ping if hasattr(client, "ping") else lambda: client.connect().client)()
    finally:
        client.close()


@pytest.mark.parametrize(
    ("url", "kombu"),
    [
        ("redis://redis:6379/2", "redis://redis:6379/2"),
        ("redis://redis?db=2", "redis://redis/2"),
        ("redis://me:a%2Fb@redis/0", "redis://me:a%2Fb@redis/0"),
        ("redis://:a/b@redis/0", "redis://:a%2Fb@redis/0"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix://:secret@/run/redis.sock?db=3", "redis+socket://:secret@/run/redis.sock?virtual_host=3"),
        ("redis+socket:///run/redis.sock?virtual_host=3", "redis+socket:///run/redis.sock?virtual_host=3"),
        ("sentinel://:pass@one,two:5000/captions?db=1", "sentinel://:pass@one/1;sentinel://:pass@two:5000/1"),
    ],
)
def test_kombu_gets_its_own_spelling(url, kombu):
    assert for_kombu(url).url == kombu


def test_redis_py_gets_what_the_url_says():
    tcp = connect("redis://me:a%2Fb@redis:6380/2").connection_pool.connection_kwargs
    assert [tcp[name] for name in ("host", "port", "db", "username", "password")] == ["redis", 6380, 2, "me", "a/b"]
    socket = connect("redis+socket://:secret@/run/redis.sock?virtual_host=3").connection_pool.connection_kwargs
    assert [socket[name] for name in ("path", "db", "password")] == ["/run/redis.sock", 3, "secret"]
    secure = connect("rediss://redis/0?ssl_cert_reqs=CERT_NONE").connection_pool.connection_kwargs
    assert secure["ssl_cert_reqs"] == "none"
    pool = connect("sentinel://:pass@one,two:5000/captions?db=1").connection_pool
    assert (pool.service_name, pool.connection_kwargs["password"], pool.connection_kwargs["db"]) == (
        "captions",
        "pass",
        1,
    )
