"""Tests of the local Bot API server, by the real library: messages, which can be sent, edited and deleted."""

import json

import pytest
from telegram import ForceReply, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden

from tests.support.telegram_client import refused

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings(
        "ignore:Deprecated since version v22.2"
    ),  # RetryAfter.retry_after is to become a timedelta
]


async def test_a_message_can_be_sent_edited_and_deleted(telegram, bot, ada):
    sent = await bot.send_message(ada["id"], "one")
    await bot.edit_message_text("two", ada["id"], sent.message_id)
    assert [message["text"] for message in telegram.bot_messages(ada)] == ["two"]
    await bot.delete_message(ada["id"], sent.message_id)
    assert telegram.bot_messages(ada) == []


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"chat_id": 1, "text": "a"}, "chat not found"),
        ({"chat_id": "", "text": "a"}, "chat_id is empty"),
        ({"text": " "}, "message text is empty"),
        ({"text": "a" * 4097}, "message is too long"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"text": "a", "message_thread_id": 5}, "message thread not found"),
        ({"text": "a", "reply_parameters": '{"message_id": 99}'}, "message to be replied not found"),
        ({"text": "a", "reply_parameters": "{"}, "can't parse reply_parameters"),
        ({"text": "a", "entities": '[{"type": "bold", "offset": 0, "length": 2}]'}, "ENTITY_BOUNDS_INVALID"),
        ({"text": "a", "entities": '[{"type": "loud", "offset": 0, "length": 1}]'}, "unknown type"),
        ({"text": "a", "entities": '[{"type": "text_link", "offset": 0, "length": 1}]'}, "ENTITY_URL_INVALID"),
    ],
)
async def test_invalid_messages_are_refused(telegram, ada, params, reason):
    assert reason in await refused(telegram, "sendMessage", **{"chat_id": ada["id"]} | params)


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ({"text": "a", "callback_data": "b" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "a", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "", "callback_data": "b"}, "Button text is empty"),
        ({"text": "a"}, "Text buttons are unallowed"),
        ({"text": "a", "url": "captions"}, "BUTTON_URL_INVALID"),
    ],
)
async def test_invalid_buttons_are_refused(telegram, ada, button, reason):
    markup = json.dumps({"inline_keyboard": [[button]]})
    assert reason in await refused(telegram, "sendMessage", chat_id=ada["id"], text="a", reply_markup=markup)


async def test_too_many_buttons_are_refused(telegram, ada):
    rows = [[{"text": "a", "callback_data": "b"}] for _ in range(101)]
    markup = json.dumps({"inline_keyboard": rows})
    assert "TOO_LONG" in await refused(telegram, "sendMessage", chat_id=ada["id"], text="a", reply_markup=markup)


async def test_an_edit_that_changes_nothing_is_refused(telegram, bot, ada):
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("a", callback_data="b")]])
    sent = await bot.send_message(ada["id"], "one", reply_markup=markup)
    for again in (
        bot.edit_message_text("one", ada["id"], sent.message_id, reply_markup=markup),
        bot.edit_message_reply_markup(ada["id"], sent.message_id, reply_markup=markup),
    ):
        with pytest.raises(BadRequest, match="not modified"):
            await again


async def test_only_messages_of_the_bot_can_be_edited(telegram, bot, ada):
    received = await telegram.send_text(ada, "hello")
    with pytest.raises(BadRequest, match="can't be edited"):
        await bot.edit_message_text("bye", ada["id"], received["message_id"])
    with pytest.raises(BadRequest, match="to edit not found"):
        await bot.edit_message_text("bye", ada["id"], 99)


async def test_messages_to_a_person_who_blocked_the_bot_are_refused(telegram, bot, ada):
    await telegram.set_bot_status(ada, telegram.chats[ada["id"]], "blocked")
    with pytest.raises(Forbidden, match="blocked"):
        await bot.send_message(ada["id"], "hello")


async def test_forced_replies_are_recorded(telegram, bot, ada):
    sent = await bot.send_message(ada["id"], "why?", reply_markup=ForceReply(input_field_placeholder="because"))
    assert [message["message_id"] for message in telegram.forced_replies] == [sent.message_id]
    assert sent.reply_markup is None


async def test_photos_and_documents_can_be_sent(telegram, bot, ada, photo_bytes):
    photo = await bot.send_photo(ada["id"], photo_bytes())
    document = await bot.send_document(ada["id"], b"words", filename="a.txt")
    assert photo.photo[-1].width == 64
    assert document.document.file_name == "a.txt"
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(ada["id"], b"words")


async def test_an_unknown_chat_action_is_refused(telegram, ada):
    assert "action" in await refused(telegram, "sendChatAction", chat_id=ada["id"], action="dreaming")
