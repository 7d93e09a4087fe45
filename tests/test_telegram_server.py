"""Tests of the local Bot API server, by the real library and by calls that the real API refuses."""

import asyncio
import json

import aiohttp
import pytest
import telegram
from telegram import ForceReply, InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter

from tests.support.telegram_server import PATIENCE, TelegramServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings(
        "ignore:Deprecated since version v22.2"
    ),  # RetryAfter.retry_after is to become a timedelta
]


@pytest.fixture
async def server():
    async with TelegramServer() as server:
        yield server


@pytest.fixture
async def bot(server):
    async with make_bot(server) as bot:
        yield bot


@pytest.fixture
def ada(server):
    return server.person("Ada")


def make_bot(server: TelegramServer, token: str = "") -> telegram.Bot:
    urls = {"base_url": f"{server.url}/bot", "base_file_url": f"{server.url}/file/bot"}
    return telegram.Bot(token or server.token, **urls)


async def call(server: TelegramServer, method: str, **params: object) -> dict:
    """Call a method without the library."""
    url = f"{server.url}/bot{server.token}/{method}"
    async with aiohttp.ClientSession() as http, http.post(url, json=params) as answer:
        body = await answer.json()
        assert answer.status == body.get("error_code", 200)
        return body


async def refused(server: TelegramServer, method: str, **params: object) -> str:
    body = await call(server, method, **params)
    assert not body["ok"]
    return body["description"]


async def test_get_me_returns_the_bot(server, bot):
    assert bot.username == server.bot["username"]


@pytest.mark.parametrize("token", ["1234:wrong", "malformed"])
async def test_a_wrong_token_is_refused(server, token):
    with pytest.raises(InvalidToken):
        async with make_bot(server, token):
            pass


async def test_an_unknown_method_is_not_found(server):
    assert await refused(server, "sendEverything") == "Not Found"


# Updates


async def test_updates_are_returned_until_the_offset_passes_them(server, bot, ada):
    await server.send_text(ada, "hello")
    first = (await bot.get_updates())[0]
    assert (await bot.get_updates())[0] == first
    assert await bot.get_updates(offset=first.update_id + 1, timeout=0) == ()
    assert server.confirmed == first.update_id + 1


async def test_a_long_poll_ends_when_a_message_arrives(server, bot, ada):
    waiting = asyncio.create_task(bot.get_updates(timeout=10))
    await asyncio.sleep(0.05)
    await server.send_text(ada, "hello")
    assert (await asyncio.wait_for(waiting, PATIENCE))[0].message.text == "hello"


async def test_the_first_of_two_pollers_gets_a_conflict(server, bot):
    first = asyncio.create_task(bot.get_updates(timeout=100))
    await server.wait_until(lambda: server.calls_of("getUpdates", code=None))
    assert (await call(server, "getUpdates", timeout=0))["result"] == []
    with pytest.raises(Conflict):
        await asyncio.wait_for(first, PATIENCE)


async def test_a_poll_returns_at_most_a_hundred_updates(server, bot, ada):
    for number in range(101):
        await server.send_text(ada, str(number))
    assert len(await bot.get_updates()) == 100
    assert "limit" in await refused(server, "getUpdates", limit=101)


async def test_reactions_are_sent_only_if_allowed_updates_has_them(server, bot, ada):
    sent = await server.send_text(ada, "hello")
    await server.react(ada, sent, "👍")
    await bot.get_updates(allowed_updates=["message_reaction"])
    await server.react(ada, sent)
    await server.send_text(ada, "not asked for")
    updates = await bot.get_updates(timeout=0)
    assert [update.message_reaction is not None for update in updates] == [False, True]
    assert updates[1].message_reaction.old_reaction[0].emoji == "👍"
    assert updates[1].message_reaction.new_reaction == ()


async def test_a_bot_that_is_no_administrator_gets_only_messages_addressed_to_it(server, bot, ada, photo_bytes):
    await bot.get_updates(allowed_updates=["message", "message_reaction"])
    group = server.group(ada, bot="member")
    photo = await server.send_photo(ada, photo_bytes(), group)
    await server.react(ada, photo, "👍")
    await server.send_text(ada, "lovely", group)
    await server.send_text(ada, "/caption", group, reply_to=photo)
    await server.send_text(ada, f"what is that, @{server.bot['username']}?", group)
    texts = [update.message.text for update in await bot.get_updates()]
    assert [text.split()[0] for text in texts] == ["/caption", "what"]


