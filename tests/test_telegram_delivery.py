"""Tests of delivery on Telegram under flood limits, errors and delays, and to people who blocked the bot."""

import asyncio

import pytest
from aiolimiter import AsyncLimiter

from bots.telegram.rate_limiter import RateLimiter

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings(
        "ignore:Deprecated since version v22.2"
    ),  # RetryAfter.retry_after is to become a timedelta
]


async def close_reason(telegram, telegram_world) -> str:
    """Wait until the only caption is closed as undeliverable. Returns the reason."""
    return await telegram.wait_until(lambda: telegram_world.hand.rows() and telegram_world.hand.rows()[0].closed)


async def test_an_answer_refused_for_flooding_is_sent_later_and_once(telegram, telegram_world, ada, photo_bytes):
    telegram.add_fault("sendMessage", 429, retry_after=2)
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.bot_reply(photo)
    asked_to_wait, sent = telegram.calls_of("sendMessage", code=None)
    assert sent.at - asked_to_wait.at >= 2
    await asyncio.sleep(1.5)
    assert len(telegram.bot_replies(photo)) == 1


async def test_a_command_whose_answer_is_refused_for_flooding_is_answered_later(telegram, telegram_world, ada):
    telegram.add_fault("sendMessage", 429, retry_after=1)
    message = await telegram.send_text(ada, "/help")
    await telegram.bot_reply(message)
    asked_to_wait, sent = telegram.calls_of("sendMessage", code=None)
    assert sent.at - asked_to_wait.at >= 1


async def test_a_slow_response_of_telegram_is_awaited(telegram, telegram_world, ada, photo_bytes):
    telegram.add_fault("sendMessage", seconds=2)
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram_world.hand.rows() and telegram_world.hand.rows()[0].delivered_at)
    assert len(telegram.bot_replies(photo)) == 1


async def test_a_slow_response_for_one_chat_delays_no_other(telegram, telegram_world, ada, photo_bytes):
    slow = telegram.add_fault("sendMessage", chat=ada, seconds=600)
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram.calls_of("sendMessage", ada, code=None))
    bob = telegram.person("Bob")
    await telegram.bot_reply(await telegram.send_photo(bob, photo_bytes(colour="blue")))
    assert telegram.bot_replies(photo) == []
    slow.over.set()
    await telegram.bot_reply(photo)


async def test_a_flood_limit_of_one_chat_delays_no_other(telegram, telegram_world, ada, photo_bytes):
    telegram.add_fault("sendMessage", 429, retry_after=600, chat=ada)
    waits = await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram.calls_of("sendMessage", code=429))
    bob = telegram.person("Bob")
    await telegram.bot_reply(await telegram.send_photo(bob, photo_bytes(colour="blue")))
    assert telegram.bot_replies(waits) == []


@pytest.mark.parametrize("code", [500, 502])
async def test_an_answer_is_sent_again_after_a_server_error(telegram, telegram_world, ada, photo_bytes, code):
    telegram.add_fault("sendMessage", code, times=2)
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.bot_reply(photo)
    assert len(telegram.bot_replies(photo)) == 1


async def test_an_answer_is_sent_twice_only_if_the_response_was_lost(telegram, telegram_world, ada, photo_bytes):
    telegram.add_fault("sendMessage", after=True)
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: len(telegram.bot_replies(photo)) == 2)
    await asyncio.sleep(1.5)
    assert len(telegram.bot_replies(photo)) == 2
    assert telegram_world.hand.rows()[0].message.endswith(f"/{telegram.bot_replies(photo)[1]['message_id']}")


async def test_an_answer_to_a_person_who_blocked_the_bot_is_tried_once(telegram, telegram_world, ada, photo_bytes):
    telegram_world.hand.idle = True
    await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram_world.hand.waiting)
    await telegram.set_bot_status(ada, telegram.chats[ada["id"]], "blocked")
    telegram_world.hand.work()
    assert "blocked" in await close_reason(telegram, telegram_world)
    await asyncio.sleep(1.5)
    assert len(telegram.calls_of("sendMessage", code=403)) == 1


