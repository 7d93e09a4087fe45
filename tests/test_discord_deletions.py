"""What the Discord bot does when a photo is deleted, and when it is removed from a server."""

import logging

import pytest

from db.tables import Chat
from tests.support.discord_world import all_handled, mention, sent

pytestmark = pytest.mark.anyio


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
