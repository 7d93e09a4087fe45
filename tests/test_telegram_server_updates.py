"""Tests of the local Bot API server, by the real library: updates, webhooks, faults."""

import asyncio

import pytest
from telegram import (
    ReplyParameters,
)
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TimedOut

from tests.support.telegram_client import call, make_bot, refused
from tests.support.telegram_server import PATIENCE

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings(
        "ignore:Deprecated since version v22.2"
    ),  # RetryAfter.retry_after is to become a timedelta
]


async def test_get_me_returns_the_bot(telegram, bot):
    assert bot.username == telegram.bot["username"]


@pytest.mark.parametrize("token", ["1234:wrong", "malformed"])
async def test_a_wrong_token_is_refused(telegram, token):
    with pytest.raises(InvalidToken):
        async with make_bot(telegram, token):
            pass


async def test_an_unknown_method_is_not_found(telegram):
    assert await refused(telegram, "sendEverything") == "Not Found"


# Updates


async def test_updates_are_returned_until_the_offset_passes_them(telegram, bot, ada):
    await telegram.send_text(ada, "hello")
    first = (await bot.get_updates())[0]
    assert (await bot.get_updates())[0] == first
    assert await bot.get_updates(offset=first.update_id + 1, timeout=0) == ()
    assert telegram.confirmed == first.update_id + 1


async def test_a_long_poll_ends_when_a_message_arrives(telegram, bot, ada):
    waiting = asyncio.create_task(bot.get_updates(timeout=10))
    await asyncio.sleep(0.05)
    await telegram.send_text(ada, "hello")
    assert (await asyncio.wait_for(waiting, PATIENCE))[0].message.text == "hello"


async def test_the_first_of_two_pollers_gets_a_conflict(telegram, bot):
    first = asyncio.create_task(bot.get_updates(timeout=100))
    await telegram.wait_until(lambda: telegram.calls_of("getUpdates", code=None))
    assert (await call(telegram, "getUpdates", timeout=0))["result"] == []
    with pytest.raises(Conflict):
        await asyncio.wait_for(first, PATIENCE)


async def test_a_poll_returns_at_most_a_hundred_updates(telegram, bot, ada):
    for number in range(101):
        await telegram.send_text(ada, str(number))
    assert len(await bot.get_updates()) == 100
    assert "limit" in await refused(telegram, "getUpdates", limit=101)


async def test_reactions_are_sent_only_if_allowed_updates_has_them(telegram, bot, ada):
    sent = await telegram.send_text(ada, "hello")
    await telegram.react(ada, sent, "👍")
    await bot.get_updates(allowed_updates=["message_reaction"])
    await telegram.react(ada, sent)
    await telegram.send_text(ada, "not asked for")
    updates = await bot.get_updates(timeout=0)
    assert [update.message_reaction is not None for update in updates] == [False, True]
    assert updates[1].message_reaction.old_reaction[0].emoji == "👍"
    assert updates[1].message_reaction.new_reaction == ()


async def test_a_bot_that_is_no_administrator_gets_only_messages_addressed_to_it(telegram, bot, ada, photo_bytes):
    await bot.get_updates(allowed_updates=["message", "message_reaction"])
    group = telegram.group(ada, bot="member")
    photo = await telegram.send_photo(ada, photo_bytes(), group)
    await telegram.react(ada, photo, "👍")
    await telegram.send_text(ada, "lovely", group)
    await telegram.send_text(ada, "/caption", group, reply_to=photo)
    await telegram.send_text(ada, f"what is that, @{telegram.bot['username']}?", group)
    texts = [update.message.text for update in await bot.get_updates()]
    assert [text.split()[0] for text in texts] == ["/caption", "what"]


async def test_unknown_kinds_of_updates_are_refused(telegram):
    assert "allowed_updates" in await refused(telegram, "getUpdates", allowed_updates='["messages"]')


async def test_replies_are_not_nested(telegram, bot, ada):
    first = await telegram.send_text(ada, "one")
    second = await telegram.send_text(ada, "two", reply_to=first)
    await telegram.send_text(ada, "three", reply_to=second)
    third = (await bot.get_updates())[-1].message
    assert third.reply_to_message.text == "two"
    assert third.reply_to_message.reply_to_message is None


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"url": "http://bot.example/hook"}, "HTTPS URL"),
        ({"url": "https://bot.example:9000/hook"}, "ports"),
        ({"url": "https://bot.example/hook", "secret_token": "two words"}, "unallowed characters"),
    ],
)
async def test_invalid_webhooks_are_refused(telegram, params, reason):
    assert reason in await refused(telegram, "setWebhook", **params)


async def test_polling_is_refused_while_a_webhook_is_set(telegram, bot):
    await bot.set_webhook("https://bot.example/hook")
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


# Faults


async def test_a_fault_can_be_a_flood_limit_of_one_chat(telegram, bot, ada):
    bob = telegram.person("Bob")
    telegram.add_fault("sendMessage", 429, retry_after=7, chat=ada)
    await bot.send_message(bob["id"], "hello")
    with pytest.raises(RetryAfter, match="7 seconds"):
        await bot.send_message(ada["id"], "hello")
    await bot.send_message(ada["id"], "hello")


async def test_a_fault_can_be_an_error_a_delay_or_a_lost_response(telegram, bot, ada):
    telegram.add_fault("sendMessage", 502)
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(ada["id"], "one")
    telegram.add_fault("sendMessage", seconds=0.5)
    with pytest.raises(TimedOut):
        await bot.send_message(ada["id"], "two", read_timeout=0.1)
    telegram.add_fault("sendMessage", after=True)
    with pytest.raises(NetworkError):
        await bot.send_message(ada["id"], "three")
    assert "three" in [message["text"] for message in telegram.bot_messages(ada)]


async def test_a_reply_to_a_deleted_message_is_refused_unless_it_allows_that(telegram, bot, ada):
    received = await telegram.send_text(ada, "hello")
    sent = await bot.send_message(ada["id"], "hi", reply_parameters=ReplyParameters(received["message_id"]))
    assert telegram.bot_replies(received)[0]["message_id"] == sent.message_id
    telegram.delete(received)
    gone = ReplyParameters(received["message_id"], allow_sending_without_reply=True)
    await bot.send_message(ada["id"], "hi", reply_parameters=gone)
    with pytest.raises(BadRequest, match="to be replied not found"):
        await bot.send_message(ada["id"], "hi", reply_parameters=ReplyParameters(received["message_id"]))
