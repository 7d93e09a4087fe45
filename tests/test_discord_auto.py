"""Channels of Discord with /auto, in which photos are captioned without a request."""

import pytest

from tests.support.discord_world import MANAGES, all_handled, mention, sent

pytestmark = pytest.mark.anyio


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
