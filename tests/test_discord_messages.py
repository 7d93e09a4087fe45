"""Events of the Discord bot: mentions, direct messages, channels with /auto, deletions, leaving servers."""

import logging

import pytest

from bots.discord import submissions
from db.tables import Chat
from tests.support.service_parts import limit_submissions

pytestmark = pytest.mark.anyio
MANAGES = {"permissions": str(1 << 4)}  # channels


@pytest.fixture
def photo(discord, photo_bytes):
    return discord.upload(photo_bytes())


@pytest.fixture
def ada(discord):
    return discord.person("Ada")


async def sent(discord, channel=None, count=1):
    """Wait for `count` messages of the bot in the channel."""
    return await discord.until(lambda: (found := discord.sent_to(channel or discord.channel))[count - 1 :] and found)


async def all_handled(discord, discord_world, ada):
    """Wait until the bot has handled all earlier events."""
    interaction = await discord.slash("help", ada)
    await discord.until(lambda: interaction.answer)


def mention(discord):
    return f"<@{discord.bot['id']}> what is this?"


async def test_a_mention_with_a_photo_is_answered_with_a_reply(discord, discord_world, ada, photo):
    message = await discord.post(ada, mention(discord), attachments=[photo])
    (reply,) = await sent(discord)
    assert reply["content"] == "Sentence 1."
    assert reply["message_reference"]["message_id"] == message["id"]
    (call,) = discord.called("POST", "/channels/.*/messages")
    assert call.body["allowed_mentions"] == {"parse": []}
    assert call.body["nonce"] == discord_world.hand.rows()[0].public_id


async def test_several_photos_get_one_numbered_reply(discord, discord_world, ada, photo_bytes):
    photos = [discord.upload(photo_bytes(colour=colour)) for colour in ("red", "blue", "green")]
    await discord.post(ada, mention(discord), attachments=photos)
    (reply,) = await sent(discord)
    assert reply["content"] == "**1.** Sentence 1.\n**2.** Sentence 2.\n**3.** Sentence 3."


async def test_a_mention_without_a_photo_is_answered_with_help(discord, discord_world, ada):
    await discord.post(ada, mention(discord))
    (reply,) = await sent(discord)
    assert "Describe image" in reply["content"]


async def test_a_reply_to_the_bot_is_no_mention(discord, discord_world, ada, photo):
    await discord.post(ada, mention(discord), attachments=[photo])
    (reply,) = await sent(discord)
    await discord.post(ada, "nice!", reply_to=reply, mentions=[discord.bot])
    await all_handled(discord, discord_world, ada)
    assert len(discord.sent_to(discord.channel)) == 1


async def test_a_mention_in_a_reply_to_a_photo_without_the_intent_is_answered_with_help(
    discord, discord_world, ada, photo
):
    original = await discord.post(discord.person("Bob"), attachments=[photo])
    await discord.post(ada, mention(discord), reply_to=original)
    (reply,) = await sent(discord)
    assert "Apps → Describe image" in reply["content"]


async def test_a_photo_in_a_direct_message_is_answered(discord, discord_world, ada, photo):
    direct = discord.direct_channel(ada)["id"]
    await discord.post(ada, channel=direct, attachments=[photo])
    (reply,) = await sent(discord, direct)
    assert reply["content"] == "Sentence 1."


async def test_a_message_that_was_deleted_is_answered_without_a_reference(discord, discord_world, ada):
    message = await discord.post(ada, mention(discord), deleted=True)
    (reply,) = await sent(discord)
    assert "Describe image" in reply["content"]
    assert "message_reference" not in reply
    assert message["id"] not in discord.messages


async def test_text_in_a_direct_message_is_answered_with_help(discord, discord_world, ada):
    direct = discord.direct_channel(ada)["id"]
    await discord.post(ada, "hello", direct)
    (reply,) = await sent(discord, direct)
    assert "/caption" in reply["content"]


