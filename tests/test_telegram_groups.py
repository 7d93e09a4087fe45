"""Tests of the Telegram bot in groups: requests by /caption or mention, and /auto."""

import asyncio

import pytest

from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.tables import Chat
from tests.support.telegram_world import key_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def group(telegram, ada, bob):
    """A group owned by Ada, in which the bot is an administrator."""
    return telegram.group(ada, bob)


async def set_auto(telegram, person, group, word: str) -> str:
    return (await telegram.bot_reply(await telegram.send_text(person, f"/auto {word}", group)))["text"]


async def bot_is_silent(telegram, group) -> bool:
    await telegram.all_confirmed()
    await asyncio.sleep(0.2)
    return telegram.bot_messages(group) == []


async def test_a_photo_without_a_request_is_ignored(telegram, telegram_world, ada, group, photo_bytes):
    await telegram.send_photo(ada, photo_bytes(), group)
    assert await bot_is_silent(telegram, group)
    assert telegram.calls_of("getFile") == []


async def test_messages_between_people_are_ignored(telegram, telegram_world, ada, bob, group):
    message = await telegram.send_text(ada, "hello @bob", group)
    await telegram.send_text(bob, "hello", group, reply_to=message)
    await telegram.send_text(bob, "/dance", group)
    assert await bot_is_silent(telegram, group)


async def test_caption_command_as_a_reply_captions_the_photo(telegram, telegram_world, ada, bob, group, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes(), group)
    await telegram.send_text(bob, "/caption", group, reply_to=photo)
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."


async def test_a_photo_belongs_to_its_sender_whoever_requests_the_caption(
    telegram, telegram_world, ada, bob, group, photo_bytes
):
    photo = await telegram.send_photo(ada, photo_bytes(), group)
    await telegram.send_text(bob, "/caption", group, reply_to=photo)
    await telegram.bot_reply(photo)
    assert len(telegram_world.service.captions.of_person(key_of(ada), 5)) == 1
    assert telegram_world.service.captions.of_person(key_of(bob), 5) == []


@pytest.mark.parametrize("bot", ["administrator", "member"])
async def test_a_mention_as_a_reply_captions_the_photo(telegram, telegram_world, ada, bob, photo_bytes, bot):
    group = telegram.group(ada, bob, bot=bot)
    photo = await telegram.send_photo(ada, photo_bytes(), group)
    await telegram.send_text(bob, f"@{telegram.bot['username']} what is that?", group, reply_to=photo)
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."


@pytest.mark.parametrize("words", ["/caption", "/caption@{name}", "look, @{name}"])
async def test_a_mention_or_command_under_a_photo_captions_it(telegram, telegram_world, ada, group, photo_bytes, words):
    caption = words.format(name=telegram.bot["username"])
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption=caption)
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."


async def test_a_command_under_an_album_captions_all_of_it(telegram, telegram_world, ada, group, photo_bytes):
    photos = [photo_bytes(colour=colour) for colour in ("red", "green", "blue")]
    album = await telegram.send_album(ada, photos, group, caption="/caption")
    answer = await telegram.bot_reply(album[0])
    assert len(answer["text"].splitlines()) == 3


async def test_caption_command_without_a_photo_explains_itself(telegram, telegram_world, ada, group):
    message = await telegram.send_text(ada, "/caption", group)
    assert "Reply with /caption to a photo" in (await telegram.bot_reply(message))["text"]


async def test_a_repeated_request_is_answered_with_a_reply_to_the_first_answer(
    telegram, telegram_world, ada, bob, group, photo_bytes
):
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption")
    answer = await telegram.bot_reply(photo)
    await telegram.wait_until(lambda: telegram_world.hand.rows()[0].message)
    await telegram.send_text(bob, "/caption", group, reply_to=photo)
    assert "described it here" in (await telegram.bot_reply(answer))["text"]
    assert len(telegram_world.hand.rows()) == 1


async def test_a_repeated_request_sends_a_deleted_answer_again(telegram, telegram_world, ada, bob, group, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption")
    telegram.delete(await telegram.bot_reply(photo))
    await telegram.wait_until(lambda: telegram_world.hand.rows()[0].message)
    message = await telegram.send_text(bob, "/caption", group, reply_to=photo)
    again = await telegram.bot_reply(message)
    assert again["text"] == "Sentence 1."
    await telegram.react(bob, again, "👍")
    await telegram.wait_until(lambda: telegram_world.hand.votes() == {1: 1})


async def test_an_answer_is_sent_to_the_topic_of_its_photo(telegram, telegram_world, ada, bob, photo_bytes):
    group = telegram.group(ada, bob, is_forum=True)
    topic = {"message_thread_id": 7, "is_topic_message": True}
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption", **topic)
    assert (await telegram.bot_reply(photo))["message_thread_id"] == 7


# /auto


async def test_an_administrator_switches_auto_on_and_off(telegram, telegram_world, ada, bob, group, photo_bytes):
    assert "describe every photo" in await set_auto(telegram, ada, group, "on")
    photo = await telegram.send_photo(bob, photo_bytes(), group)
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."
    assert "only when you ask" in await set_auto(telegram, ada, group, "off")
    photo = await telegram.send_photo(bob, photo_bytes(colour="blue"), group)
    await telegram.all_confirmed()
    assert telegram.bot_replies(photo) == []


async def test_other_members_cannot_switch_auto(telegram, telegram_world, bob, group):
    assert "Only group admins" in await set_auto(telegram, bob, group, "on")
    assert not telegram_world.service.chats.get(key_of(group)).auto


async def test_an_anonymous_administrator_can_switch_auto(telegram, telegram_world, ada, group):
    message = await telegram.send_text(ada, "/auto on", group, sender_chat=group)
    assert "describe every photo" in (await telegram.bot_reply(message))["text"]


async def test_all_members_can_see_the_auto_setting(telegram, telegram_world, bob, group):
    assert "only when you ask" in await set_auto(telegram, bob, group, "")


async def test_auto_explains_that_the_bot_must_be_an_administrator(telegram, telegram_world, ada):
    group = telegram.group(ada, bot="member")
    assert "need to be an admin" in await set_auto(telegram, ada, group, "on")


async def test_an_unreadable_file_is_ignored_when_nobody_requested_a_caption(telegram, telegram_world, ada, group):
    await set_auto(telegram, ada, group, "on")
    sent = await telegram.send_document(ada, b"no picture", "a.jpg", "image/jpeg", group)
    await telegram.all_confirmed()
    assert telegram.bot_replies(sent) == []


async def test_auto_is_refused_in_a_private_chat(telegram, telegram_world, ada):
    message = await telegram.send_text(ada, "/auto on")
    assert "for groups" in (await telegram.bot_reply(message))["text"]


# Joining and leaving


async def test_the_bot_introduces_itself_when_added_to_a_group(telegram, telegram_world, ada):
    group = telegram.group(ada, bot="left")
    await telegram.set_bot_status(ada, group, "member")
    assert "/caption" in (await telegram.wait_until(lambda: telegram.bot_messages(group)))[0]["text"]


async def test_a_group_that_removed_the_bot_is_marked_as_left(telegram, telegram_world, ada, group):
    await set_auto(telegram, ada, group, "on")
    await telegram.set_bot_status(ada, group, "kicked")
    await telegram.all_confirmed()
    with sessions_of(create_engine(telegram_world.settings.database_url))() as session:
        assert session.query(Chat).one().left_at is not None
