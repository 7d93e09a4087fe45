"""Updates are confirmed only when they have been dealt with, whatever happens meanwhile."""

import asyncio
import logging
import shutil

import pytest
from telegram import Update
from telegram.error import NetworkError

from bots.telegram_intake import Intake
from bots.telegram_polling import _pause

pytest_plugins = ["telegram_world"]
pytestmark = pytest.mark.anyio


@pytest.fixture
def ada(telegram):
    return telegram.person("Ada")


async def test_an_update_is_confirmed_when_its_row_is_written_not_before(telegram, world, ada, photo_bytes):
    slow = telegram.fault("download", seconds=600)
    await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: telegram.called("download"))
    await asyncio.sleep(0.5)
    assert len(telegram.pending) == 1
    assert world.hand.rows() == []
    slow.over.set()
    await telegram.settled()
    assert len(world.hand.rows()) == 1


async def test_others_are_answered_while_a_photo_takes_long(telegram, world, ada, photo_bytes):
    slow = telegram.fault("download", seconds=600)
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: telegram.called("download"))
    bob = telegram.person("Bob")
    await telegram.answer_to(await telegram.say(bob, "/help"))
    await telegram.answer_to(await telegram.photo(bob, photo_bytes(colour="blue")))
    assert telegram.answers_to(photo) == []
    assert len(telegram.pending) == 3
    slow.over.set()
    await telegram.answer_to(photo)


async def test_what_is_still_open_when_the_bot_stops_comes_again(telegram, world, ada, photo_bytes):
    telegram.fault("download", seconds=600)
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: telegram.called("download"))
    await world.stop()
    assert len(telegram.pending) == 1
    await world.start()
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."


async def test_what_was_dealt_with_does_not_come_again_after_a_stop(telegram, world, ada):
    said = await telegram.say(ada, "/help")
    await telegram.answer_to(said)
    await world.stop()
    assert telegram.pending == []


async def test_the_same_photo_seen_twice_is_captioned_once(telegram, world, ada, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.update("message", photo)
    await telegram.answer_to(photo)
    await telegram.settled()
    assert len(world.hand.rows()) == 1
    assert len(telegram.answers_to(photo)) == 1


@pytest.mark.parametrize("method", ["getFile", "download"])
async def test_a_photo_that_cannot_be_loaded_at_first_is_tried_again(telegram, world, ada, photo_bytes, method):
    telegram.fault(method, 502, times=2)
    photo = await telegram.photo(ada, photo_bytes())
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."


async def test_a_photo_that_can_never_be_loaded_is_given_up_kindly(telegram, world, ada, photo_bytes, caplog):
    telegram.fault("getFile", 502, times=100)
    photo = await telegram.photo(ada, photo_bytes())
    assert "went wrong on my side" in (await telegram.answer_to(photo, seconds=180))["text"]
    await telegram.settled()
    assert "update 501 failed" in caplog.text


async def test_photos_wait_while_the_store_is_away(telegram, world, ada, photo_bytes):
    store = world.settings.data_dir / "photos"
    shutil.rmtree(store, ignore_errors=True)
    store.write_text("in the way")
    photo = await telegram.photo(ada, photo_bytes())
    await asyncio.sleep(1)
    assert len(telegram.pending) == 1
    assert telegram.sent_to(ada) == []
    store.unlink()
    store.mkdir()
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."


async def test_polling_goes_on_after_errors(telegram, world, ada):
    telegram.fault("getUpdates", 502, times=2)
    await telegram.say(ada, "one")
    said = await telegram.say(ada, "/help")
    assert "Send me a photo" in (await telegram.answer_to(said))["text"]


async def test_polling_goes_on_after_something_that_the_library_cannot_read(telegram, world, ada, caplog):
    await telegram.update("message", {"message_id": 1})
    await telegram.until(lambda: "cannot read what Telegram sends" in caplog.text)
    telegram.pending.clear()
    said = await telegram.say(ada, "/help")
    assert "Send me a photo" in (await telegram.answer_to(said))["text"]


@pytest.mark.parametrize("failures", [1, 5, 100_000])
async def test_however_long_an_outage_lasts_it_is_waited_for(failures):
    assert 0 < _pause(NetworkError("no route"), failures) <= 30


async def test_however_long_our_own_outage_lasts_updates_come_again():
    intake, update = Intake(), Update(1)
    assert all(intake.comes_again(update, OSError("no store")) for _ in range(2000))


async def test_another_process_that_polls_is_reported(telegram, world, ada, caplog):
    with caplog.at_level(logging.ERROR):
        await telegram.getUpdates({"timeout": 0})
        await telegram.until(lambda: "another process polls" in caplog.text)
    said = await telegram.say(ada, "/help")
    await telegram.answer_to(said)


async def test_what_one_person_taps_is_done_in_its_order(telegram, world, ada, photo_bytes):
    answer = await telegram.answer_to(await telegram.photo(ada, photo_bytes()))
    id = world.hand.rows()[0].public_id
    queries = [await telegram.callback(ada, answer, f"{verb}:{id}") for verb in ("up", "down") * 5]
    for query in queries:
        await telegram.answered(query)
    assert world.hand.votes() == {1: -1}


async def test_hundreds_of_open_updates_are_all_dealt_with(telegram, world, ada):
    await world.stop()
    said = [await telegram.say(ada, "/help") for _ in range(250)]
    await world.start()
    await telegram.until(lambda: len(telegram.sent_to(ada)) == len(said), seconds=180)
    await telegram.settled()
    assert all(len(telegram.answers_to(one)) == 1 for one in said)


async def test_the_token_is_in_no_log(telegram, world, ada, photo_bytes, caplog):
    caplog.set_level(logging.DEBUG)
    telegram.fault("sendMessage", 502)
    telegram.fault("download", 502)
    await telegram.answer_to(await telegram.photo(ada, photo_bytes()))
    assert "getFile" in caplog.text
    assert telegram.token not in caplog.text