async def test_other_bots_are_not_answered(discord, discord_world, ada, photo):
    await discord.post(ada | {"bot": True}, mention(discord), attachments=[photo])
    await all_handled(discord, discord_world, ada)
    assert discord.sent_to(discord.channel) == []


async def test_an_event_that_comes_twice_is_answered_once(discord, discord_world, ada, photo):
    message = await discord.post(ada, mention(discord), attachments=[photo])
    await discord.gateway.dispatch("MESSAGE_CREATE", message | {"guild_id": discord.guild["id"]})
    await sent(discord)
    await all_handled(discord, discord_world, ada)
    assert len(discord_world.hand.rows()) == 1


async def test_where_the_bot_may_not_write_it_says_so_by_direct_message(discord, discord_world, ada, photo):
    discord.no_permission.add(discord.channel)
    await discord.post(ada, mention(discord), attachments=[photo])
    (notice,) = await sent(discord, discord.direct_channel(ada)["id"])
    assert notice["content"].startswith("I don't have permission to do that here.")
    await discord.until(lambda: discord_world.hand.rows()[0].closed)
    assert "50013" in discord_world.hand.rows()[0].closed


async def test_an_internal_error_is_answered_with_an_apology(discord, discord_world, ada, photo):
    limit_submissions(discord_world.service, None)
    await discord.post(ada, mention(discord), attachments=[photo])
    (reply,) = await sent(discord)
    assert reply["content"] == "Sorry, something went wrong. Please try again later."


async def test_an_internal_error_where_the_bot_may_not_write_is_answered_by_direct_message(
    discord, discord_world, ada, photo
):
    limit_submissions(discord_world.service, None)
    discord.no_permission.add(discord.channel)
    await discord.post(ada, mention(discord), attachments=[photo])
    (notice,) = await sent(discord, discord.direct_channel(ada)["id"])
    assert notice["content"].startswith("I don't have permission to do that here.")


async def test_refusals_are_kept_for_the_latest_requests_only(discord, discord_world, ada, photo, monkeypatch):
    monkeypatch.setattr(submissions, "MAX_REFUSED", 1)
    discord_world.hand.idle = True
    for _ in range(3):
        await discord.post(ada, mention(discord), attachments=[photo, discord.upload(b"no photo")])
    await discord.until(lambda: len(discord_world.hand.waiting) == 3 and not discord_world.bot.submissions.incomplete)
    assert len(discord_world.bot.submissions.refused) == 1


async def test_deleting_the_photo_deletes_the_reply_and_the_caption(discord, discord_world, ada, photo):
    message = await discord.post(ada, mention(discord), attachments=[photo])
    await sent(discord)
    await discord.until(lambda: discord_world.hand.rows()[0].message)
    await discord.delete_message(message["id"])
    await discord.until(lambda: not discord.sent_to(discord.channel))
    assert discord_world.hand.rows() == []


async def test_the_log_names_the_caption_whose_answer_could_not_be_deleted(discord, discord_world, ada, photo, caplog):
    caplog.set_level(logging.INFO, "bots.discord.removal")
    message = await discord.post(ada, mention(discord), attachments=[photo])
    await discord.until(lambda: (rows := discord_world.hand.rows()) and rows[0].message)
    id = discord_world.hand.rows()[0].id
    discord.fault("DELETE", "/channels/.*/messages/.*", 403, {"code": 50013, "message": "Missing Permissions"})
    await discord.delete_message(message["id"])
    await discord.until(lambda: caplog.records)
    assert [record.caption for record in caplog.records] == [id]
    assert discord_world.hand.rows() == []


async def test_a_bulk_deletion_of_messages_deletes_their_replies(discord, discord_world, ada, photo):
    message = await discord.post(ada, mention(discord), attachments=[photo])
    await sent(discord)
    await discord.until(lambda: discord_world.hand.rows()[0].message)
    await discord.delete_message(message["id"], (await discord.post(ada, "more"))["id"])
    await discord.until(lambda: not discord.sent_to(discord.channel))


