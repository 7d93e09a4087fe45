"""Albums and edited photos on Telegram."""

import asyncio

import pytest

from tests.support.telegram_world import button_labels

pytestmark = pytest.mark.anyio


async def test_an_album_gets_one_numbered_answer(telegram, telegram_world, ada, photo_bytes):
    photos = [photo_bytes(colour=colour) for colour in ("red", "green", "blue")]
    album = await telegram.send_album(ada, photos)
    answer = await telegram.bot_reply(album[0])
    assert [line.partition(". Sentence")[0] for line in answer["text"].splitlines()] == ["1", "2", "3"]
    assert button_labels(answer) == [["1", "2", "3"]]
    await asyncio.sleep(1.5)
    assert len(telegram.bot_messages(ada)) == 1


async def test_an_album_waits_for_its_slowest_photo(telegram, telegram_world, ada, photo_bytes):
    slow = telegram.add_fault("download", seconds=600)
    await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "green")])
    await telegram.wait_until(lambda: len(telegram_world.hand.rows()) == 1)
    await asyncio.sleep(3)  # longer than photos that come in one after the other are waited for
    assert telegram.bot_messages(ada) == []
    slow.over.set()
    answer = await telegram.wait_until(lambda: telegram.bot_messages(ada) and telegram.bot_messages(ada)[0])
    assert button_labels(answer) == [["1", "2"]]


async def test_a_failed_photo_of_an_album_has_its_error_in_its_line(telegram, telegram_world, ada, photo_bytes):
    telegram_world.hand.idle = True
    album = await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "green")])
    await telegram.wait_until(lambda: len(telegram_world.hand.waiting) == 2)
    good, bad = telegram_world.hand.waiting
    telegram_world.hand.waiting = [good]
    telegram_world.hand.work()
    telegram_world.hand.fails = "It did not work."
    telegram_world.hand.enqueue(bad)
    answer = await telegram.bot_reply(album[0])
    assert sorted(line[3:] for line in answer["text"].splitlines()) == ["It did not work.", "Sentence 1."]


async def test_a_number_under_an_album_shows_the_buttons_of_that_photo(telegram, telegram_world, ada, photo_bytes):
    album = await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "green")])
    answer = await telegram.bot_reply(album[0])
    await telegram.query_answer(await telegram.press(ada, answer, "2"))
    await telegram.wait_until(
        lambda: button_labels(answer) == [["👍 Good", "👎 Bad"], ["🔁 Another", "✏️ Edit", "🗑 Delete"], ["◀️ All photos"]]
    )
    await telegram.query_answer(await telegram.press(ada, answer, "👍"))
    await telegram.wait_until(lambda: button_labels(answer)[0][0] == "👍 Good 1")
    second = next(row for row in telegram_world.hand.rows() if row.position == album[1]["message_id"])
    assert telegram_world.hand.votes() == {second.id: 1}
    await telegram.press(ada, answer, "◀️")
    await telegram.wait_until(lambda: button_labels(answer) == [["1", "2 👍"]])


# Edited photos


async def test_a_replaced_photo_gets_a_new_caption(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.bot_reply(photo)
    await telegram.edit(ada, photo, photo=photo_bytes(colour="blue"))
    await telegram.wait_until(lambda: len(telegram.bot_replies(photo)) == 2)
    assert [answer["text"] for answer in telegram.bot_replies(photo)] == ["Sentence 1.", "Sentence 2."]


async def test_editing_the_text_under_a_photo_requests_no_caption(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.bot_reply(photo)
    await telegram.edit(ada, photo, caption="my dog")
    await telegram.all_confirmed()
    assert len(telegram_world.hand.rows()) == 1
