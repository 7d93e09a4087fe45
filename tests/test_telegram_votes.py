"""Thumbs on Telegram: buttons and reactions, in private and in groups, before and after a restart."""

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
async def answer(telegram, world, ada, photo_bytes):
    return await telegram.answer_to(await telegram.photo(ada, photo_bytes()))


@pytest.fixture
def group(telegram, ada, bob):
    return telegram.group(ada, bob)


@pytest.fixture
async def in_group(telegram, world, ada, group, photo_bytes):
    """An answer in a group."""
    photo = await telegram.photo(ada, photo_bytes(), group, caption="/caption")
    return await telegram.answer_to(photo)


def thumbs(message: dict) -> list[str]:
    return [button["text"] for button in message["reply_markup"]["inline_keyboard"][0][:2]]


def consents(telegram, person) -> list[dict]:
    return [message for message in telegram.sent_to(person) if "May photos" in message["text"]]


async def test_a_thumb_is_counted_and_shown(telegram, world, ada, answer):
    assert await telegram.answered(await telegram.press(ada, answer, "👍")) == "Thank you!"
    await telegram.until(lambda: thumbs(answer) == ["👍 1", "👎"])
    assert world.hand.votes() == {1: 1}


async def test_the_last_thumb_counts(telegram, world, ada, answer):
    await telegram.answered(await telegram.press(ada, answer, "👍"))
    await telegram.answered(await telegram.press(ada, answer, "👎"))
    await telegram.until(lambda: thumbs(answer) == ["👍", "👎 1"])
    assert world.hand.votes() == {1: -1}


async def test_in_private_a_second_tap_takes_the_thumb_back(telegram, world, ada, answer):
    await telegram.answered(await telegram.press(ada, answer, "👍"))
    await telegram.until(lambda: thumbs(answer) == ["👍 1", "👎"])
    assert await telegram.answered(await telegram.press(ada, answer, "👍")) == "Vote taken back."
    await telegram.until(lambda: thumbs(answer) == ["👍", "👎"])
    assert world.hand.votes() == {}


