"""Messages to the Discord bot: mentions, direct messages, and what is answered where it may not write."""

import pytest

from bots.discord import submissions
from tests.support.discord_world import all_handled, mention, sent
from tests.support.service_parts import limit_submissions

pytestmark = pytest.mark.anyio


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