async def test_deleting_the_photo_deletes_the_answer_of_the_context_menu(discord, discord_world, ada, photo):
    message = await discord.post(discord.person("Bob"), attachments=[photo])
    interaction = await discord.menu("Describe image", ada, message)
    await discord.until(lambda: interaction.answer)
    await discord.delete_message(message["id"])
    await discord.until(lambda: interaction.answer_id not in discord.messages)


async def test_a_photo_deleted_before_it_is_captioned_gets_no_reply(discord, discord_world, ada, photo):
    discord_world.hand.idle = True
    message = await discord.post(ada, mention(discord), attachments=[photo])
    await discord.until(lambda: discord_world.hand.waiting)
    await discord.delete_message(message["id"])
    await discord.until(lambda: not discord_world.hand.rows())


async def test_removing_the_bot_from_a_server_marks_all_its_channels_as_left(discord, discord_world, ada):
    key = f"discord:{discord.guild['id']}/{discord.channel}"
    discord_world.service.chats.change(key, auto=True)
    await discord.gateway.dispatch("GUILD_DELETE", {"id": discord.guild["id"]})
    await discord.until(lambda: chat(discord_world, key).left_at)


async def test_an_unavailable_server_is_not_marked_as_left(discord, discord_world, ada):
    key = f"discord:{discord.guild['id']}/{discord.channel}"
    discord_world.service.chats.change(key, auto=True)
    await discord.gateway.dispatch("GUILD_DELETE", {"id": discord.guild["id"], "unavailable": True})
    await all_handled(discord, discord_world, ada)
    assert chat(discord_world, key).left_at is None


def chat(discord_world, key) -> Chat:
    with discord_world.service.backend.sessions() as session:
        return session.query(Chat).filter_by(key=key).one()


async def test_auto_without_the_intent_says_what_is_missing(discord, discord_world, ada):
    interaction = await discord.slash("auto", ada, mode="on", **MANAGES)
    await discord.until(lambda: interaction.answer)
    assert "DISCORD_MESSAGE_CONTENT" in interaction.answer["content"]


async def switched_on(discord, **more):
    interaction = await discord.slash("auto", discord.person("Mod"), mode="on", **MANAGES, **more)
    await discord.until(lambda: interaction.answer)
    return interaction.answer["content"]