async def test_the_same_tap_seen_twice_is_one_thumb(telegram, world, ada, answer):
    data = answer["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    for _ in range(2):
        await telegram.answered(await telegram.callback(ada, answer, data))
    assert world.hand.votes() == {1: 1}


async def test_every_tap_is_answered_once(telegram, world, ada, answer):
    query = await telegram.press(ada, answer, "👍")
    await telegram.settled()
    assert len(query.answers) == 1


async def test_buttons_work_after_a_restart(telegram, world, ada, answer):
    await world.stop()
    query = await telegram.press(ada, answer, "👍")
    await world.start()
    await telegram.answered(query)
    assert world.hand.votes() == {1: 1}


async def test_a_tap_that_can_no_longer_be_answered_counts(telegram, world, ada, answer):
    await world.stop()
    (await telegram.press(ada, answer, "👍")).expired = True
    await world.start()
    await telegram.until(lambda: thumbs(answer) == ["👍 1", "👎"])
    assert world.hand.votes() == {1: 1}


@pytest.mark.parametrize("data", ["dance:abc", "nonsense"])
async def test_a_button_that_nobody_knows_is_answered(telegram, world, ada, answer, data):
    assert "no longer works" in await telegram.answered(await telegram.callback(ada, answer, data))


async def test_a_thumb_for_a_caption_that_is_gone_says_so(telegram, world, ada, answer):
    query = await telegram.callback(ada, answer, "up:AAAAAAAAAAAAAAAAAAAAAA")
    assert "cannot find that caption" in await telegram.answered(query)
    assert query.alert


# Reactions


async def test_a_reaction_is_a_thumb(telegram, world, ada, answer):
    await telegram.react(ada, answer, "👎")
    await telegram.until(lambda: thumbs(answer) == ["👍", "👎 1"])
    assert world.hand.votes() == {1: -1}


async def test_a_reaction_taken_back_takes_the_thumb_back(telegram, world, ada, answer):
    await telegram.react(ada, answer, "👍")
    await telegram.until(lambda: world.hand.votes() == {1: 1})
    await telegram.until(lambda: thumbs(answer) == ["👍 1", "👎"])
    await telegram.react(ada, answer)
    await telegram.until(lambda: thumbs(answer) == ["👍", "👎"])
    assert world.hand.votes() == {}


async def test_a_reaction_changed_changes_the_thumb(telegram, world, ada, answer):
    await telegram.react(ada, answer, "👍")
    await telegram.react(ada, answer, "👎")
    await telegram.until(lambda: world.hand.votes() == {1: -1})


async def test_taking_back_a_reaction_leaves_the_thumb_of_a_button(telegram, world, ada, answer):
    await telegram.react(ada, answer, "👍")
    await telegram.until(lambda: thumbs(answer) == ["👍 1", "👎"])
    await telegram.answered(await telegram.press(ada, answer, "👎"))
    await telegram.react(ada, answer)
    await telegram.settled()
    assert world.hand.votes() == {1: -1}


async def test_other_reactions_are_no_thumbs(telegram, world, ada, answer):
    await telegram.react(ada, answer, "🎉")
    await telegram.settled()
    assert world.hand.votes() == {}


async def test_a_reaction_to_something_else_is_left_alone(telegram, world, ada, answer):
    await telegram.react(ada, await telegram.say(ada, "hello"), "👍")
    await telegram.settled()
    assert world.hand.votes() == {}


async def test_a_reaction_to_an_album_goes_to_all_of_its_photos(telegram, world, ada, photo_bytes):
    album = await telegram.album(ada, [photo_bytes(colour=colour) for colour in ("red", "blue")])
    answer = await telegram.answer_to(album[0])
    await telegram.react(ada, answer, "👍")
    await telegram.until(lambda: thumbs(answer) == ["1 👍", "2 👍"])
    assert world.hand.votes() == {1: 1, 2: 1}


# Groups


async def test_in_a_group_everybody_has_a_thumb_and_all_see_the_count(telegram, world, ada, bob, in_group):
    await telegram.answered(await telegram.press(bob, in_group, "👍"))
    await telegram.until(lambda: thumbs(in_group) == ["👍 1", "👎"])
    await telegram.answered(await telegram.press(ada, in_group, "👍"))
    await telegram.until(lambda: thumbs(in_group) == ["👍 2", "👎"])
    assert world.hand.votes() == {1: 2}


async def test_in_a_group_reactions_count_too(telegram, world, bob, in_group):
    await telegram.react(bob, in_group, "👍")
    await telegram.until(lambda: thumbs(in_group) == ["👍 1", "👎"])


# Consent


async def test_at_their_first_thumb_who_sent_the_photo_is_asked_for_consent(telegram, world, ada, answer):
    await telegram.answered(await telegram.press(ada, answer, "👍"))
    (question,) = await telegram.until(lambda: consents(telegram, ada))
    await telegram.answered(await telegram.press(ada, question, "Yes"))
    assert world.service.preferences(f"telegram:{ada['id']}").training_consent is True
    await telegram.until(lambda: "take this back" in question["text"])


async def test_they_are_asked_once(telegram, world, ada, answer):
    await telegram.answered(await telegram.press(ada, answer, "👍"))
    await telegram.answered(await telegram.press(ada, answer, "👎"))
    await telegram.settled()
    assert len(consents(telegram, ada)) == 1


async def test_a_no_is_kept(telegram, world, ada, answer):
    await telegram.react(ada, answer, "👍")
    (question,) = await telegram.until(lambda: consents(telegram, ada))
    await telegram.answered(await telegram.press(ada, question, "No"))
    assert world.service.preferences(f"telegram:{ada['id']}").training_consent is False


async def test_in_a_group_they_are_asked_in_private(telegram, world, ada, bob, group, in_group):
    await telegram.answered(await telegram.press(bob, in_group, "👍"))
    await telegram.answered(await telegram.press(ada, in_group, "👍"))
    await telegram.until(lambda: consents(telegram, ada))
    assert not consents(telegram, bob)
    assert not consents(telegram, group)
