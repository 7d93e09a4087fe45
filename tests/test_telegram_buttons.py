"""Tests of the buttons under answers on Telegram: another sentence, corrections, remove."""

import pytest

from db.photo_store import PhotoStore
from tests.support.telegram_world import key_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def photo(telegram, telegram_world, ada, photo_bytes):
    return await telegram.send_photo(ada, photo_bytes())


@pytest.fixture
async def answer(telegram, photo):
    return await telegram.bot_reply(photo)


@pytest.fixture
async def album(telegram, telegram_world, ada, photo_bytes):
    """The answer to an album of two."""
    photos = await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "blue")])
    return await telegram.bot_reply(photos[0])


async def test_another_sentence_is_sent_as_a_new_message(telegram, telegram_world, ada, photo, answer):
    await telegram.query_answer(await telegram.press(ada, answer, "🔁"))
    await telegram.wait_until(lambda: len(telegram.bot_replies(photo)) == 2)
    assert [one["text"] for one in telegram.bot_replies(photo)] == ["Sentence 1.", "Sentence 2."]
    first, second = telegram_world.hand.rows()
    assert (second.parent_id, second.rank) == (first.id, 1)


async def test_each_sentence_has_its_own_votes(telegram, telegram_world, ada, photo, answer):
    await telegram.query_answer(await telegram.press(ada, answer, "🔁"))
    await telegram.wait_until(lambda: len(telegram.bot_replies(photo)) == 2)
    await telegram.query_answer(await telegram.press(ada, answer, "👎"))
    await telegram.query_answer(await telegram.press(ada, telegram.bot_replies(photo)[1], "👍"))
    assert telegram_world.hand.votes() == {1: -1, 2: 1}


async def test_a_repeated_update_requests_another_sentence_once(telegram, telegram_world, ada, photo, answer):
    query = await telegram.press(ada, answer, "🔁")
    await telegram.query_answer(query)
    await telegram.add_update("callback_query", query.payload)
    await telegram.all_confirmed()
    assert len(telegram_world.hand.rows()) == 2


async def test_the_remove_button_removes_the_answer_and_the_photo(telegram, telegram_world, ada, photo, answer):
    assert "Deleted" in await telegram.query_answer(await telegram.press(ada, answer, "🗑"))
    await telegram.wait_until(lambda: telegram.bot_messages(ada) == [])
    assert telegram_world.hand.rows() == []
    assert not [*PhotoStore(str(telegram_world.settings.data_dir / "photos")).names()]


async def test_the_remove_button_works_when_its_query_cannot_be_answered_at_first(
    telegram, telegram_world, ada, photo, answer
):
    telegram.add_fault("answerCallbackQuery", 502)
    await telegram.query_answer(await telegram.press(ada, answer, "🗑"))
    await telegram.wait_until(lambda: telegram.bot_messages(ada) == [])
    assert telegram_world.hand.rows() == []


async def test_the_remove_button_removes_all_sentences_of_the_photo(telegram, telegram_world, ada, photo, answer):
    await telegram.query_answer(await telegram.press(ada, answer, "🔁"))
    await telegram.wait_until(lambda: len(telegram.bot_replies(photo)) == 2)
    await telegram.press(ada, telegram.bot_replies(photo)[1], "🗑")
    await telegram.wait_until(lambda: telegram.bot_messages(ada) == [])


async def test_removing_one_photo_leaves_the_rest_of_an_album(telegram, telegram_world, ada, album):
    await telegram.query_answer(await telegram.press(ada, album, "1"))
    await telegram.wait_until(lambda: len(album["reply_markup"]["inline_keyboard"]) == 3)
    left = album["text"].splitlines()[1].removeprefix("2. ")
    await telegram.query_answer(await telegram.press(ada, album, "🗑"))
    await telegram.wait_until(lambda: album["text"] == left)


async def test_only_the_sender_can_remove_a_photo_in_a_group(telegram, telegram_world, ada, bob, photo_bytes):
    group = telegram.group(ada, bob)
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption")
    answer = await telegram.bot_reply(photo)
    assert "Only the person who sent" in await telegram.query_answer(await telegram.press(bob, answer, "🗑"))
    assert len(telegram_world.hand.rows()) == 1
    assert "Deleted" in await telegram.query_answer(await telegram.press(ada, answer, "🗑"))