async def test_a_photo_whose_message_was_deleted_is_answered_without_a_reference(
    telegram, telegram_world, ada, photo_bytes
):
    telegram_world.hand.idle = True
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram_world.hand.waiting)
    telegram.delete(photo)
    telegram_world.hand.work()
    (answer,) = await telegram.wait_until(lambda: telegram.bot_messages(ada))
    assert answer["text"] == "Sentence 1."
    assert "reply_to_message" not in answer


@pytest.mark.parametrize(("deleted", "replied"), [([0], 1), ([0, 1], 2), ([0, 1, 2], None)])
async def test_an_album_is_answered_at_its_first_photo_that_was_not_deleted(
    telegram, telegram_world, ada, photo_bytes, deleted, replied
):
    telegram_world.hand.idle = True
    album = await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "green", "blue")])
    await telegram.wait_until(lambda: len(telegram_world.hand.waiting) == 3)
    for number in deleted:
        telegram.delete(album[number])
    telegram_world.hand.work()
    (answer,) = await telegram.wait_until(lambda: telegram.bot_messages(ada))
    assert len(answer["text"].splitlines()) == 3
    expected = None if replied is None else album[replied]["message_id"]
    assert answer.get("reply_to_message", {}).get("message_id") == expected


async def test_a_command_that_was_deleted_is_answered_without_a_reference(telegram, new_telegram_world, ada):
    telegram.delete(await telegram.send_text(ada, "/help"))
    await new_telegram_world().start()
    assert "👍 👎" in (await telegram.wait_until(lambda: telegram.bot_messages(ada)))[0]["text"]


async def test_an_answer_follows_a_group_that_became_a_supergroup(telegram, telegram_world, ada, photo_bytes):
    telegram_world.hand.idle = True
    old, new = telegram.group(ada), telegram.group(ada)
    await telegram.send_photo(ada, photo_bytes(), old, caption="/caption")
    await telegram.wait_until(lambda: telegram_world.hand.waiting)
    old["moved_to"] = new["id"]
    telegram_world.hand.work()
    assert (await telegram.wait_until(lambda: telegram.bot_messages(new)))[0]["text"] == "Sentence 1."


async def test_captions_finished_while_the_bot_was_down_are_sent_after_a_restart(
    telegram, telegram_world, ada, photo_bytes
):
    telegram_world.hand.idle = True
    photos = [await telegram.send_photo(ada, photo_bytes(colour=colour)) for colour in ("red", "blue")]
    await telegram.wait_until(lambda: len(telegram_world.hand.waiting) == 2)
    await telegram_world.stop()
    telegram_world.hand.work()
    await telegram_world.start()
    assert {(await telegram.bot_reply(photo))["text"] for photo in photos} == {"Sentence 1.", "Sentence 2."}


async def test_a_group_has_capacity_for_twenty_messages_a_minute():
    limiter = RateLimiter()

    async def call(*args, **more):
        return True

    for _ in range(20):
        assert limiter.has_capacity(-5)
        await limiter.process_request(call, (), {}, "sendMessage", {"chat_id": -5}, None)
    assert not limiter.has_capacity(-5)
    assert limiter.has_capacity(-6)
    assert limiter.has_capacity(5)


async def test_an_answer_above_the_limit_of_a_group_waits_in_the_database(telegram, telegram_world, ada, photo_bytes):
    group = telegram.group(ada)
    groups = telegram_world.application.state.rate_limiter.groups
    groups[group["id"]] = used_up = AsyncLimiter(1, time_period=3600)
    await used_up.acquire()
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption")
    row = await telegram.wait_until(
        lambda: next((row for row in telegram_world.hand.rows() if row.deliver_after), None)
    )
    assert row.delivered_at is None
    assert telegram.calls_of("sendMessage", group, code=None) == []
    del groups[group["id"]]
    await telegram.bot_reply(photo)
