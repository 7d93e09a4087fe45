"""Answers on Telegram when things go wrong: floods, errors, silence, people who are gone. None is lost."""

import asyncio

import pytest

from bots.telegram_limits import Limiter

pytest_plugins = ["telegram_world"]
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Deprecated since version v22.2"),  # the library's own use of retry_after
]


@pytest.fixture
def ada(telegram):
    return telegram.person("Ada")


async def closed(telegram, world) -> str:
    """Why the one caption will never be shown."""
    return await telegram.until(lambda: world.hand.rows() and world.hand.rows()[0].closed)


async def test_when_telegram_asks_to_wait_the_answer_comes_later_and_once(telegram, world, ada, photo_bytes):
    telegram.fault("sendMessage", 429, retry_after=2)
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.answer_to(photo)
    asked_to_wait, sent = telegram.called("sendMessage", code=None)
    assert sent.at - asked_to_wait.at >= 2
    await asyncio.sleep(1.5)
    assert len(telegram.answers_to(photo)) == 1


async def test_a_command_too_is_answered_later_when_telegram_asks_to_wait(telegram, world, ada):
    telegram.fault("sendMessage", 429, retry_after=1)
    said = await telegram.say(ada, "/help")
    await telegram.answer_to(said)
    asked_to_wait, sent = telegram.called("sendMessage", code=None)
    assert sent.at - asked_to_wait.at >= 1


async def test_a_slow_answer_of_telegram_is_waited_for(telegram, world, ada, photo_bytes):
    telegram.fault("sendMessage", seconds=2)
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: world.hand.rows() and world.hand.rows()[0].delivered_at)
    assert len(telegram.answers_to(photo)) == 1


async def test_a_slow_answer_of_telegram_holds_up_nobody_else(telegram, world, ada, photo_bytes):
    slow = telegram.fault("sendMessage", chat=ada, seconds=600)
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: telegram.called("sendMessage", ada, code=None))
    bob = telegram.person("Bob")
    await telegram.answer_to(await telegram.photo(bob, photo_bytes(colour="blue")))
    assert telegram.answers_to(photo) == []
    slow.over.set()
    await telegram.answer_to(photo)


async def test_one_chat_that_has_to_wait_holds_up_no_other(telegram, world, ada, photo_bytes):
    telegram.fault("sendMessage", 429, retry_after=600, chat=ada)
    waits = await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: telegram.called("sendMessage", code=429))
    bob = telegram.person("Bob")
    await telegram.answer_to(await telegram.photo(bob, photo_bytes(colour="blue")))
    assert telegram.answers_to(waits) == []


@pytest.mark.parametrize("code", [500, 502])
async def test_after_an_error_of_the_server_the_answer_is_sent_again(telegram, world, ada, photo_bytes, code):
    telegram.fault("sendMessage", code, times=2)
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.answer_to(photo)
    assert len(telegram.answers_to(photo)) == 1


async def test_a_send_whose_answer_got_lost_is_the_only_one_that_repeats(telegram, world, ada, photo_bytes):
    telegram.fault("sendMessage", after=True)
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: len(telegram.answers_to(photo)) == 2)
    await asyncio.sleep(1.5)
    assert len(telegram.answers_to(photo)) == 2
    assert world.hand.rows()[0].message.endswith(f"/{telegram.answers_to(photo)[1]['message_id']}")


async def test_who_blocked_the_bot_is_left_in_peace(telegram, world, ada, photo_bytes):
    world.hand.idle = True
    await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: world.hand.waiting)
    await telegram.set_bot(ada, telegram.chats[ada["id"]], "blocked")
    world.hand.work()
    assert "blocked" in await closed(telegram, world)
    await asyncio.sleep(1.5)
    assert len(telegram.called("sendMessage", code=403)) == 1


async def test_a_photo_whose_message_was_deleted_gets_no_answer(telegram, world, ada, photo_bytes):
    world.hand.idle = True
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: world.hand.waiting)
    telegram.delete(photo)
    world.hand.work()
    assert "replied not found" in await closed(telegram, world)
    assert telegram.sent_to(ada) == []


async def test_a_group_that_became_a_supergroup_gets_its_answer_there(telegram, world, ada, photo_bytes):
    world.hand.idle = True
    old, new = telegram.group(ada), telegram.group(ada)
    await telegram.photo(ada, photo_bytes(), old, caption="/caption")
    await telegram.until(lambda: world.hand.waiting)
    old["moved_to"] = new["id"]
    world.hand.work()
    assert (await telegram.until(lambda: telegram.sent_to(new)))[0]["text"] == "Sentence 1."


async def test_what_was_finished_while_the_bot_was_down_is_delivered_when_it_is_back(telegram, world, ada, photo_bytes):
    world.hand.idle = True
    photos = [await telegram.photo(ada, photo_bytes(colour=colour)) for colour in ("red", "blue")]
    await telegram.until(lambda: len(world.hand.waiting) == 2)
    await world.stop()
    world.hand.work()
    await world.start()
    assert {(await telegram.answer_to(photo))["text"] for photo in photos} == {"Sentence 1.", "Sentence 2."}


async def test_a_group_has_room_for_twenty_messages_a_minute():
    limiter = Limiter()

    async def call(*args, **more):
        return True

    for _ in range(20):
        assert limiter.has_room(-5)
        await limiter.process_request(call, (), {}, "sendMessage", {"chat_id": -5}, None)
    assert not limiter.has_room(-5)
    assert limiter.has_room(-6)
    assert limiter.has_room(5)


async def test_what_a_group_has_no_room_for_waits_in_the_database(telegram, world, ada, photo_bytes):
    group = telegram.group(ada)
    bucket = world.application.parts.limiter._get_group_limiter(group["id"])
    bucket._level = 1e6  # as after many calls: it stays full for as long as the test takes
    photo = await telegram.photo(ada, photo_bytes(), group, caption="/caption")
    row = await telegram.until(lambda: next((row for row in world.hand.rows() if row.deliver_after), None))
    assert row.delivered_at is None
    assert telegram.called("sendMessage", group, code=None) == []
    bucket._level = 0
    await telegram.answer_to(photo)
