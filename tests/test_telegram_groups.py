"""The Telegram bot in groups: asked by /caption or by name, or switched on by an administrator."""

import asyncio

import pytest

from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.tables import Chat

pytest_plugins = ["telegram_world"]
pytestmark = pytest.mark.anyio


@pytest.fixture
def ada(telegram):
    return telegram.person("Ada")


@pytest.fixture
def bob(telegram):
    return telegram.person("Bob")


@pytest.fixture
def group(telegram, ada, bob):
    """Ada's, in which the bot is an administrator."""
    return telegram.group(ada, bob)


async def switch(telegram, person, group, word: str) -> str:
    return (await telegram.answer_to(await telegram.say(person, f"/auto {word}", group)))["text"]


async def nothing_is_said(telegram, group) -> bool:
    await telegram.settled()
    await asyncio.sleep(0.2)
    return telegram.sent_to(group) == []


async def test_a_photo_that_nobody_asks_about_is_left_alone(telegram, world, ada, group, photo_bytes):
    await telegram.photo(ada, photo_bytes(), group)
    assert await nothing_is_said(telegram, group)
    assert telegram.called("getFile") == []


async def test_talk_among_people_is_left_alone(telegram, world, ada, bob, group):
    said = await telegram.say(ada, "hello @bob", group)
    await telegram.say(bob, "hello", group, reply_to=said)
    await telegram.say(bob, "/dance", group)
    assert await nothing_is_said(telegram, group)


async def test_caption_as_a_reply_answers_the_photo(telegram, world, ada, bob, group, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes(), group)
    await telegram.say(bob, "/caption", group, reply_to=photo)
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."


async def test_the_photo_stays_that_of_who_sent_it(telegram, world, ada, bob, group, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes(), group)
    await telegram.say(bob, "/caption", group, reply_to=photo)
    await telegram.answer_to(photo)
    assert len(world.service.captions_of(f"telegram:{ada['id']}", 5)) == 1
    assert world.service.captions_of(f"telegram:{bob['id']}", 5) == []


@pytest.mark.parametrize("bot", ["administrator", "member"])
async def test_a_mention_as_a_reply_does_the_same(telegram, world, ada, bob, photo_bytes, bot):
    group = telegram.group(ada, bob, bot=bot)
    photo = await telegram.photo(ada, photo_bytes(), group)
    await telegram.say(bob, f"@{telegram.bot['username']} what is that?", group, reply_to=photo)
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."


@pytest.mark.parametrize("words", ["/caption", "/caption@{name}", "look, @{name}"])
async def test_words_under_ones_own_photo_ask_too(telegram, world, ada, group, photo_bytes, words):
    caption = words.format(name=telegram.bot["username"])
    photo = await telegram.photo(ada, photo_bytes(), group, caption=caption)
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."


async def test_words_under_an_album_ask_for_all_of_it(telegram, world, ada, group, photo_bytes):
    photos = [photo_bytes(colour=colour) for colour in ("red", "green", "blue")]
    album = await telegram.album(ada, photos, group, caption="/caption")
    answer = await telegram.answer_to(album[0])
    assert len(answer["text"].splitlines()) == 3


async def test_caption_without_a_photo_says_how(telegram, world, ada, group):
    said = await telegram.say(ada, "/caption", group)
    assert "Reply with /caption to a photo" in (await telegram.answer_to(said))["text"]


async def test_asked_again_it_points_to_its_answer(telegram, world, ada, bob, group, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes(), group, caption="/caption")
    answer = await telegram.answer_to(photo)
    await telegram.until(lambda: world.hand.rows()[0].message)
    await telegram.say(bob, "/caption", group, reply_to=photo)
    assert "described it here" in (await telegram.answer_to(answer))["text"]
    assert len(world.hand.rows()) == 1


async def test_asked_again_it_says_again_what_was_deleted(telegram, world, ada, bob, group, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes(), group, caption="/caption")
    telegram.delete(await telegram.answer_to(photo))
    await telegram.until(lambda: world.hand.rows()[0].message)
    said = await telegram.say(bob, "/caption", group, reply_to=photo)
    again = await telegram.answer_to(said)
    assert again["text"] == "Sentence 1."
    await telegram.react(bob, again, "👍")
    await telegram.until(lambda: world.hand.votes() == {1: 1})


async def test_captions_stay_in_their_topic(telegram, world, ada, bob, photo_bytes):
    group = telegram.group(ada, bob, is_forum=True)
    topic = {"message_thread_id": 7, "is_topic_message": True}
    photo = await telegram.photo(ada, photo_bytes(), group, caption="/caption", **topic)
    assert (await telegram.answer_to(photo))["message_thread_id"] == 7


# /auto


async def test_an_administrator_switches_on_and_off_that_all_photos_are_captioned(
    telegram, world, ada, bob, group, photo_bytes
):
    assert "describe all photos" in await switch(telegram, ada, group, "on")
    photo = await telegram.photo(bob, photo_bytes(), group)
    assert (await telegram.answer_to(photo))["text"] == "Sentence 1."
    assert "when somebody asks" in await switch(telegram, ada, group, "off")
    photo = await telegram.photo(bob, photo_bytes(colour="blue"), group)
    await telegram.settled()
    assert telegram.answers_to(photo) == []


async def test_others_cannot_switch_it(telegram, world, bob, group):
    assert "Only administrators" in await switch(telegram, bob, group, "on")
    assert not world.service.chat(f"telegram:{group['id']}").auto


async def test_an_anonymous_administrator_can_switch_it(telegram, world, ada, group):
    said = await telegram.say(ada, "/auto on", group, sender_chat=group)
    assert "describe all photos" in (await telegram.answer_to(said))["text"]


async def test_everybody_may_ask_how_it_is(telegram, world, bob, group):
    assert "when somebody asks" in await switch(telegram, bob, group, "")


async def test_a_mere_member_says_that_it_does_not_see_all_photos(telegram, world, ada):
    group = telegram.group(ada, bot="member")
    assert "please make me one" in await switch(telegram, ada, group, "on")


async def test_a_file_that_nobody_asked_about_gets_no_complaint(telegram, world, ada, group):
    await switch(telegram, ada, group, "on")
    sent = await telegram.document(ada, b"no picture", "a.jpg", "image/jpeg", group)
    await telegram.settled()
    assert telegram.answers_to(sent) == []


async def test_auto_is_for_groups(telegram, world, ada):
    said = await telegram.say(ada, "/auto on")
    assert "for groups" in (await telegram.answer_to(said))["text"]


# Coming and going


async def test_it_says_hello_when_it_is_added(telegram, world, ada):
    group = telegram.group(ada, bot="left")
    await telegram.set_bot(ada, group, "member")
    assert "/caption" in (await telegram.until(lambda: telegram.sent_to(group)))[0]["text"]


async def test_a_group_that_removed_it_is_noted(telegram, world, ada, group):
    await switch(telegram, ada, group, "on")
    await telegram.set_bot(ada, group, "kicked")
    await telegram.settled()
    with sessions_of(create_engine(world.settings.database_url))() as session:
        assert session.query(Chat).one().left_at is not None


async def test_a_group_that_became_a_supergroup_keeps_its_switch(telegram, world, ada, group):
    await switch(telegram, ada, group, "on")
    await telegram.post(ada, group, migrate_to_chat_id=-1009999999999)
    await telegram.settled()
    assert world.service.chat("telegram:-1009999999999").auto