# Corrections


async def test_a_reply_to_an_answer_is_a_correction(telegram, telegram_world, ada, answer):
    message = await telegram.send_text(ada, "A red circle on grey.", reply_to=answer)
    assert "A red circle on grey." in (await telegram.bot_reply(message))["text"]
    (caption,) = telegram_world.service.captions.of_person(key_of(ada), 1)
    assert caption.correction == "A red circle on grey."


async def test_the_correct_button_asks_a_question_whose_reply_is_a_correction(telegram, telegram_world, ada, answer):
    await telegram.query_answer(await telegram.press(ada, answer, "✏️"))
    (question,) = await telegram.wait_until(lambda: telegram.forced_replies)
    assert "Sentence 1." in question["text"]
    await telegram_world.stop()
    await telegram_world.start()
    message = await telegram.send_text(ada, "A red circle.", reply_to=question)
    assert "A red circle." in (await telegram.bot_reply(message))["text"]
    (caption,) = telegram_world.service.captions.of_person(key_of(ada), 1)
    assert caption.correction == "A red circle."


async def test_the_link_in_the_question_asks_in_the_private_chat(telegram, telegram_world, ada, answer):
    await telegram.query_answer(await telegram.press(ada, answer, "✏️"))
    (question,) = await telegram.wait_until(lambda: telegram.forced_replies)
    start = question["entities"][0]["url"].partition("?start=")[2]
    await telegram.send_text(ada, f"/start {start}")
    await telegram.wait_until(lambda: len(telegram.forced_replies) == 2)


async def test_the_question_in_a_group_mentions_the_person_who_pressed_the_button(
    telegram, telegram_world, ada, bob, photo_bytes
):
    group = telegram.group(ada, bob)
    answer = await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes(), group, caption="/caption"))
    await telegram.query_answer(await telegram.press(bob, answer, "✏️"))
    (question,) = await telegram.wait_until(lambda: telegram.forced_replies)
    mention = next(entity for entity in question["entities"] if entity["type"] == "text_mention")
    assert question["text"].encode("utf-16-le")[2 * mention["offset"] :][: 2 * mention["length"]].decode(
        "utf-16-le"
    ) == ("Bob")
    message = await telegram.send_text(bob, "A red circle.", group, reply_to=question)
    assert "A red circle." in (await telegram.bot_reply(message))["text"]


async def test_the_confirmation_of_a_correction_mentions_nobody(telegram, telegram_world, ada, answer):
    message = await telegram.send_text(ada, "A dog of @bob.", reply_to=answer)
    assert "@bob" not in (await telegram.bot_reply(message))["text"]


async def test_a_correction_that_is_too_long_is_refused(telegram, telegram_world, ada, answer):
    message = await telegram.send_text(ada, "word " * 100, reply_to=answer)
    assert "up to 200 characters" in (await telegram.bot_reply(message))["text"]


async def test_a_correction_for_an_album_starts_with_the_number_of_its_photo(telegram, telegram_world, ada, album):
    message = await telegram.send_text(ada, "A blue circle.", reply_to=album)
    assert "Start with its number" in (await telegram.bot_reply(message))["text"]
    message = await telegram.send_text(ada, "2. A blue circle.", reply_to=album)
    assert "A blue circle." in (await telegram.bot_reply(message))["text"]
    second = max(telegram_world.hand.rows(), key=lambda row: row.position)
    caption = telegram_world.service.captions.get(second.public_id, person=key_of(ada))
    assert caption.correction == "A blue circle."


async def test_a_reply_to_another_message_of_the_bot_is_no_correction(telegram, telegram_world, ada, answer):
    helped = await telegram.bot_reply(await telegram.send_text(ada, "/help"))
    message = await telegram.send_text(ada, "thank you", reply_to=helped)
    assert "send me a photo" in (await telegram.bot_reply(message))["text"]
