"""Tests of votes on Telegram, by button and by reaction, in private chats and in groups, and of consent."""

import pytest

from tests.support.telegram_world import key_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def answer(telegram, telegram_world, ada, photo_bytes):
    return await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))


@pytest.fixture
def group(telegram, ada, bob):
    return telegram.group(ada, bob)


@pytest.fixture
async def in_group(telegram, telegram_world, ada, group, photo_bytes):
    """An answer in a group."""
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption")
    return await telegram.bot_reply(photo)


def thumbs(message: dict) -> list[str]:
    """The labels of the first two buttons."""
    return [button["text"] for button in message["reply_markup"]["inline_keyboard"][0][:2]]


def consent_questions(telegram, person) -> list[dict]:
    return [message for message in telegram.bot_messages(person) if "Can I keep" in message["text"]]


async def test_a_vote_is_counted_and_shown(telegram, telegram_world, ada, answer):
    assert await telegram.query_answer(await telegram.press(ada, answer, "👍")) == "Thank you!"
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good 1", "👎 Bad"])
    assert telegram_world.hand.votes() == {1: 1}


async def test_a_vote_on_a_lone_photo_adds_no_way_back_to_an_album(telegram, telegram_world, ada, answer):
    rows = len(answer["reply_markup"]["inline_keyboard"])
    await telegram.query_answer(await telegram.press(ada, answer, "👍"))
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good 1", "👎 Bad"])
    assert len(answer["reply_markup"]["inline_keyboard"]) == rows


async def test_the_last_vote_counts(telegram, telegram_world, ada, answer):
    await telegram.query_answer(await telegram.press(ada, answer, "👍"))
    await telegram.query_answer(await telegram.press(ada, answer, "👎"))
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good", "👎 Bad 1"])
    assert telegram_world.hand.votes() == {1: -1}


async def test_pressing_ones_own_thumb_again_in_private_removes_the_vote(telegram, telegram_world, ada, answer):
    await telegram.query_answer(await telegram.press(ada, answer, "👍"))
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good 1", "👎 Bad"])
    assert await telegram.query_answer(await telegram.press(ada, answer, "👍")) == "Rating removed."
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good", "👎 Bad"])
    assert telegram_world.hand.votes() == {}


async def test_a_repeated_button_press_is_one_vote(telegram, telegram_world, ada, answer):
    data = answer["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    for _ in range(2):
        await telegram.query_answer(await telegram.send_callback_query(ada, answer, data))
    assert telegram_world.hand.votes() == {1: 1}


async def test_every_callback_query_is_answered_once(telegram, telegram_world, ada, answer):
    query = await telegram.press(ada, answer, "👍")
    await telegram.all_confirmed()
    assert len(query.answers) == 1


async def test_buttons_work_after_a_restart(telegram, telegram_world, ada, answer):
    await telegram_world.stop()
    query = await telegram.press(ada, answer, "👍")
    await telegram_world.start()
    await telegram.query_answer(query)
    assert telegram_world.hand.votes() == {1: 1}


async def test_a_vote_counts_though_its_query_has_expired(telegram, telegram_world, ada, answer):
    await telegram_world.stop()
    (await telegram.press(ada, answer, "👍")).expired = True
    await telegram_world.start()
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good 1", "👎 Bad"])
    assert telegram_world.hand.votes() == {1: 1}


@pytest.mark.parametrize("data", ["dance:abc", "nonsense"])
async def test_an_unknown_button_is_answered(telegram, telegram_world, ada, answer, data):
    assert "no longer works" in await telegram.query_answer(await telegram.send_callback_query(ada, answer, data))


async def test_a_vote_for_a_removed_caption_is_answered_with_an_alert(telegram, telegram_world, ada, answer):
    query = await telegram.send_callback_query(ada, answer, "up:AAAAAAAAAAAAAAAAAAAAAA")
    assert "can't find that description" in await telegram.query_answer(query)
    assert query.alert


# Reactions


async def test_a_reaction_is_a_vote(telegram, telegram_world, ada, answer):
    await telegram.react(ada, answer, "👎")
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good", "👎 Bad 1"])
    assert telegram_world.hand.votes() == {1: -1}


async def test_removing_a_reaction_removes_the_vote(telegram, telegram_world, ada, answer):
    await telegram.react(ada, answer, "👍")
    await telegram.wait_until(lambda: telegram_world.hand.votes() == {1: 1})
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good 1", "👎 Bad"])
    await telegram.react(ada, answer)
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good", "👎 Bad"])
    assert telegram_world.hand.votes() == {}


async def test_changing_a_reaction_changes_the_vote(telegram, telegram_world, ada, answer):
    await telegram.react(ada, answer, "👍")
    await telegram.react(ada, answer, "👎")
    await telegram.wait_until(lambda: telegram_world.hand.votes() == {1: -1})


async def test_removing_a_reaction_keeps_a_later_vote_by_button(telegram, telegram_world, ada, answer):
    await telegram.react(ada, answer, "👍")
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good 1", "👎 Bad"])
    await telegram.query_answer(await telegram.press(ada, answer, "👎"))
    await telegram.react(ada, answer)
    await telegram.all_confirmed()
    assert telegram_world.hand.votes() == {1: -1}


async def test_other_reactions_are_no_votes(telegram, telegram_world, ada, answer):
    await telegram.react(ada, answer, "🎉")
    await telegram.all_confirmed()
    assert telegram_world.hand.votes() == {}


async def test_a_reaction_to_another_message_is_ignored(telegram, telegram_world, ada, answer):
    await telegram.react(ada, await telegram.send_text(ada, "hello"), "👍")
    await telegram.all_confirmed()
    assert telegram_world.hand.votes() == {}


async def test_a_reaction_to_an_album_votes_for_all_of_its_photos(telegram, telegram_world, ada, photo_bytes):
    album = await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "blue")])
    answer = await telegram.bot_reply(album[0])
    await telegram.react(ada, answer, "👍")
    await telegram.wait_until(lambda: thumbs(answer) == ["1 👍", "2 👍"])
    assert telegram_world.hand.votes() == {1: 1, 2: 1}


