"""Tests of the local Bot API server, by the real library: buttons, files, members, commands."""

import json

import pytest
from telegram import BotCommandScopeAllPrivateChats, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest

from tests.support.telegram_client import refused

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings(
        "ignore:Deprecated since version v22.2"
    ),  # RetryAfter.retry_after is to become a timedelta
]


async def test_a_callback_query_can_be_answered_until_it_expires(telegram, bot, ada):
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("👍 1", callback_data="up")]])
    sent = await bot.send_message(ada["id"], "one", reply_markup=markup)
    query = await telegram.press(ada, sent.to_dict(), "👍")
    heard = (await bot.get_updates())[-1].callback_query
    assert heard.data == "up"
    await heard.answer("Thank you")
    assert query.answers == ["Thank you"]
    query.expired = True
    with pytest.raises(BadRequest, match="Query is too old"):
        await heard.answer()


async def test_an_answer_to_a_callback_query_that_is_too_long_is_refused(telegram, bot, ada):
    query = await telegram.send_callback_query(ada, await telegram.send_text(ada, "hello"), "up")
    answer = {"callback_query_id": query.payload["id"], "text": "a" * 201}
    assert "MESSAGE_TOO_LONG" in await refused(telegram, "answerCallbackQuery", **answer)


async def test_all_sizes_of_a_photo_can_be_downloaded(telegram, bot, ada, photo_bytes):
    data = photo_bytes(size=(1600, 1200))
    await telegram.send_photo(ada, data)
    sizes = (await bot.get_updates())[0].message.photo
    assert [size.width for size in sizes] == [90, 320, 800, 1280, 1600]
    assert bytes(await (await sizes[-1].get_file()).download_as_bytearray()) == data


async def test_a_file_above_20_megabytes_cannot_be_downloaded(telegram, bot, ada):
    await telegram.send_document(ada, b"small", "huge.jpg", "image/jpeg", size=21 << 20)
    document = (await bot.get_updates())[0].message.document
    with pytest.raises(BadRequest, match="too big"):
        await document.get_file()
    with pytest.raises(BadRequest, match="Invalid file_id"):
        await bot.get_file("nothing")


async def test_members_have_a_status(telegram, bot, ada):
    bob = telegram.person("Bob")
    group = telegram.group(ada, bob)
    assert (await bot.get_chat_member(group["id"], ada["id"])).status == "creator"
    assert (await bot.get_chat_member(group["id"], bob["id"])).status == "member"
    assert (await bot.get_chat_member(group["id"], bot.id)).status == "administrator"
    with pytest.raises(BadRequest, match="Participant_id_invalid"):
        await bot.get_chat_member(group["id"], 99)


@pytest.mark.parametrize(
    ("command", "scope", "reason"),
    [
        (("Stats", "figures"), {"type": "default"}, "BOT_COMMAND_INVALID"),
        (("stats", ""), {"type": "default"}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        (("stats", "figures"), {"type": "everybody"}, "unsupported scope"),
        (("stats", "figures"), {"type": "chat", "chat_id": 99}, "chat not found"),
    ],
)
async def test_invalid_commands_are_refused(telegram, command, scope, reason):
    commands = json.dumps([{"command": command[0], "description": command[1]}])
    assert reason in await refused(telegram, "setMyCommands", commands=commands, scope=json.dumps(scope))


async def test_commands_are_stored_by_scope_and_language(telegram, bot):
    await bot.set_my_commands([("help", "Hilfe")], BotCommandScopeAllPrivateChats(), "de")
    assert telegram.commands == {"all_private_chats/de": [{"command": "help", "description": "Hilfe"}]}
