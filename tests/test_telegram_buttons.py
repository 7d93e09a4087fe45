"""Buttons under answers on Telegram: another sentence, a better one, the bin."""

import pytest

pytest_plugins = ["telegram_world"]
pytestmark = pytest.mark.anyio


@pytest.fixture
def ada(telegram):
    return telegram.person("Ada")


@pytest.fixture
def bob(telegram):
    return telegram.person("Bob")


@pytest.fixture
async def photo(telegram, world, ada, photo_bytes):
    return await telegram.photo(ada, photo_bytes())


@pytest.fixture
async def answer(telegram, photo):
    return await telegram.answer_to(photo)


@pytest.fixture
async def album(telegram, world, ada, photo_bytes):
    """The answer to an album of two."""
    photos = await telegram.album(ada, [photo_bytes(colour=colour) for colour in ("red", "blue")])
    return await telegram.answer_to(photos[0])


async def test_another_sentence_is_a_message_of_its_own(telegram, world, ada, photo, answer):
    await telegram.answered(await telegram.press(ada, answer, "🔁"))
    await telegram.until(lambda: len(telegram.answers_to(photo)) == 2)
    assert [one["text"] for one in telegram.answers_to(photo)] == ["Sentence 1.", "Sentence 2."]
    first, second = world.hand.rows()
    assert (second.parent_id, second.rank) == (first.id, 1)


async def test_each_sentence_has_its_own_thumbs(telegram, world, ada, photo, answer):
    await telegram.answered(await telegram.press(ada, answer, "🔁"))
    await telegram.until(lambda: len(telegram.answers_to(photo)) == 2)
    await telegram.answered(await telegram.press(ada, answer, "👎"))
    await telegram.answered(await telegram.press(ada, telegram.answers_to(photo)[1], "👍"))
    assert world.hand.votes() == {1: -1, 2: 1}


async def test_the_same_tap_for_another_sentence_gives_one(telegram, world, ada, photo, answer):
    query = await telegram.press(ada, answer, "🔁")
    await telegram.answered(query)
    await telegram.update("callback_query", query.payload)
    await telegram.settled()
    assert len(world.hand.rows()) == 2


async def test_the_bin_takes_the_answer_and_the_photo_away(telegram, world, ada, photo, answer):
    assert "Removed" in await telegram.answered(await telegram.press(ada, answer, "🗑"))
    await telegram.until(lambda: telegram.sent_to(ada) == [])
    assert world.hand.rows() == []
    assert not [path for path in (world.settings.data_dir / "photos").rglob("*") if path.is_file()]


async def test_the_bin_works_also_when_the_tap_cannot_be_answered_at_first(telegram, world, ada, photo, answer):
    telegram.fault("answerCallbackQuery", 502)
    await telegram.answered(await telegram.press(ada, answer, "🗑"))
    await telegram.until(lambda: telegram.sent_to(ada) == [])
    assert world.hand.rows() == []


async def test_the_bin_takes_all_sentences_of_the_photo_away(telegram, world, ada, photo, answer):
    await telegram.answered(await telegram.press(ada, answer, "🔁"))
    await telegram.until(lambda: len(telegram.answers_to(photo)) == 2)
    await telegram.press(ada, telegram.answers_to(photo)[1], "🗑")
    await telegram.until(lambda: telegram.sent_to(ada) == [])


async def test_the_bin_of_one_photo_leaves_the_rest_of_an_album(telegram, world, ada, album):
    await telegram.answered(await telegram.press(ada, album, "1"))
    await telegram.until(lambda: len(album["reply_markup"]["inline_keyboard"]) == 2)
    left = album["text"].splitlines()[1].removeprefix("2. ")
    await telegram.answered(await telegram.press(ada, album, "🗑"))
    await telegram.until(lambda: album["text"] == left)