# Groups


async def test_every_member_of_a_group_has_a_vote_and_sees_the_counts(telegram, telegram_world, ada, bob, in_group):
    await telegram.query_answer(await telegram.press(bob, in_group, "👍"))
    await telegram.wait_until(lambda: thumbs(in_group) == ["👍 Good 1", "👎 Bad"])
    await telegram.query_answer(await telegram.press(ada, in_group, "👍"))
    await telegram.wait_until(lambda: thumbs(in_group) == ["👍 Good 2", "👎 Bad"])
    assert telegram_world.hand.votes() == {1: 2}


async def test_reactions_in_a_group_are_votes(telegram, telegram_world, bob, in_group):
    await telegram.react(bob, in_group, "👍")
    await telegram.wait_until(lambda: thumbs(in_group) == ["👍 Good 1", "👎 Bad"])


# Consent


async def test_the_sender_is_asked_for_consent_at_the_first_vote(telegram, telegram_world, ada, answer):
    await telegram.query_answer(await telegram.press(ada, answer, "👍"))
    (question,) = await telegram.wait_until(lambda: consent_questions(telegram, ada))
    await telegram.query_answer(await telegram.press(ada, question, "Yes"))
    assert telegram_world.service.people.preferences(key_of(ada)).training_consent is True
    await telegram.wait_until(lambda: "change this" in question["text"])


async def test_the_sender_is_asked_for_consent_once(telegram, telegram_world, ada, answer):
    await telegram.query_answer(await telegram.press(ada, answer, "👍"))
    await telegram.query_answer(await telegram.press(ada, answer, "👎"))
    await telegram.all_confirmed()
    assert len(consent_questions(telegram, ada)) == 1


async def test_a_refusal_of_consent_is_stored(telegram, telegram_world, ada, answer):
    await telegram.react(ada, answer, "👍")
    (question,) = await telegram.wait_until(lambda: consent_questions(telegram, ada))
    await telegram.query_answer(await telegram.press(ada, question, "No"))
    assert telegram_world.service.people.preferences(key_of(ada)).training_consent is False


async def test_the_sender_of_a_group_photo_is_asked_for_consent_in_private(
    telegram, telegram_world, ada, bob, group, in_group
):
    await telegram.query_answer(await telegram.press(bob, in_group, "👍"))
    await telegram.query_answer(await telegram.press(ada, in_group, "👍"))
    await telegram.wait_until(lambda: consent_questions(telegram, ada))
    assert not consent_questions(telegram, bob)
    assert not consent_questions(telegram, group)


async def test_in_a_group_the_buttons_keep_the_language_of_who_sent_the_photo(
    telegram, telegram_world, ada, photo_bytes
):
    jan = telegram.person("Jan", language="de")
    group = telegram.group(ada, jan)
    answer = await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes(), group, caption="/caption"))
    assert "Danke" in await telegram.query_answer(await telegram.press(jan, answer, "👍"))
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good 1", "👎 Bad"])
    await telegram.react(jan, answer, "👎")
    await telegram.wait_until(lambda: thumbs(answer) == ["👍 Good", "👎 Bad 1"])
