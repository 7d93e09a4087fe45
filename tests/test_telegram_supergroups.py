"""Tests of Telegram groups that become supergroups: a group gets another id, and what it had stays with it."""

import pytest

from tests.support.telegram_world import key_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def group(telegram, ada, bob):
    return telegram.group(ada, bob, type="group")


@pytest.fixture
async def answer(telegram, telegram_world, ada, group, photo_bytes):
    """The answer to a photo of Ada's in the group, before it becomes a supergroup."""
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption")
    answer = await telegram.bot_reply(photo)
    await telegram.wait_until(lambda: telegram_world.hand.rows()[0].message)
    return answer


async def upgraded(telegram, ada, group, new_first=False):
    new = await telegram.upgrade(ada, group, new_first=new_first)
    await telegram.all_confirmed()
    return new


def said(telegram, chat) -> list[str]:
    return [message["text"] for message in telegram.bot_messages(chat)]


@pytest.mark.parametrize("new_first", [False, True])
@pytest.mark.parametrize("shown_in_new", [False, True])
async def test_everybody_can_vote_on_what_was_described_before(
    telegram, telegram_world, ada, bob, group, answer, new_first, shown_in_new
):
    new = await upgraded(telegram, ada, group, new_first)
    message = answer | ({"chat": new} if shown_in_new else {})
    up = answer["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    assert await telegram.query_answer(await telegram.send_callback_query(bob, message, up)) == "Thank you!"
    assert telegram_world.hand.votes() == {1: 1}
    assert said(telegram, new) == []


async def test_another_sentence_for_a_photo_from_before_is_sent_to_the_supergroup(
    telegram, telegram_world, ada, bob, group, answer
):
    new = await upgraded(telegram, ada, group)
    assert "One moment" in await telegram.query_answer(await telegram.press(bob, answer, "🔁"))
    (again,) = await telegram.wait_until(lambda: telegram.bot_messages(new))
    assert again["text"] == "Sentence 2."
    await telegram.query_answer(await telegram.press(bob, again, "👍"))
    assert telegram_world.hand.votes() == {2: 1}


async def test_what_was_described_before_can_be_corrected(telegram, telegram_world, ada, bob, group, answer):
    new = await upgraded(telegram, ada, group)
    await telegram.query_answer(await telegram.press(bob, answer, "✏️"))
    (question,) = await telegram.wait_until(lambda: telegram.bot_messages(new))
    await telegram.send_text(bob, "A red bicycle", new, reply_to=question)
    assert "A red bicycle" in (await telegram.wait_until(lambda: telegram.bot_messages(new)[1:]))[0]["text"]


async def test_a_reaction_to_an_answer_from_before_counts_and_one_to_a_new_message_of_its_number_does_not(
    telegram, telegram_world, ada, bob, group, answer
):
    new = await upgraded(telegram, ada, group)
    await telegram.react(bob, answer | {"chat": new}, "👎")
    await telegram.react(bob, answer, "👍")
    await telegram.all_confirmed()
    assert telegram_world.hand.votes() == {1: 1}


async def test_a_photo_with_the_number_of_one_from_before_gets_its_own_caption(
    telegram, telegram_world, ada, group, answer, photo_bytes
):
    new = await upgraded(telegram, ada, group)
    telegram._next_message = answer["message_id"] - 2
    photo = await telegram.send_photo(ada, photo_bytes(colour="blue"), new, caption="/caption")
    assert photo["message_id"] == answer["reply_to_message"]["message_id"]
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 2."


@pytest.mark.parametrize("new_first", [False, True])
async def test_auto_stays_on_and_is_not_switched_on_again(telegram, telegram_world, ada, group, new_first):
    await telegram.bot_reply(await telegram.send_text(ada, "/auto on", group))
    new = await upgraded(telegram, ada, group, new_first)
    assert telegram_world.service.chats.get(key_of(new)).auto
    telegram_world.service.chats.change(key_of(new), auto=False)
    telegram_world.service.chats.move(key_of(group), key_of(new))
    assert not telegram_world.service.chats.get(key_of(new)).auto
    assert not telegram_world.service.chats.get(key_of(group)).auto


async def test_an_answer_that_was_on_its_way_is_sent_to_the_supergroup(
    telegram, telegram_world, ada, bob, group, photo_bytes
):
    telegram_world.hand.idle = True
    await telegram.send_photo(ada, photo_bytes(), group, caption="/caption")
    await telegram.wait_until(lambda: telegram_world.hand.waiting)
    new = await upgraded(telegram, ada, group)
    telegram_world.hand.work()
    (answer,) = await telegram.wait_until(lambda: telegram.bot_messages(new))
    assert answer["text"] == "Sentence 1."
    await telegram.query_answer(await telegram.press(bob, answer, "👍"))
    assert telegram_world.hand.votes() == {1: 1}


async def test_a_command_from_before_is_answered_in_the_supergroup(telegram, new_telegram_world, ada, group):
    await telegram.send_text(ada, "/help", group)
    new = await telegram.upgrade(ada, group)
    await new_telegram_world().start()
    await telegram.wait_until(lambda: any("Reply to a photo" in text for text in said(telegram, new)))


async def test_what_an_anonymous_administrator_sent_stays_theirs(telegram, telegram_world, ada, group, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes(), group, caption="/caption", sender_chat=group)
    await telegram.bot_reply(photo)
    new = await upgraded(telegram, ada, group)
    assert len(telegram_world.service.captions.of_person(key_of(new), 5)) == 1
