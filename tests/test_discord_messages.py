"""What the Discord bot makes of messages: mentions, private photos, channels with /auto, deletions, servers left."""

import pytest

from bots import discord_intake
from db.tables import Chat

pytest_plugins = ["discord_world"]
pytestmark = pytest.mark.anyio
MANAGES = {"permissions": str(1 << 4)}  # channels


@pytest.fixture
def photo(discord, photo_bytes):
    return discord.upload(photo_bytes())


@pytest.fixture
def ada(discord):
    return discord.person("Ada")


async def sent(discord, channel=None, count=1):
    """The bot's messages there, once there are so many."""
    return await discord.until(lambda: (found := discord.sent_to(channel or discord.channel))[count - 1 :] and found)


async def quiet(discord, world, ada):
    """Until the bot has dealt with what came before."""
    asked = await discord.slash("help", ada)
    await discord.until(lambda: asked.answer)


def mention(discord):
    return f"<@{discord.bot['id']}> what is this?"


async def test_a_mention_with_a_photo_is_answered_with_a_reply(discord, world, ada, photo):
    message = await discord.post(ada, mention(discord), attachments=[photo])
    (reply,) = await sent(discord)
    assert reply["content"] == "Sentence 1."
    assert reply["message_reference"]["message_id"] == message["id"]
    (call,) = discord.called("POST", "/channels/.*/messages")
    assert call.body["allowed_mentions"] == {"parse": []}
    assert call.body["nonce"] == world.hand.rows()[0].public_id


async def test_several_photos_get_one_numbered_reply(discord, world, ada, photo_bytes):
    photos = [discord.upload(photo_bytes(colour=colour)) for colour in ("red", "blue", "green")]
    await discord.post(ada, mention(discord), attachments=photos)
    (reply,) = await sent(discord)
    assert reply["content"] == "**1.** Sentence 1.\n**2.** Sentence 2.\n**3.** Sentence 3."


async def test_a_mention_without_a_photo_explains_how_it_is_done(discord, world, ada):
    await discord.post(ada, mention(discord))
    (reply,) = await sent(discord)
    assert "Describe image" in reply["content"]


async def test_an_answer_to_the_bot_is_no_mention(discord, world, ada, photo):
    await discord.post(ada, mention(discord), attachments=[photo])
    (reply,) = await sent(discord)
    await discord.post(ada, "nice!", reply_to=reply, mentions=[discord.bot])
    await quiet(discord, world, ada)
    assert len(discord.sent_to(discord.channel)) == 1


async def test_a_mention_under_a_photo_needs_the_intent_and_says_what_works_without(discord, world, ada, photo):
    original = await discord.post(discord.person("Bob"), attachments=[photo])
    await discord.post(ada, mention(discord), reply_to=original)
    (reply,) = await sent(discord)
    assert "Apps → Describe image" in reply["content"]


async def test_a_private_photo_is_answered(discord, world, ada, photo):
    direct = discord.direct_channel(ada)["id"]
    await discord.post(ada, channel=direct, attachments=[photo])
    (reply,) = await sent(discord, direct)
    assert reply["content"] == "Sentence 1."


async def test_private_words_are_answered_with_help(discord, world, ada):
    direct = discord.direct_channel(ada)["id"]
    await discord.post(ada, "hello", direct)
    (reply,) = await sent(discord, direct)
    assert "/caption" in reply["content"]


async def test_other_bots_are_not_answered(discord, world, ada, photo):
    await discord.post(ada | {"bot": True}, mention(discord), attachments=[photo])
    await quiet(discord, world, ada)
    assert discord.sent_to(discord.channel) == []


async def test_an_event_that_comes_twice_is_answered_once(discord, world, ada, photo):
    message = await discord.post(ada, mention(discord), attachments=[photo])
    await discord.gateway.dispatch("MESSAGE_CREATE", message | {"guild_id": discord.guild["id"]})
    await sent(discord)
    await quiet(discord, world, ada)
    assert len(world.hand.rows()) == 1


async def test_where_the_bot_may_not_write_it_says_so_in_private(discord, world, ada, photo):
    discord.no_permission.add(discord.channel)
    await discord.post(ada, mention(discord), attachments=[photo])
    (told,) = await sent(discord, discord.direct_channel(ada)["id"])
    assert told["content"].startswith("I am not allowed to do that here.")
    await discord.until(lambda: world.hand.rows()[0].closed)
    assert "50013" in world.hand.rows()[0].closed


async def test_an_error_of_ours_is_told_too(discord, world, ada, photo):
    world.service.limits = None
    await discord.post(ada, mention(discord), attachments=[photo])
    (reply,) = await sent(discord)
    assert reply["content"] == "Something went wrong on my side. Please try again later."


async def test_an_error_of_ours_where_the_bot_may_not_write_is_told_in_private(discord, world, ada, photo):
    world.service.limits = None
    discord.no_permission.add(discord.channel)
    await discord.post(ada, mention(discord), attachments=[photo])
    (told,) = await sent(discord, discord.direct_channel(ada)["id"])
    assert told["content"].startswith("I am not allowed to do that here.")


async def test_what_was_refused_is_remembered_of_the_last_requests_only(discord, world, ada, photo, monkeypatch):
    monkeypatch.setattr(discord_intake, "REMEMBERED", 1)
    world.hand.idle = True
    for _ in range(3):
        await discord.post(ada, mention(discord), attachments=[photo, discord.upload(b"no photo")])
    await discord.until(lambda: len(world.hand.waiting) == 3 and not world.bot.intake.gathering)
    assert len(world.bot.intake.refused) == 1


