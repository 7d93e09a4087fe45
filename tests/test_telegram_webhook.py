"""Tests of the Telegram bot behind a webhook: the secret token, several instances, and repeated updates."""

import asyncio
import shutil
from typing import Any

import pytest

from tests.support.redis_server import free_port

pytestmark = pytest.mark.anyio
SECRET = "a-secret_of-our-own"


def webhook_settings(**changes: Any) -> dict[str, Any]:
    """Settings of one instance, on its own port."""
    return {
        "telegram_webhook_url": "https://bot.example/hook",
        "telegram_webhook_secret": SECRET,
        "telegram_webhook_port": free_port(),
    } | changes


def target(telegram_world) -> str:
    return f"http://127.0.0.1:{telegram_world.settings.telegram_webhook_port}/hook"


@pytest.fixture
async def telegram_world(telegram, new_telegram_world):
    telegram_world = new_telegram_world(**webhook_settings())
    await telegram_world.start()
    telegram.webhook_target = target(telegram_world)
    return telegram_world


async def test_the_webhook_is_set_with_its_secret_token(telegram, telegram_world):
    (call,) = telegram.calls_of("setWebhook")
    assert call.params["url"] == "https://bot.example/hook"
    assert call.params["secret_token"] == SECRET
    assert "message_reaction" in call.params["allowed_updates"]
    assert telegram.calls_of("getUpdates", code=None) == []


async def test_a_photo_is_answered(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes())
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."


@pytest.mark.parametrize("secret", ["wrong", None])
async def test_an_update_without_the_secret_token_is_refused(telegram, telegram_world, ada, photo_bytes, secret):
    telegram.webhook_target = ""
    await telegram.send_photo(ada, photo_bytes())
    (update,) = telegram.pending
    assert await telegram.post_update(update, secret, target(telegram_world)) == 403
    assert telegram_world.hand.rows() == []


async def answer_to(telegram_world, request: bytes, body: bytes = b"", pieces: int = 1) -> bytes:
    """The response to bytes on a socket; the body is sent as often as it is taken, at most so many times."""
    reader, writer = await asyncio.open_connection("127.0.0.1", telegram_world.settings.telegram_webhook_port)
    writer.write(request.replace(b"\n", b"\r\n"))
    try:
        for _ in range(pieces):
            writer.write(body)
            await writer.drain()
        return await reader.read(1000)
    except ConnectionError:
        return b"closed"
    finally:
        writer.close()


POST = b"POST /hook HTTP/1.1\nHost: bot.example\n"
SIGNED = POST + b"X-Telegram-Bot-Api-Secret-Token: " + SECRET.encode() + b"\n"


async def test_a_body_without_the_secret_token_is_not_read(telegram_world):
    """The headers are enough: the answer comes though not one byte of the body was sent."""
    assert b" 403 " in await answer_to(telegram_world, POST + b"Content-Length: 60000000\n\n")


async def test_a_body_that_is_too_large_is_refused(telegram_world):
    answer = await answer_to(telegram_world, SIGNED + b"Content-Length: 60000000\n\n", bytes(100_000), 600)
    assert b" 413 " in answer or answer == b"closed"


async def test_a_request_whose_end_is_ambiguous_is_refused(telegram_world):
    both = b"Content-Length: 2\nTransfer-Encoding: chunked\n\n2\n{}\n0\n\n"
    assert b" 400 " in await answer_to(telegram_world, SIGNED + both)
    assert b" 403 " in await answer_to(telegram_world, POST + both)


async def test_what_is_no_update_is_refused(telegram_world):
    assert b" 400 " in await answer_to(telegram_world, SIGNED + b"Content-Length: 3\n\n[1]")
    assert b" 400 " in await answer_to(telegram_world, SIGNED + b"Content-Length: 3\n\n{{{")


async def test_other_paths_and_methods_have_nothing(telegram_world):
    assert b" 404 " in await answer_to(telegram_world, SIGNED.replace(b"/hook", b"/else") + b"\n")
    assert b" 405 " in await answer_to(telegram_world, SIGNED.replace(b"POST", b"GET") + b"\n")


async def test_a_webhook_answers_only_after_the_row_is_stored(telegram, telegram_world, ada, photo_bytes):
    slow = telegram.add_fault("download", seconds=600)
    await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram.calls_of("download"))
    assert telegram.webhook_codes == []
    slow.over.set()
    await telegram.all_confirmed()
    assert telegram.webhook_codes == [200]
    assert len(telegram_world.hand.rows()) == 1


async def test_an_update_that_cannot_be_stored_comes_again(telegram, telegram_world, ada, photo_bytes):
    store = telegram_world.settings.data_dir / "photos"
    shutil.rmtree(store, ignore_errors=True)
    store.write_text("in the way")
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram.webhook_codes)
    store.unlink()
    store.mkdir()
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."
    assert telegram.webhook_codes[0] == 500
    assert telegram.webhook_codes[-1] == 200


async def test_two_instances_that_get_the_same_update_answer_once(telegram, new_telegram_world, ada, photo_bytes):
    worlds = [new_telegram_world(**webhook_settings()) for _ in range(2)]
    for telegram_world in worlds:
        await telegram_world.start()
    photo = await telegram.send_photo(ada, photo_bytes())
    (update,) = telegram.pending
    codes = await asyncio.gather(
        *(telegram.post_update(update, SECRET, target(telegram_world)) for telegram_world in worlds)
    )
    assert codes == [200, 200]
    await telegram.bot_reply(photo)
    await asyncio.sleep(1.5)
    assert len(telegram.bot_replies(photo)) == 1


async def test_an_album_split_between_two_instances_gets_one_answer(telegram, new_telegram_world, ada, photo_bytes):
    worlds = [new_telegram_world(**webhook_settings()) for _ in range(2)]
    for telegram_world in worlds:
        await telegram_world.start()
    album = await telegram.send_album(
        ada, [photo_bytes(colour=colour) for colour in ("red", "green", "blue", "yellow")]
    )
    targets = [target(worlds[number % 2]) for number in range(4)]
    posts = (telegram.post_update(update, SECRET, to) for update, to in zip(telegram.pending, targets, strict=True))
    assert await asyncio.gather(*posts) == [200] * 4
    answer = await telegram.bot_reply(album[0])
    assert len(answer["text"].splitlines()) == 4
    await asyncio.sleep(1.5)
    assert len(telegram.bot_messages(ada)) == 1


async def test_starting_with_polling_deletes_the_webhook(
    telegram, telegram_world, new_telegram_world, ada, photo_bytes
):
    await telegram_world.stop()
    polling = new_telegram_world()
    await polling.start()
    assert telegram.webhook == {}
    photo = await telegram.send_photo(ada, photo_bytes())
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."