@pytest.mark.usefixtures("message_content_intent")
class TestWithMessageContent:
    """Channels with /auto, in which photos are captioned without a request."""

    async def test_photos_in_a_channel_are_described_in_code_blocks(self, discord, discord_world, ada, photo):
        assert "describe every photo here" in await switched_on(discord)
        await discord.post(ada, attachments=[photo])
        (reply,) = await sent(discord)
        assert reply["content"] == "```\nSentence 1.\n```"

    async def test_a_reminder_to_write_alt_text_can_be_added(self, discord, discord_world, ada, photo):
        await switched_on(discord, remind=True)
        await discord.post(ada, attachments=[photo])
        (reply,) = await sent(discord)
        assert "Alt text" in reply["content"]

    async def test_images_with_alt_text_are_skipped(self, discord, discord_world, ada, photo_bytes):
        await switched_on(discord)
        with_alt = discord.upload(photo_bytes(colour="red"), alt="a red circle")
        await discord.post(ada, attachments=[with_alt])
        await discord.post(ada, attachments=[with_alt, discord.upload(photo_bytes(colour="blue"))])
        (reply,) = await sent(discord)
        assert reply["content"] == "```\nSentence 1.\n```"

    async def test_photos_in_other_channels_are_not_described(self, discord, discord_world, ada, photo):
        await switched_on(discord, channel=discord.guild["channels"][1]["id"])
        await discord.post(ada, attachments=[photo])
        await all_handled(discord, discord_world, ada)
        assert discord_world.hand.rows() == []

    async def test_photos_in_the_threads_of_a_channel_are_described(self, discord, discord_world, ada, photo):
        assert "and in threads" in await switched_on(discord, remind=True)
        thread = await discord.start_thread(ada)
        await discord.post(ada, channel=thread, attachments=[photo])
        (reply,) = await sent(discord, thread)
        assert "Sentence 1." in reply["content"]
        assert "Alt text" in reply["content"]

    async def test_what_is_switched_in_a_thread_holds_there(self, discord, discord_world, ada, photo_bytes):
        await switched_on(discord)
        silent, loud = await discord.start_thread(ada), await discord.start_thread(ada)
        off = await discord.slash("auto", ada, mode="off", channel=silent, **MANAGES)
        await discord.until(lambda: off.answer)
        await discord.post(ada, channel=silent, attachments=[discord.upload(photo_bytes(colour="red"))])
        await discord.post(ada, channel=loud, attachments=[discord.upload(photo_bytes(colour="blue"))])
        await sent(discord, loud)
        await all_handled(discord, discord_world, ada)
        assert discord.sent_to(silent) == []

    async def test_auto_in_a_thread_leaves_its_channel_alone(self, discord, discord_world, ada, photo_bytes):
        thread = await discord.start_thread(ada)
        await switched_on(discord, channel=thread)
        await discord.post(ada, attachments=[discord.upload(photo_bytes(colour="red"))])
        await discord.post(ada, channel=thread, attachments=[discord.upload(photo_bytes(colour="blue"))])
        await sent(discord, thread)
        await all_handled(discord, discord_world, ada)
        assert discord.sent_to(discord.channel) == []

    async def test_auto_says_that_the_bot_may_not_write_in_threads(self, discord, discord_world):
        discord.app_permissions = str(1 << 10 | 1 << 11 | 1 << 16)  # view, send, read history
        assert "Send Messages in Threads" in await switched_on(discord)

    async def test_auto_can_be_switched_off(self, discord, discord_world, ada, photo):
        await switched_on(discord)
        off = await discord.slash("auto", ada, mode="off", **MANAGES)
        await discord.until(lambda: off.answer)
        await discord.post(ada, attachments=[photo])
        await all_handled(discord, discord_world, ada)
        assert discord_world.hand.rows() == []

    async def test_only_people_who_manage_the_channel_can_switch_auto_on(self, discord, discord_world, ada):
        interaction = await discord.slash("auto", ada, mode="on")
        await discord.until(lambda: interaction.answer)
        assert interaction.answer["content"] == "Only channel managers can do that."

    async def test_auto_is_not_switched_on_where_the_bot_may_not_write(self, discord, discord_world):
        discord.no_permission.add(discord.channel)
        assert (await switched_on(discord)).startswith("I can't write here yet.")

    async def test_an_unreadable_photo_that_nobody_asked_about_is_not_answered(self, discord, discord_world, ada):
        await switched_on(discord)
        await discord.post(ada, attachments=[discord.upload(b"no photo")])
        await all_handled(discord, discord_world, ada)
        assert discord.sent_to(discord.channel) == []

    async def test_a_mention_in_a_reply_to_a_photo_is_answered(self, discord, discord_world, ada, photo):
        original = await discord.post(discord.person("Bob"), attachments=[photo])
        await discord.post(ada, mention(discord), reply_to=original)
        (reply,) = await sent(discord)
        assert reply["content"] == "Sentence 1."
        await discord.until(lambda: discord_world.hand.rows()[0].message)
        await discord.delete_message(original["id"])
        await discord.until(lambda: not discord.sent_to(discord.channel))

    async def test_a_deleted_mention_under_a_photo_is_answered_without_a_reference(
        self, discord, discord_world, ada, photo
    ):
        original = await discord.post(discord.person("Bob"), attachments=[photo])
        await discord.post(ada, mention(discord), reply_to=original, deleted=True)
        (reply,) = await sent(discord)
        assert reply["content"] == "Sentence 1."
        assert "message_reference" not in reply
