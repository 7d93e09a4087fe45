"""Errors of the Bot API that pass, and those that do not."""

import pytest
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, TelegramError, TimedOut

from bots.telegram import update_queue
from bots.telegram.failures import seconds_until_retry

pytestmark = pytest.mark.anyio
UNAVAILABLE = "Bad Request: wrong file_id or the file is temporarily unavailable"


@pytest.mark.parametrize(
    ("method", "code", "why"),
    [
        ("getFile", 400, UNAVAILABLE),
        ("getFile", 400, "Bad Request: RPC_CALL_FAIL"),
        ("getFile", 500, "Internal Server Error: restart"),
        ("download", 404, "Not Found"),
        ("sendMessage", 400, "Bad Request: server is restarting, try again later"),
        ("sendMessage", 403, "Forbidden: the method is temporarily unavailable"),
    ],
)
async def test_an_error_that_passes_is_waited_for(telegram, telegram_world, ada, photo_bytes, method, code, why):
    telegram.add_fault(method, code, why=why, times=1 if method == "sendMessage" else 2)
    photo = await telegram.send_photo(ada, photo_bytes())
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."


async def test_a_photo_that_telegram_cannot_give_is_asked_for_once_more(
    telegram, telegram_world, ada, photo_bytes, monkeypatch
):
    monkeypatch.setattr(update_queue, "FIRST_DELAY", 0.01)
    telegram.add_fault("getFile", 400, why=UNAVAILABLE, times=100)
    photo = await telegram.send_photo(ada, photo_bytes())
    assert "couldn't download that photo" in (await telegram.bot_reply(photo))["text"]
    assert len(telegram.calls_of("getFile", code=400)) == update_queue.MAX_ATTEMPTS


async def test_an_error_that_stays_is_not_waited_for(telegram, telegram_world, ada, photo_bytes):
    telegram.add_fault("getFile", 400, why="Bad Request: invalid file_id")
    photo = await telegram.send_photo(ada, photo_bytes())
    assert "couldn't download that photo" in (await telegram.bot_reply(photo))["text"]
    assert len(telegram.calls_of("getFile", code=None)) == 1


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (TimedOut(), True),
        (NetworkError("Bad Gateway"), True),
        (NetworkError("Request Entity Too Large"), False),
        (TelegramError("Invalid server response"), True),
        (InvalidToken("Unauthorized"), True),
        (BadRequest("Query is too old and response timeout expired or query id is invalid"), False),
        (BadRequest("Chat not found"), False),
        (Forbidden("Forbidden: bot was blocked by the user"), False),
        (ValueError("try again"), False),
    ],
)
def test_whether_an_error_passes_is_judged_by_what_it_says(error, passes):
    assert (seconds_until_retry(error) is not None) == passes