async def test_unknown_kinds_of_updates_are_refused(server):
    assert "allowed_updates" in await refused(server, "getUpdates", allowed_updates='["messages"]')


async def test_replies_are_not_nested(server, bot, ada):
    first = await server.send_text(ada, "one")
    second = await server.send_text(ada, "two", reply_to=first)
    await server.send_text(ada, "three", reply_to=second)
    third = (await bot.get_updates())[-1].message
    assert third.reply_to_message.text == "two"
    assert third.reply_to_message.reply_to_message is None


# Messages


async def test_a_message_can_be_sent_edited_and_deleted(server, bot, ada):
    sent = await bot.send_message(ada["id"], "one")
    await bot.edit_message_text("two", ada["id"], sent.message_id)
    assert [message["text"] for message in server.bot_messages(ada)] == ["two"]
    await bot.delete_message(ada["id"], sent.message_id)
    assert server.bot_messages(ada) == []


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
async def test_invalid_messages_are_refused(server, ada, params, reason):
    assert reason in await refused(server, "sendMessage", **{"chat_id": ada["id"]} | params)


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
async def test_invalid_buttons_are_refused(server, ada, button, reason):
    markup = json.dumps({"inline_keyboard": [[button]]})
    assert reason in await refused(server, "sendMessage", chat_id=ada["id"], text="a", reply_markup=markup)


async def test_too_many_buttons_are_refused(server, ada):
    rows = [[{"text": "a", "callback_data": "b"}] for _ in range(101)]
    markup = json.dumps({"inline_keyboard": rows})
    assert "TOO_LONG" in await refused(server, "sendMessage", chat_id=ada["id"], text="a", reply_markup=markup)


async def test_an_edit_that_changes_nothing_is_refused(server, bot, ada):
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("a", callback_data="b")]])
    sent = await bot.send_message(ada["id"], "one", reply_markup=markup)
    for again in (
        bot.edit_message_text("one", ada["id"], sent.message_id, reply_markup=markup),
        bot.edit_message_reply_markup(ada["id"], sent.message_id, reply_markup=markup),
    ):
        with pytest.raises(BadRequest, match="not modified"):
            await again


async def test_only_messages_of_the_bot_can_be_edited(server, bot, ada):
    received = await server.send_text(ada, "hello")
    with pytest.raises(BadRequest, match="can't be edited"):
        await bot.edit_message_text("bye", ada["id"], received["message_id"])
    with pytest.raises(BadRequest, match="to edit not found"):
        await bot.edit_message_text("bye", ada["id"], 99)


async def test_messages_to_a_person_who_blocked_the_bot_are_refused(server, bot, ada):
    await server.set_bot_status(ada, server.chats[ada["id"]], "blocked")
    with pytest.raises(Forbidden, match="blocked"):
        await bot.send_message(ada["id"], "hello")


async def test_forced_replies_are_recorded(server, bot, ada):
    sent = await bot.send_message(ada["id"], "why?", reply_markup=ForceReply(input_field_placeholder="because"))
    assert [message["message_id"] for message in server.forced_replies] == [sent.message_id]
    assert sent.reply_markup is None


async def test_photos_and_documents_can_be_sent(server, bot, ada, photo_bytes):
    photo = await bot.send_photo(ada["id"], photo_bytes())
    document = await bot.send_document(ada["id"], b"words", filename="a.txt")
    assert photo.photo[-1].width == 64
    assert document.document.file_name == "a.txt"
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(ada["id"], b"words")


async def test_an_unknown_chat_action_is_refused(server, ada):
    assert "action" in await refused(server, "sendChatAction", chat_id=ada["id"], action="dreaming")


# Buttons, files, members, settings


async def test_a_callback_query_can_be_answered_until_it_expires(server, bot, ada):
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("👍 1", callback_data="up")]])
    sent = await bot.send_message(ada["id"], "one", reply_markup=markup)
    query = await server.press(ada, sent.to_dict(), "👍")
    heard = (await bot.get_updates())[-1].callback_query
    assert heard.data == "up"
    await heard.answer("Thank you")
    assert query.answers == ["Thank you"]
    query.expired = True
    with pytest.raises(BadRequest, match="Query is too old"):
        await heard.answer()


