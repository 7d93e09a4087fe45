"""Variables that libraries read: each is judged as the library does, and only where something would read it."""

import asyncio
import ssl

import aiohttp
import httpx
import pytest
from fastapi import FastAPI

from bots.proxies import proxy_of
from roles.web_server import listen, serve
from settings import Settings, WrongSetting
from settings.environment import check_environment
from worker.job_queue import create_app

TELEGRAM = {"telegram_token": "1234:abcdef"}
DISCORD = {"discord_token": "a.b.c"}
READ = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in READ:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def complaint(**settings) -> str:
    """What is said of the environment; nothing if all is right."""
    try:
        check_environment(Settings(_env_file=None, **settings))
    except WrongSetting as error:
        return str(error)
    return ""


WRONG_FOR_HTTPX = [
    *[
        ("HTTPS_PROXY", value)
        for value in ("host:port", "http://host:port", "ftp://host", "://host", "socks4://host:1")
    ],
    ("http_proxy", "http://me:hunter2@host:port"),
    ("ALL_PROXY", "gopher://host"),
    *[
        ("NO_PROXY", value)
        for value in ("localhost,fd07::/64", "[::1]", "host:port", "http://host:port", "bücher.example")
    ],
    ("SSL_CERT_FILE", "/nowhere/certificates.pem"),
    ("SSL_CERT_FILE", "/etc/hostname"),
    ("SSL_CERT_FILE", "/etc"),
    ("SSLKEYLOGFILE", "/nowhere/keys"),
    ("SSLKEYLOGFILE", "/etc"),
]


@pytest.mark.parametrize(("name", "value"), WRONG_FOR_HTTPX)
def test_what_telegrams_library_would_fail_on_is_a_sentence(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises((ValueError, OSError, httpx.InvalidURL)):
        httpx.AsyncClient()
    said = complaint(**TELEGRAM)
    assert said.startswith(f"{name} is ")
    assert "it should be " in said
    assert "hunter2" not in said
    assert complaint() == ""  # no bot runs, so nothing reads it


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "http://me:hunter2@proxy.example:3128"),
        ("HTTPS_PROXY", "proxy.example:3128"),
        ("NO_PROXY", "localhost, .example.org,*.example.com,10.0.0.0/8,10.0.0.1,fd07::1,host:80,http://host"),
        ("NO_PROXY", "fd07::/64,*"),
        ("SSL_CERT_FILE", ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"),
    ],
)
def test_what_telegrams_library_takes_is_right(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    httpx.AsyncClient()
    assert complaint(**TELEGRAM) == ""


@pytest.mark.anyio
async def test_what_discords_library_would_fail_on_is_a_sentence(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://host:port")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="port"):
            await session.get("http://cdn.example/", proxy=proxy_of("http://cdn.example/"))
    assert complaint(**DISCORD).startswith("HTTP_PROXY is ")
    monkeypatch.setenv("HTTP_PROXY", "proxy.example:3128")
    assert complaint(**DISCORD) == ""


@pytest.mark.parametrize("name", ["CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"])
def test_a_broker_that_celery_would_prefer_to_ours_is_a_sentence(monkeypatch, name):
    monkeypatch.setenv(name, "redis://:hunter2@elsewhere/0")
    said = complaint()
    assert said.startswith(f"{name} is 'redis://***@elsewhere/0'; it should be not set, because")


def test_the_queue_does_not_ask_the_environment_for_celerys_loader(monkeypatch):
    monkeypatch.setenv("CELERY_LOADER", "nowhere")
    assert create_app(None).connection_for_read().transport_cls


@pytest.mark.anyio
async def test_the_page_is_served_whatever_number_of_processes_the_environment_asks_for(monkeypatch):
    monkeypatch.setenv("WEB_CONCURRENCY", "many")
    listening = listen("127.0.0.1", 0)
    serving = asyncio.create_task(serve(FastAPI(), listening))
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{listening.getsockname()[1]}/")).status_code == 404
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


def test_the_folder_of_prometheus_must_exist(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert complaint() == ""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "nowhere"))
    assert complaint().startswith("PROMETHEUS_MULTIPROC_DIR is ")
