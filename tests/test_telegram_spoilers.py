"""Tests of photos that are spoilers on Telegram: whatever repeats their caption hides it too."""

import pytest

pytestmark = pytest.mark.anyio


def hidden(message: dict) -> list[str]:
    """The parts of a message's text that are hidden. Telegram counts UTF-16 units."""
    units = message["text"].encode("utf-16-le")
    spoilers = [one for one in message.get("entities", []) if one["type"] == "spoiler"]
    return [units[2 * one["offset"] : 2 * (one["offset"] + one["length"])].decode("utf-16-le") for one in spoilers]


async def test_the_caption_of_a_spoiler_is_hidden(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes(), has_media_spoiler=True)
    assert hidden(await telegram.bot_reply(photo)) == ["Sentence 1."]


async def test_the_caption_of_a_photo_that_everybody_sees_is_not_hidden(telegram, telegram_world, ada, photo_bytes):
    answer = await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    assert "entities" not in answer


async def test_of_an_album_only_the_captions_of_spoilers_are_hidden(telegram, telegram_world, ada, photo_bytes):
    telegram_world.hand.idle = True
    album = [
        await telegram.send_photo(ada, photo_bytes(colour=colour), media_group_id="1", has_media_spoiler=spoiler)
        for colour, spoiler in (("red", False), ("green", True), ("blue", False))
    ]
    await telegram.wait_until(lambda: len(telegram_world.hand.waiting) == 3)
    telegram_world.hand.waiting.sort(key=lambda id: telegram_world.hand.rows()[id - 1].position)
    telegram_world.hand.work()
    assert hidden(await telegram.bot_reply(album[0])) == ["Sentence 2."]


async def test_why_a_spoiler_was_not_described_is_not_hidden(telegram, telegram_world, ada, photo_bytes):
    telegram_world.hand.fails = "Sorry, I couldn't describe this photo. Please try another one."
    photo = await telegram.send_photo(ada, photo_bytes(), has_media_spoiler=True)
    assert hidden(await telegram.bot_reply(photo)) == []


async def test_another_sentence_for_a_spoiler_is_hidden(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes(), has_media_spoiler=True)
    await telegram.press(ada, await telegram.bot_reply(photo), "🔁")
    _, again = await telegram.wait_until(lambda: telegram.bot_replies(photo)[1:] and telegram.bot_replies(photo))
    assert hidden(again) == ["Sentence 2."]


async def test_the_correction_of_a_spoiler_is_hidden(telegram, telegram_world, ada, photo_bytes):
    group = telegram.group(ada)
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption", has_media_spoiler=True)
    answer = await telegram.bot_reply(photo)
    await telegram.query_answer(await telegram.press(ada, answer, "✏️"))
    question = await telegram.bot_reply(answer)
    assert hidden(question) == ["Sentence 1."]
    correction = await telegram.send_text(ada, "The butler 🤵 did it", group, reply_to=question)
    assert hidden(await telegram.bot_reply(correction)) == ["The butler 🤵 did it"]


async def test_an_answer_to_a_spoiler_that_is_sent_again_is_hidden(telegram, telegram_world, ada, photo_bytes):
    group = telegram.group(ada)
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption", has_media_spoiler=True)
    telegram.delete(await telegram.bot_reply(photo))
    await telegram.wait_until(lambda: telegram_world.hand.rows()[0].message)
    message = await telegram.send_text(ada, "/caption", group, reply_to=photo)
    assert hidden(await telegram.bot_reply(message)) == ["Sentence 1."]
