"""Tests of the Telegram bot's commands: for everybody, and for a person's settings and data."""

import pytest

from tests.support.factories import make_undeletable
from tests.support.telegram_world import ask, key_of, labels

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("/start", "Hello!"),
        ("/help", "🔁 try another description"),
        ("/privacy", "after 24 hours"),
        ("/mine", "have any descriptions yet"),
        ("/dance", "don't know that command"),
        ("/caption", "Reply with /caption"),
    ],
)
async def test_commands_are_answered(telegram, telegram_world, ada, command, answer):
    assert answer in (await ask(telegram, ada, command))["text"]


async def test_commands_are_registered_by_scope_and_language(telegram, new_telegram_world, ada):
    telegram_world = new_telegram_world(admin_ids=(key_of(ada), "telegram:99", "discord:5"))
    await telegram_world.start()
    admins = f"chat/{ada['id']}"
    await telegram.wait_until(lambda: f"{admins}/de" in telegram.commands)
    names = {scope: [one["command"] for one in commands] for scope, commands in telegram.commands.items()}
    assert "settings" in names["all_private_chats"]
    assert "caption" in names["all_group_chats"]
    assert "auto" in names["all_chat_administrators"]
    assert "promote" in names[admins]
    assert all(names[scope] == names[f"{scope}/de"] for scope in names if not scope.endswith("/de"))
    german = {one["command"]: one["description"] for one in telegram.commands["all_group_chats/de"]}
    assert german["help"] == "Was ich kann"


# /settings


async def test_pressing_a_button_changes_a_setting(telegram, telegram_world, ada):
    settings = await ask(telegram, ada, "/settings")
    for label, after in (
        ("Length", "Length: long"),
        ("Quality", "Quality: quick"),
        ("Say", "Say when I'm not sure: no"),
    ):
        await telegram.query_answer(await telegram.press(ada, settings, label))
        await telegram.wait_until(lambda after=after: after in labels(settings))
    chosen = telegram_world.service.people.preferences(key_of(ada))
    assert (chosen.length, chosen.quality, chosen.hedging) == ("long", "quick", False)


async def test_pressing_the_same_setting_twice_changes_it_once(telegram, telegram_world, ada, caplog):
    settings = await ask(telegram, ada, "/settings")
    data = settings["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    for _ in range(2):
        await telegram.query_answer(await telegram.send_callback_query(ada, settings, data))
    await telegram.all_confirmed()
    assert "Length: long" in labels(settings)
    assert "failed" not in caplog.text


async def test_settings_apply_to_the_next_photo(telegram, telegram_world, ada, photo_bytes):
    settings = await ask(telegram, ada, "/settings")
    await telegram.query_answer(await telegram.press(ada, settings, "Length"))
    await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    assert telegram_world.hand.rows()[0].options.length == "long"


async def test_a_chosen_language_overrides_that_of_the_app(telegram, telegram_world, ada):
    settings = await ask(telegram, ada, "/settings")
    for after in ("Language: English", "Sprache: Deutsch"):
        await telegram.query_answer(await telegram.press(ada, settings, "Language"))
        await telegram.wait_until(lambda after=after: after in labels(settings))
    assert "Schick mir Fotos" in (await ask(telegram, ada, "/help"))["text"]


async def test_consent_can_be_given_and_withdrawn(telegram, telegram_world, ada):
    settings = await ask(telegram, ada, "/settings")
    for agreed in (True, False):
        await telegram.query_answer(await telegram.press(ada, settings, "Use my photos"))
        word = "yes" if agreed else "no"
        await telegram.wait_until(lambda word=word: f"Use my photos to improve the bot: {word}" in labels(settings))
        assert telegram_world.service.people.preferences(key_of(ada)).training_consent is agreed


@pytest.mark.parametrize("command", ["settings", "mine", "forget"])
async def test_private_commands_in_a_group_link_to_the_private_chat(telegram, telegram_world, ada, command):
    answer = await ask(telegram, ada, f"/{command}", telegram.group(ada))
    url = answer["reply_markup"]["inline_keyboard"][0][0]["url"]
    assert url == f"https://t.me/{telegram.bot['username']}?start={command}"
    there = await ask(telegram, ada, f"/start {command}")
    assert there["text"] != (await ask(telegram, ada, "/start"))["text"]


# /mine, /forget


async def test_mine_shows_the_persons_captions_in_pages(telegram, telegram_world, ada, photo_bytes):
    for number in range(11):
        await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes(size=(40 + number, 30))))
    mine = await ask(telegram, ada, "/mine")
    assert "Sentence 11." in mine["text"]
    assert "Sentence 1." not in mine["text"].splitlines()[-1]
    await telegram.query_answer(await telegram.press(ada, mine, "Older"))
    await telegram.wait_until(lambda: mine["text"].splitlines()[-1].endswith("Sentence 1."))
    assert "reply_markup" not in mine


async def test_forget_removes_everything_after_a_confirmation(telegram, telegram_world, ada, photo_bytes):
    await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    sure = await ask(telegram, ada, "/forget")
    assert len(telegram_world.hand.rows()) == 1
    await telegram.query_answer(await telegram.press(ada, sure, "Delete everything"))
    await telegram.wait_until(lambda: "deleted your one description" in sure["text"])
    assert telegram_world.hand.rows() == []


async def test_forget_says_what_cannot_be_deleted_yet(telegram, telegram_world, ada, photo_bytes):
    await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    make_undeletable(telegram_world.service.backend.store)
    sure = await ask(telegram, ada, "/forget")
    await telegram.query_answer(await telegram.press(ada, sure, "Delete everything"))
    await telegram.wait_until(lambda: "I'm still deleting one file" in sure["text"])
    assert telegram_world.hand.rows() == []


async def test_forget_can_be_cancelled(telegram, telegram_world, ada, photo_bytes):
    await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    sure = await ask(telegram, ada, "/forget")
    await telegram.query_answer(await telegram.press(ada, sure, "Cancel"))
    await telegram.wait_until(lambda: "Nothing was deleted" in sure["text"])
    assert len(telegram_world.hand.rows()) == 1


async def test_the_button_under_privacy_shows_the_rest(telegram, telegram_world, ada):
    short = await telegram.bot_reply(await telegram.send_text(ada, "/privacy"))
    before = short["text"]
    assert "365 days" not in before
    await telegram.query_answer(await telegram.press(ada, short, "More"))
    await telegram.wait_until(lambda: "365 days" in short["text"])
    assert short["text"].startswith(before)
    assert "reply_markup" not in short