async def test_in_a_group_only_the_sender_can_use_the_bin(telegram, world, ada, bob, photo_bytes):
    group = telegram.group(ada, bob)
    photo = await telegram.photo(ada, photo_bytes(), group, caption="/caption")
    answer = await telegram.answer_to(photo)
    assert "Only the person who sent" in await telegram.answered(await telegram.press(bob, answer, "🗑"))
    assert len(world.hand.rows()) == 1
    assert "Removed" in await telegram.answered(await telegram.press(ada, answer, "🗑"))


# Corrections


async def test_a_reply_to_the_answer_is_a_better_sentence(telegram, world, ada, answer):
    said = await telegram.say(ada, "A red circle on grey.", reply_to=answer)
    assert "A red circle on grey." in (await telegram.answer_to(said))["text"]
    (caption,) = world.service.captions_of(f"telegram:{ada['id']}", 1)
    assert caption.correction == "A red circle on grey."


async def test_the_pencil_asks_and_the_reply_is_the_better_sentence(telegram, world, ada, answer):
    await telegram.answered(await telegram.press(ada, answer, "✏️"))
    (question,) = await telegram.until(lambda: telegram.forced_replies)
    assert "Sentence 1." in question["text"]
    await world.stop()
    await world.start()
    said = await telegram.say(ada, "A red circle.", reply_to=question)
    assert "A red circle." in (await telegram.answer_to(said))["text"]
    (caption,) = world.service.captions_of(f"telegram:{ada['id']}", 1)
    assert caption.correction == "A red circle."


async def test_the_link_in_the_question_asks_again(telegram, world, ada, answer):
    await telegram.answered(await telegram.press(ada, answer, "✏️"))
    (question,) = await telegram.until(lambda: telegram.forced_replies)
    start = question["entities"][0]["url"].partition("?start=")[2]
    await telegram.say(ada, f"/start {start}")
    await telegram.until(lambda: len(telegram.forced_replies) == 2)


async def test_in_a_group_the_pencil_asks_who_pressed_it(telegram, world, ada, bob, photo_bytes):
    group = telegram.group(ada, bob)
    answer = await telegram.answer_to(await telegram.photo(ada, photo_bytes(), group, caption="/caption"))
    await telegram.answered(await telegram.press(bob, answer, "✏️"))
    (question,) = await telegram.until(lambda: telegram.forced_replies)
    mention = next(entity for entity in question["entities"] if entity["type"] == "text_mention")
    assert question["text"].encode("utf-16-le")[2 * mention["offset"] :][: 2 * mention["length"]].decode(
        "utf-16-le"
    ) == ("Bob")
    said = await telegram.say(bob, "A red circle.", group, reply_to=question)
    assert "A red circle." in (await telegram.answer_to(said))["text"]


async def test_a_correction_pings_nobody(telegram, world, ada, answer):
    said = await telegram.say(ada, "A dog of @bob.", reply_to=answer)
    assert "@bob" not in (await telegram.answer_to(said))["text"]


async def test_a_correction_that_is_too_long_is_refused_kindly(telegram, world, ada, answer):
    said = await telegram.say(ada, "word " * 100, reply_to=answer)
    assert "at most 200 characters" in (await telegram.answer_to(said))["text"]


async def test_for_an_album_the_correction_names_its_photo(telegram, world, ada, album):
    said = await telegram.say(ada, "A blue circle.", reply_to=album)
    assert "Begin with its number" in (await telegram.answer_to(said))["text"]
    said = await telegram.say(ada, "2. A blue circle.", reply_to=album)
    assert "A blue circle." in (await telegram.answer_to(said))["text"]
    second = max(world.hand.rows(), key=lambda row: row.position)
    caption = world.service.result(second.public_id, person=f"telegram:{ada['id']}")
    assert caption.correction == "A blue circle."


async def test_a_reply_to_something_else_of_the_bot_is_no_correction(telegram, world, ada, answer):
    helped = await telegram.answer_to(await telegram.say(ada, "/help"))
    said = await telegram.say(ada, "thank you", reply_to=helped)
    assert "Send me a photo" in (await telegram.answer_to(said))["text"]