async def test_deleting_the_photo_deletes_the_reply_and_the_caption(discord, world, ada, photo):
    message = await discord.post(ada, mention(discord), attachments=[photo])
    await sent(discord)
    await discord.until(lambda: world.hand.rows()[0].message)
    await discord.delete_message(message["id"])
    await discord.until(lambda: not discord.sent_to(discord.channel))
    assert world.hand.rows() == []


async def test_deleting_many_messages_at_once_does_so_too(discord, world, ada, photo):
    message = await discord.post(ada, mention(discord), attachments=[photo])
    await sent(discord)
    await discord.until(lambda: world.hand.rows()[0].message)
    await discord.delete_message(message["id"], (await discord.post(ada, "more"))["id"])
    await discord.until(lambda: not discord.sent_to(discord.channel))


async def test_deleting_a_photo_deletes_what_the_menu_said_of_it(discord, world, ada, photo):
    message = await discord.post(discord.person("Bob"), attachments=[photo])
    asked = await discord.menu("Describe image", ada, message)
    await discord.until(lambda: asked.answer)
    await discord.delete_message(message["id"])
    await discord.until(lambda: asked.answer_id not in discord.messages)


async def test_a_photo_deleted_before_its_caption_is_done_gets_no_reply(discord, world, ada, photo):
    world.hand.idle = True
    message = await discord.post(ada, mention(discord), attachments=[photo])
    await discord.until(lambda: world.hand.waiting)
    await discord.delete_message(message["id"])
    await discord.until(lambda: not world.hand.rows())


async def test_a_server_that_removes_the_bot_is_marked_and_all_its_channels(discord, world, ada):
    key = f"discord:{discord.guild['id']}/{discord.channel}"
    world.service.set_chat(key, auto=True)
    await discord.gateway.dispatch("GUILD_DELETE", {"id": discord.guild["id"]})
    await discord.until(lambda: chat(world, key).left_at)


async def test_an_outage_of_a_server_is_no_removal(discord, world, ada):
    key = f"discord:{discord.guild['id']}/{discord.channel}"
    world.service.set_chat(key, auto=True)
    await discord.gateway.dispatch("GUILD_DELETE", {"id": discord.guild["id"], "unavailable": True})
    await quiet(discord, world, ada)
    assert chat(world, key).left_at is None


def chat(world, key) -> Chat:
    with world.service._sessions() as session:
        return session.query(Chat).filter_by(key=key).one()


async def test_auto_without_the_intent_says_what_is_missing(discord, world, ada):
    asked = await discord.slash("auto", ada, mode="on", **MANAGES)
    await discord.until(lambda: asked.answer)
    assert "DISCORD_MESSAGE_CONTENT" in asked.answer["content"]


async def switched_on(discord, **more):
    asked = await discord.slash("auto", discord.person("Mod"), mode="on", **MANAGES, **more)
    await discord.until(lambda: asked.answer)
    return asked.answer["content"]


@pytest.mark.usefixtures("reading")
class TestWithMessageContent:
    """Captions where nobody asks."""

    async def test_photos_in_a_channel_are_described_as_text_to_copy(self, discord, world, ada, photo):
        assert "are described from now on" in await switched_on(discord)
        await discord.post(ada, attachments=[photo])
        (reply,) = await sent(discord)
        assert reply["content"] == "```\nSentence 1.\n```"

    async def test_a_reminder_of_alt_text_can_be_added(self, discord, world, ada, photo):
        await switched_on(discord, remind=True)
        await discord.post(ada, attachments=[photo])
        (reply,) = await sent(discord)
        assert "alt text" in reply["content"]

    async def test_images_with_alt_text_are_skipped(self, discord, world, ada, photo_bytes):
        await switched_on(discord)
        with_alt = discord.upload(photo_bytes(colour="red"), alt="a red circle")
        await discord.post(ada, attachments=[with_alt])
        await discord.post(ada, attachments=[with_alt, discord.upload(photo_bytes(colour="blue"))])
        (reply,) = await sent(discord)
        assert reply["content"] == "```\nSentence 1.\n```"

    async def test_other_channels_stay_as_they_are(self, discord, world, ada, photo):
        await switched_on(discord, channel=discord.guild["channels"][1]["id"])
        await discord.post(ada, attachments=[photo])
        await quiet(discord, world, ada)
        assert world.hand.rows() == []

    async def test_it_can_be_switched_off(self, discord, world, ada, photo):
        await switched_on(discord)
        off = await discord.slash("auto", ada, mode="off", **MANAGES)
        await discord.until(lambda: off.answer)
        await discord.post(ada, attachments=[photo])
        await quiet(discord, world, ada)
        assert world.hand.rows() == []

    async def test_only_those_who_manage_the_channel_may_switch_it(self, discord, world, ada):
        asked = await discord.slash("auto", ada, mode="on")
        await discord.until(lambda: asked.answer)
        assert asked.answer["content"] == "Only those who may manage this channel can do that."

    async def test_where_the_bot_may_not_write_it_is_not_switched_on(self, discord, world):
        discord.no_permission.add(discord.channel)
        assert (await switched_on(discord)).startswith("I may not write here.")

    async def test_what_nobody_asked_for_fails_in_silence(self, discord, world, ada):
        await switched_on(discord)
        await discord.post(ada, attachments=[discord.upload(b"no photo")])
        await quiet(discord, world, ada)
        assert discord.sent_to(discord.channel) == []

    async def test_a_mention_under_a_photo_is_answered(self, discord, world, ada, photo):
        original = await discord.post(discord.person("Bob"), attachments=[photo])
        await discord.post(ada, mention(discord), reply_to=original)
        (reply,) = await sent(discord)
        assert reply["content"] == "Sentence 1."
        await discord.until(lambda: world.hand.rows()[0].message)
        await discord.delete_message(original["id"])
        await discord.until(lambda: not discord.sent_to(discord.channel))
