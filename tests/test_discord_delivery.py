"""Answers of the Discord bot when Discord is slow, unwilling or away: none is lost, none comes twice."""

import pytest

pytest_plugins = ["discord_world"]
pytestmark = pytest.mark.anyio
ANSWERS = r"/webhooks/.*/messages/@original"


@pytest.fixture
def ada(discord):
    return discord.person("Ada")


@pytest.fixture
def photo(discord, photo_bytes):
    return discord.upload(photo_bytes())


@pytest.fixture
async def waiting(discord, world, ada, photo):
    """A command whose photo is not captioned yet; `world.hand.work()` does it."""
    world.hand.idle = True
    asked = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: world.hand.waiting)
    return asked


@pytest.fixture
async def mentioned(discord, world, ada, photo):
    """The same for a message that mentions the bot."""
    world.hand.idle = True
    await discord.post(ada, f"<@{discord.bot['id']}>", attachments=[photo])
    await discord.until(lambda: world.hand.waiting)


async def test_a_rate_limit_of_an_answer_is_waited_for(discord, world, waiting):
    discord.fault("PATCH", ANSWERS, 429, {"message": "slow down", "retry_after": 0.2, "global": False}, times=2)
    world.hand.work()
    await discord.until(lambda: waiting.answer)
    assert len(discord.called("PATCH", ANSWERS)) == 3


async def test_a_rate_limit_without_a_way_back_is_tried_again_later(discord, world, waiting):
    discord.fault("PATCH", ANSWERS, 429, {"retry_after": 1.0}, headers={"Via": "", "Retry-After": "0.5"})
    world.hand.work()
    await discord.until(lambda: waiting.answer)


async def test_a_rate_limit_of_a_channel_is_waited_for(discord, world, mentioned):
    path = f"/channels/{discord.channel}/messages"
    headers = {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Limit": "5", "X-Ratelimit-Reset-After": "0.2"}
    discord.fault("POST", path, 429, {"retry_after": 0.2, "global": True}, headers=headers)
    world.hand.work()
    await discord.until(lambda: discord.sent_to(discord.channel))
    assert len(discord.called("POST", path)) == 2


async def test_a_trouble_of_discords_own_is_tried_again(discord, world, waiting):
    discord.fault("PATCH", ANSWERS, 502)
    world.hand.work()
    await discord.until(lambda: waiting.answer)
    assert waiting.answered == 1


async def test_a_send_whose_answer_got_lost_is_not_shown_twice(discord, world, mentioned):
    path = f"/channels/{discord.channel}/messages"
    discord.fault("POST", path, 200, after=True)
    world.hand.work()
    await discord.until(lambda: world.hand.rows()[0].delivered_at)
    first, again = discord.called("POST", path)
    assert first.body["nonce"] == again.body["nonce"]
    assert first.body["enforce_nonce"] is True
    assert len(discord.sent_to(discord.channel)) == 1


async def test_what_is_done_while_the_bot_is_away_is_delivered_when_it_is_back(discord, world, waiting):
    await world.stop()
    world.hand.work()
    assert waiting.answer is None
    await world.start()
    await discord.until(lambda: waiting.answer)


async def test_a_cut_connection_is_resumed_and_what_came_meanwhile_is_answered(discord, world, ada, photo):
    await discord.gateway.drop()
    asked = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: asked.answer)
    assert (discord.gateway.identified, discord.gateway.resumed) == (1, 1)


async def test_an_answer_is_delivered_while_the_gateway_is_gone(discord, world, waiting):
    await discord.gateway.drop()
    world.hand.work()
    await discord.until(lambda: waiting.answer)


async def test_discord_may_ask_to_reconnect(discord, world, ada, photo):
    await discord.gateway.ask_to_reconnect()
    await discord.until(lambda: discord.gateway.resumed)
    asked = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: asked.answer)


async def test_an_invalid_session_begins_anew(discord, world, ada, photo):
    await discord.gateway.invalidate()
    await discord.until(lambda: discord.gateway.identified == 2)
    asked = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: asked.answer)


@pytest.mark.parametrize("life", ["expired", "unknown"])
async def test_after_the_token_has_expired_the_answer_goes_to_the_channel(discord, world, ada, waiting, life):
    if life == "expired":
        waiting.expired = True
    else:
        del discord.interactions[waiting.payload["token"]]
    world.hand.work()
    (late,) = await discord.until(lambda: discord.sent_to(discord.channel))
    assert late["content"] == f"<@{ada['id']}>, this took a while: Sentence 1."
    (call,) = discord.called("POST", "/channels/.*/messages")
    assert call.body["allowed_mentions"] == {"parse": []}
    await discord.until(lambda: world.hand.rows()[0].delivered_at)


async def test_a_private_answer_whose_token_has_expired_is_closed(discord, world, ada, photo):
    world.hand.idle = True
    asked = await discord.slash("caption", ada, photo=photo, visibility="me")
    await discord.until(lambda: world.hand.waiting)
    asked.expired = True
    world.hand.work()
    await discord.until(lambda: world.hand.rows()[0].closed)
    assert "expired" in world.hand.rows()[0].closed
    assert discord.sent_to(discord.channel) == []


async def test_a_late_answer_where_the_bot_is_no_member_is_closed(discord, world, ada, photo):
    world.hand.idle = True
    discord.no_access.add("77")
    asked = await discord.slash("caption", ada, photo=photo, channel="77", installed_by=ada["id"])
    await discord.until(lambda: world.hand.waiting)
    asked.expired = True
    world.hand.work()
    await discord.until(lambda: world.hand.rows()[0].closed)


async def test_a_reply_to_a_message_that_is_gone_is_closed(discord, world, mentioned):
    discord.messages.clear()  # as if its deletion had not been heard of
    world.hand.work()
    await discord.until(lambda: world.hand.rows()[0].closed)
    assert "50035" in world.hand.rows()[0].closed


async def test_an_event_that_nobody_can_read_does_not_stop_the_service(discord, world, ada, photo):
    await discord.gateway.send_raw({"op": 77, "d": None})
    await discord.gateway.send_raw({"op": 0, "t": "SOMETHING_NEW", "s": 99, "d": {}})
    asked = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: asked.answer)
