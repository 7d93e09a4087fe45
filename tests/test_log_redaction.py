"""What is secret is in no log, however it gets there."""

import io
import logging

import pytest

from bots.log_redaction import hide_secret

SECRET = "123456:a-very-secret-token"


@pytest.fixture
def written():
    """What a handler writes, made before the secret was hidden."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log = logging.getLogger("test-secrets")
    log.addHandler(handler)
    hide_secret(SECRET)
    yield lambda: stream.getvalue()
    log.removeHandler(handler)


@pytest.mark.parametrize(
    ("message", "values"),
    [
        (f"calls https://api/bot{SECRET}/getMe", ()),
        ("calls %s", (f"https://api/bot{SECRET}/getMe",)),
        ("%(url)s", ({"url": f"https://api/bot{SECRET}/getMe"},)),
        ("%s", (ValueError(f"no host in https://api/bot{SECRET}/getMe"),)),
    ],
)
def test_messages_and_their_values_show_stars(written, message, values):
    logging.getLogger("test-secrets").error(message, *values)
    assert SECRET not in written()
    assert "https://api/bot**********/getMe" in written()


def test_a_secret_that_is_part_of_another_uncovers_nothing(written):
    hide_secret("very-secret")
    logging.getLogger("test-secrets").error("calls %s", SECRET)
    assert written() == "calls **********\n"


def test_tracebacks_show_stars_and_stay_tracebacks(written):
    try:
        raise ConnectionError(f"https://api/bot{SECRET}/getMe")
    except ConnectionError:
        logging.getLogger("test-secrets").exception("it failed")
    assert SECRET not in written()
    assert "ConnectionError: https://api/bot**********/getMe" in written()
    assert "Traceback" in written()


def test_the_causes_of_an_exception_show_stars(written):
    try:
        try:
            raise ConnectionError(SECRET)
        except ConnectionError as cause:
            raise RuntimeError("no network") from cause
    except RuntimeError:
        logging.getLogger("test-secrets").exception("it failed")
    assert SECRET not in written()


def test_other_records_stay_as_they_are(written, caplog):
    logging.getLogger("test-secrets").error("caption %d", 7)
    assert caplog.records[-1].args == (7,)
