"""Delivery when Discord limits, fails or is disconnected: no answer is lost, none is shown twice."""

import pytest

from bots.discord import delivery

pytestmark = pytest.mark.anyio
ANSWERS = r"/webhooks/.*/messages/@original"


@pytest.fixture
async def waiting(discord, discord_world, ada, photo):
    """A command whose photo is not captioned until `discord_world.hand.work()`."""
    discord_world.hand.idle = True
    interaction = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: discord_world.hand.waiting)
    return interaction


@pytest.fixture
async def mentioned(discord, discord_world, ada, photo):
    """A message that mentions the bot, also not captioned yet."""
    discord_world.hand.idle = True
    await discord.post(ada, f"<@{discord.bot['id']}>", attachments=[photo])
    await discord.until(lambda: discord_world.hand.waiting)


async def test_an_answer_waits_for_a_rate_limit(discord, discord_world, waiting):
    discord.fault("PATCH", ANSWERS, 429, {"message": "slow down", "retry_after": 0.2, "global": False}, times=2)
    discord_world.hand.work()
    await discord.until(lambda: waiting.answer)
    assert len(discord.called("PATCH", ANSWERS)) == 3


async def test_a_rate_limit_that_discord_py_cannot_handle_is_retried_later(discord, discord_world, waiting):
    discord.fault("PATCH", ANSWERS, 429, {"retry_after": 1.0}, headers={"Via": "", "Retry-After": "0.5"})
    discord_world.hand.work()
    await discord.until(lambda: waiting.answer)


async def test_a_reply_waits_for_the_rate_limit_of_its_channel(discord, discord_world, mentioned):
    path = f"/channels/{discord.channel}/messages"
    headers = {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Limit": "5", "X-Ratelimit-Reset-After": "0.2"}
    discord.fault("POST", path, 429, {"retry_after": 0.2, "global": True}, headers=headers)
    discord_world.hand.work()
    await discord.until(lambda: discord.sent_to(discord.channel))
    assert len(discord.called("POST", path)) == 2


async def test_a_server_error_of_discord_is_retried(discord, discord_world, waiting):
    discord.fault("PATCH", ANSWERS, 502)
    discord_world.hand.work()
    await discord.until(lambda: waiting.answer)
    assert waiting.answered == 1


@pytest.mark.parametrize(("status", "code"), [(403, 40333), (400, 40004), (403, 20016), (408, 0)])
async def test_a_refusal_that_passes_is_waited_for(discord, discord_world, mentioned, monkeypatch, status, code):
    monkeypatch.setattr(delivery, "DELAY", 0.1)
    path = f"/channels/{discord.channel}/messages"
    discord.fault("POST", path, status, {"code": code, "message": "later"})
    discord_world.hand.work()
    await discord.until(lambda: discord.sent_to(discord.channel))
    assert len(discord.called("POST", path)) == 2
    assert not discord.called("POST", "/users/@me/channels")  # nobody is told that the bot may not write


async def test_a_message_whose_response_was_lost_is_not_shown_twice(discord, discord_world, mentioned):
    path = f"/channels/{discord.channel}/messages"
    discord.fault("POST", path, 200, after=True)
    discord_world.hand.work()
    await discord.until(lambda: discord_world.hand.rows()[0].delivered_at)
    first, again = discord.called("POST", path)
    assert first.body["nonce"] == again.body["nonce"]
    assert first.body["enforce_nonce"] is True
    assert len(discord.sent_to(discord.channel)) == 1


async def test_a_caption_finished_while_the_bot_is_stopped_is_delivered_when_it_starts(discord, discord_world, waiting):
    await discord_world.stop()
    discord_world.hand.work()
    assert waiting.answer is None
    await discord_world.start()
    await discord.until(lambda: waiting.answer)


async def test_commands_during_a_lost_connection_are_answered_when_it_resumes(discord, discord_world, ada, photo):
    await discord.gateway.drop()
    interaction = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: interaction.answer)
    assert (discord.gateway.identified, discord.gateway.resumed) == (1, 1)


async def test_an_answer_is_delivered_while_the_gateway_is_disconnected(discord, discord_world, waiting):
    await discord.gateway.drop()
    discord_world.hand.work()
    await discord.until(lambda: waiting.answer)


async def test_the_bot_reconnects_when_discord_asks_for_it(discord, discord_world, ada, photo):
    await discord.gateway.ask_to_reconnect()
    await discord.until(lambda: discord.gateway.resumed)
    interaction = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: interaction.answer)


async def test_the_bot_identifies_again_after_an_invalid_session(discord, discord_world, ada, photo):
    await discord.gateway.invalidate()
    await discord.until(lambda: discord.gateway.identified == 2)
    interaction = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: interaction.answer)


@pytest.mark.parametrize("life", ["expired", "unknown"])
async def test_after_the_token_has_expired_the_answer_goes_to_the_channel(discord, discord_world, ada, waiting, life):
    if life == "expired":
        waiting.expired = True
    else:
        del discord.interactions[waiting.payload["token"]]
    discord_world.hand.work()
    (late,) = await discord.until(lambda: discord.sent_to(discord.channel))
    assert late["content"] == f"<@{ada['id']}>, sorry for the wait: Sentence 1."
    (call,) = discord.called("POST", "/channels/.*/messages")
    assert call.body["allowed_mentions"] == {"parse": []}
    await discord.until(lambda: discord_world.hand.rows()[0].delivered_at)


async def test_an_ephemeral_answer_whose_token_has_expired_is_closed(discord, discord_world, ada, photo):
    discord_world.hand.idle = True
    interaction = await discord.slash("caption", ada, photo=photo, visibility="me")
    await discord.until(lambda: discord_world.hand.waiting)
    interaction.expired = True
    discord_world.hand.work()
    await discord.until(lambda: discord_world.hand.rows()[0].closed)
    assert "expired" in discord_world.hand.rows()[0].closed
    assert discord.sent_to(discord.channel) == []


async def test_a_late_answer_where_the_bot_is_no_member_is_closed(discord, discord_world, ada, photo):
    discord_world.hand.idle = True
    discord.no_access.add("77")
    interaction = await discord.slash("caption", ada, photo=photo, channel="77", installed_by=ada["id"])
    await discord.until(lambda: discord_world.hand.waiting)
    interaction.expired = True
    discord_world.hand.work()
    await discord.until(lambda: discord_world.hand.rows()[0].closed)


async def test_a_reply_to_a_deleted_message_is_closed(discord, discord_world, mentioned):
    discord.messages.clear()  # as if the event of its deletion had been lost
    discord_world.hand.work()
    await discord.until(lambda: discord_world.hand.rows()[0].closed)
    assert "50035" in discord_world.hand.rows()[0].closed


async def test_unknown_gateway_events_do_not_stop_the_bot(discord, discord_world, ada, photo):
    await discord.gateway.send_raw({"op": 77, "d": None})
    await discord.gateway.send_raw({"op": 0, "t": "SOMETHING_NEW", "s": 99, "d": {}})
    interaction = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: interaction.answer)