async def test_an_answer_to_a_callback_query_that_is_too_long_is_refused(server, bot, ada):
    query = await server.send_callback_query(ada, await server.send_text(ada, "hello"), "up")
    answer = {"callback_query_id": query.payload["id"], "text": "a" * 201}
    assert "MESSAGE_TOO_LONG" in await refused(server, "answerCallbackQuery", **answer)


async def test_all_sizes_of_a_photo_can_be_downloaded(server, bot, ada, photo_bytes):
    data = photo_bytes(size=(1600, 1200))
    await server.send_photo(ada, data)
    sizes = (await bot.get_updates())[0].message.photo
    assert [size.width for size in sizes] == [90, 320, 800, 1280, 1600]
    assert bytes(await (await sizes[-1].get_file()).download_as_bytearray()) == data


async def test_a_file_above_20_megabytes_cannot_be_downloaded(server, bot, ada):
    await server.send_document(ada, b"small", "huge.jpg", "image/jpeg", size=21 << 20)
    document = (await bot.get_updates())[0].message.document
    with pytest.raises(BadRequest, match="too big"):
        await document.get_file()
    with pytest.raises(BadRequest, match="Invalid file_id"):
        await bot.get_file("nothing")


async def test_members_have_a_status(server, bot, ada):
    bob = server.person("Bob")
    group = server.group(ada, bob)
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
async def test_invalid_commands_are_refused(server, command, scope, reason):
    commands = json.dumps([{"command": command[0], "description": command[1]}])
    assert reason in await refused(server, "setMyCommands", commands=commands, scope=json.dumps(scope))


async def test_commands_are_stored_by_scope_and_language(server, bot):
    await bot.set_my_commands([("help", "Hilfe")], telegram.BotCommandScopeAllPrivateChats(), "de")
    assert server.commands == {"all_private_chats/de": [{"command": "help", "description": "Hilfe"}]}


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"url": "http://bot.example/hook"}, "HTTPS URL"),
        ({"url": "https://bot.example:9000/hook"}, "ports"),
        ({"url": "https://bot.example/hook", "secret_token": "two words"}, "unallowed characters"),
    ],
)
async def test_invalid_webhooks_are_refused(server, params, reason):
    assert reason in await refused(server, "setWebhook", **params)


async def test_polling_is_refused_while_a_webhook_is_set(server, bot):
    await bot.set_webhook("https://bot.example/hook")
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


# Faults


async def test_a_fault_can_be_a_flood_limit_of_one_chat(server, bot, ada):
    bob = server.person("Bob")
    server.add_fault("sendMessage", 429, retry_after=7, chat=ada)
    await bot.send_message(bob["id"], "hello")
    with pytest.raises(RetryAfter, match="7 seconds"):
        await bot.send_message(ada["id"], "hello")
    await bot.send_message(ada["id"], "hello")


async def test_a_fault_can_be_an_error_a_delay_or_a_lost_response(server, bot, ada):
    server.add_fault("sendMessage", 502)
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(ada["id"], "one")
    server.add_fault("sendMessage", seconds=0.5)
    with pytest.raises(telegram.error.TimedOut):
        await bot.send_message(ada["id"], "two", read_timeout=0.1)
    server.add_fault("sendMessage", after=True)
    with pytest.raises(NetworkError):
        await bot.send_message(ada["id"], "three")
    assert "three" in [message["text"] for message in server.bot_messages(ada)]


async def test_a_reply_to_a_deleted_message_is_refused_unless_it_allows_that(server, bot, ada):
    received = await server.send_text(ada, "hello")
    sent = await bot.send_message(ada["id"], "hi", reply_parameters=ReplyParameters(received["message_id"]))
    assert server.bot_replies(received)[0]["message_id"] == sent.message_id
    server.delete(received)
    gone = ReplyParameters(received["message_id"], allow_sending_without_reply=True)
    await bot.send_message(ada["id"], "hi", reply_parameters=gone)
    with pytest.raises(BadRequest, match="to be replied not found"):
        await bot.send_message(ada["id"], "hi", reply_parameters=ReplyParameters(received["message_id"]))
