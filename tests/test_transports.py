"""Tests which transport carries the queue: ours with the libraries it was tested with, else Kombu's own."""

import logging

import pytest

from worker import transports
from worker.job_queue import create_app
from worker.transports import OURS, choose_transport, installed, untested


@pytest.mark.parametrize(("scheme", "ours"), [(scheme, path) for scheme, (path, _) in OURS.items()])
def test_ours_is_used_with_the_installed_libraries_unless_kombus_is_chosen(scheme, ours):
    assert choose_transport(scheme).path == ours
    assert choose_transport(scheme, "kombu").path is None


@pytest.mark.parametrize("scheme", ["amqp", "sentinel", "redis+socket", "sqs"])
def test_brokers_for_which_we_have_none_use_kombus(scheme):
    assert choose_transport(scheme).path is None


@pytest.mark.parametrize(
    ("kombu", "redis", "wrong"),
    [
        ("5.7.0", "8.1.0", []),
        ("5.7.12", "8.0.0rc1", []),
        ("5.6.2", "8.1.0", ["kombu"]),
        ("5.8.0", "8.1.0", ["kombu"]),
        ("5.70.0", "8.1.0", ["kombu"]),
        ("6.0.0b1", "9.0.0", ["kombu", "redis"]),
        ("5.7.0", "none", ["redis"]),
    ],
)
def test_ours_is_used_only_with_the_series_that_it_was_tested_with(kombu, redis, wrong):
    assert untested({"kombu": "5.7", "redis": "8"}, {"kombu": kombu, "redis": redis}) == wrong


def test_a_library_that_is_not_installed_is_none():
    assert installed("no-such-library-anywhere") == "none"


def test_the_log_says_once_why_kombus_is_used(monkeypatch, caplog):
    monkeypatch.setitem(OURS, "redis", (OURS["redis"][0], {"kombu": "4.9"}))
    transports._warn.cache_clear()
    with caplog.at_level(logging.WARNING, "worker.transports"):
        apps = [create_app("redis://127.0.0.1:1/0", "test") for _ in range(3)]
    assert {app.transport for app in apps} == {"Kombu's own transport for redis://"}
    [record] = caplog.records
    assert "redis:// was tested with kombu 4.9, here is kombu 5." in record.getMessage()
