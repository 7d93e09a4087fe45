"""Tests that polling confirms an update only after it has been processed, through errors, outages and restarts."""

import asyncio
import logging
import shutil

import pytest
from sqlalchemy.exc import OperationalError
from telegram import Update
from telegram.error import NetworkError

from bots.telegram.polling import _delay_after
from bots.telegram.update_queue import UpdateQueue

pytestmark = pytest.mark.anyio


async def test_an_update_is_confirmed_only_after_its_row_is_stored(telegram, telegram_world, ada, photo_bytes):
    slow = telegram.add_fault("download", seconds=600)
    await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram.calls_of("download"))
    await asyncio.sleep(0.5)
    assert len(telegram.pending) == 1
    assert telegram_world.hand.rows() == []
    slow.over.set()
    await telegram.all_confirmed()
    assert len(telegram_world.hand.rows()) == 1


async def test_a_slow_download_delays_nobody_else(telegram, telegram_world, ada, photo_bytes):
    slow = telegram.add_fault("download", seconds=600)
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram.calls_of("download"))
    bob = telegram.person("Bob")
    await telegram.bot_reply(await telegram.send_text(bob, "/help"))
    await telegram.bot_reply(await telegram.send_photo(bob, photo_bytes(colour="blue")))
    assert telegram.bot_replies(photo) == []
    assert len(telegram.pending) == 3
    slow.over.set()
    await telegram.bot_reply(photo)


async def test_an_update_in_progress_at_a_stop_comes_again_after_a_restart(telegram, telegram_world, ada, photo_bytes):
    telegram.add_fault("download", seconds=600)
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram.calls_of("download"))
    await telegram_world.stop()
    assert len(telegram.pending) == 1
    await telegram_world.start()
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."


async def test_processed_updates_are_confirmed_at_a_stop(telegram, telegram_world, ada):
    message = await telegram.send_text(ada, "/help")
    await telegram.bot_reply(message)
    await telegram_world.stop()
    assert telegram.pending == []


async def test_a_repeated_update_is_captioned_once(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.add_update("message", photo)
    await telegram.bot_reply(photo)
    await telegram.all_confirmed()
    assert len(telegram_world.hand.rows()) == 1
    assert len(telegram.bot_replies(photo)) == 1


@pytest.mark.parametrize("method", ["getFile", "download"])
async def test_a_failed_download_is_tried_again(telegram, telegram_world, ada, photo_bytes, method):
    telegram.add_fault(method, 502, times=2)
    photo = await telegram.send_photo(ada, photo_bytes())
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."


async def test_a_download_that_keeps_failing_is_given_up_with_a_sentence(
    telegram, telegram_world, ada, photo_bytes, caplog
):
    telegram.add_fault("getFile", 502, times=100)
    photo = await telegram.send_photo(ada, photo_bytes())
    assert "couldn't download that photo" in (await telegram.bot_reply(photo, seconds=180))["text"]
    await telegram.all_confirmed()
    assert "update 501: the photo could not be fetched: Bad Gateway" in caplog.text


async def test_photos_wait_while_the_photo_store_is_unavailable(telegram, telegram_world, ada, photo_bytes):
    store = telegram_world.settings.data_dir / "photos"
    shutil.rmtree(store, ignore_errors=True)
    store.write_text("in the way")
    photo = await telegram.send_photo(ada, photo_bytes())
    await asyncio.sleep(1)
    assert len(telegram.pending) == 1
    assert telegram.bot_messages(ada) == []
    store.unlink()
    store.mkdir()
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."


async def test_polling_continues_after_server_errors(telegram, telegram_world, ada):
    telegram.add_fault("getUpdates", 502, times=2)
    await telegram.send_text(ada, "one")
    message = await telegram.send_text(ada, "/help")
    assert "Send me one or more photos" in (await telegram.bot_reply(message))["text"]


async def test_polling_continues_after_an_update_that_the_library_cannot_parse(telegram, telegram_world, ada, caplog):
    await telegram.add_update("message", {"message_id": 1})
    await telegram.wait_until(lambda: "cannot read what Telegram sends" in caplog.text)
    telegram.pending.clear()
    message = await telegram.send_text(ada, "/help")
    assert "Send me one or more photos" in (await telegram.bot_reply(message))["text"]


@pytest.mark.parametrize("failures", [1, 5, 100_000])
async def test_the_delay_between_polls_is_bounded_however_long_an_outage_lasts(failures):
    assert 0 < _delay_after(NetworkError("no route"), failures) <= 30


async def test_updates_are_retried_however_long_the_database_is_unavailable():
    queue, update = UpdateQueue(), Update(1)
    assert all(
        queue.schedule_retry(update, OperationalError("SELECT 1", {}, Exception("no database"))) for _ in range(2000)
    )


async def test_a_second_polling_process_is_logged(telegram, telegram_world, ada, caplog):
    with caplog.at_level(logging.ERROR):
        await telegram.getUpdates({"timeout": 0})
        await telegram.wait_until(lambda: "another process polls" in caplog.text)
    message = await telegram.send_text(ada, "/help")
    await telegram.bot_reply(message)


async def test_button_presses_of_one_person_are_processed_in_order(telegram, telegram_world, ada, photo_bytes):
    answer = await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    id = telegram_world.hand.rows()[0].public_id
    queries = [await telegram.send_callback_query(ada, answer, f"{verb}:{id}") for verb in ("up", "down") * 5]
    for query in queries:
        await telegram.query_answer(query)
    assert telegram_world.hand.votes() == {1: -1}


async def test_hundreds_of_pending_updates_are_all_processed(telegram, telegram_world, ada):
    await telegram_world.stop()
    messages = [await telegram.send_text(ada, "/help") for _ in range(250)]
    await telegram_world.start()
    await telegram.wait_until(lambda: len(telegram.bot_messages(ada)) == len(messages), seconds=180)
    await telegram.all_confirmed()
    assert all(len(telegram.bot_replies(one)) == 1 for one in messages)


async def test_the_token_is_in_no_log(telegram, telegram_world, ada, photo_bytes, caplog):
    caplog.set_level(logging.DEBUG)
    telegram.add_fault("sendMessage", 502)
    telegram.add_fault("download", 502)
    await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    assert "getFile" in caplog.text
    assert telegram.token not in caplog.text
