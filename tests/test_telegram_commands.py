"""Tests of the Telegram bot's commands: for everybody, for a person's settings and data, and for admins."""

import pytest

from db.engine import create_engine
from db.engine import sessions as sessions_of
from tests.support.factories import make_model, make_undeletable
from tests.support.telegram_world import key_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def ada(telegram):
    return telegram.person("Ada")


async def ask(telegram, person, text, chat=None) -> dict:
    return await telegram.bot_reply(await telegram.send_text(person, text, chat))


def button_labels(message: dict) -> list[str]:
    return [button["text"] for row in message["reply_markup"]["inline_keyboard"] for button in row]


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
        await telegram.wait_until(lambda after=after: after in button_labels(settings))
    chosen = telegram_world.service.people.preferences(key_of(ada))
    assert (chosen.length, chosen.quality, chosen.hedging) == ("long", "quick", False)


async def test_pressing_the_same_setting_twice_changes_it_once(telegram, telegram_world, ada, caplog):
    settings = await ask(telegram, ada, "/settings")
    data = settings["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    for _ in range(2):
        await telegram.query_answer(await telegram.send_callback_query(ada, settings, data))
    await telegram.all_confirmed()
    assert "Length: long" in button_labels(settings)
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
        await telegram.wait_until(lambda after=after: after in button_labels(settings))
    assert "Schick mir Fotos" in (await ask(telegram, ada, "/help"))["text"]


async def test_consent_can_be_given_and_withdrawn(telegram, telegram_world, ada):
    settings = await ask(telegram, ada, "/settings")
    for agreed in (True, False):
        await telegram.query_answer(await telegram.press(ada, settings, "Use my photos"))
        word = "yes" if agreed else "no"
        await telegram.wait_until(
            lambda word=word: f"Use my photos to improve the bot: {word}" in button_labels(settings)
        )
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


# Admins


@pytest.fixture
async def admin(telegram, new_telegram_world, ada):
    """Ada as an admin, with one model that passed and one that did not."""
    telegram_world = new_telegram_world(admin_ids=(key_of(ada),))
    with sessions_of(create_engine(telegram_world.settings.database_url)).begin() as session:
        make_model(session, "good", passed=True)
        make_model(session, "bad", passed=False)
    await telegram_world.start()
    return ada


@pytest.mark.parametrize("command", ["/stats", "/models", "/promote good", "/rollback", "/export"])
async def test_admin_commands_are_unknown_commands_to_others(telegram, admin, command):
    bob = telegram.person("Bob")
    unknown = (await ask(telegram, bob, "/dance"))["text"]
    assert (await ask(telegram, bob, command))["text"] == unknown


async def test_admin_commands_are_not_answered_in_groups(telegram, admin):
    group = telegram.group(admin)
    await telegram.send_text(admin, "/models", group)
    await telegram.all_confirmed()
    assert telegram.bot_messages(group) == []


async def test_stats_are_sent_as_a_table_and_a_chart(telegram, admin, photo_bytes):
    answer = await telegram.bot_reply(await telegram.send_photo(admin, photo_bytes()))
    await telegram.query_answer(await telegram.press(admin, answer, "👍"))
    asked = await telegram.send_text(admin, "/stats")
    words, picture = await telegram.wait_until(
        lambda: len(telegram.bot_replies(asked)) == 2 and telegram.bot_replies(asked)
    )
    assert "by-hand" in words["text"]
    assert words["entities"][0]["type"] == "pre"
    assert picture["photo"]


async def test_admins_see_the_registered_models(telegram, admin):
    text = (await ask(telegram, admin, "/models"))["text"]
    assert "good  passed its tests" in text
    assert "bad  not passed" in text


async def test_admins_promote_a_passed_model_and_roll_back(telegram, admin):
    assert (await ask(telegram, admin, "/promote good"))["text"] == "good is now in use."
    assert "in use: 100 %" in (await ask(telegram, admin, "/models"))["text"]
    assert "built-in model" in (await ask(telegram, admin, "/rollback"))["text"]
    assert "nothing to go back to" in (await ask(telegram, admin, "/rollback"))["text"]


async def test_a_model_can_be_promoted_for_a_share_of_the_chats(telegram, admin):
    assert "10 %" in (await ask(telegram, admin, "/promote good 10"))["text"]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("bad", "bad hasn't passed"),
        ("unknown", "unknown"),
        ("", "Which model?"),
        ("good all", "Which model?"),
        ("good 101", "Which model?"),
    ],
)
async def test_promote_explains_why_it_cannot_promote(telegram, admin, words, answer):
    assert answer in (await ask(telegram, admin, f"/promote {words}"))["text"]


async def test_export_without_feedback_is_refused(telegram, admin):
    assert "No feedback yet" in (await ask(telegram, admin, "/export"))["text"]


@pytest.fixture
async def rated(telegram, admin, photo_bytes):
    """An answer with a vote, under a photo that may be kept for training."""
    answer = await telegram.bot_reply(await telegram.send_photo(admin, photo_bytes()))
    await telegram.query_answer(await telegram.press(admin, answer, "👍"))
    (asked,) = await telegram.wait_until(
        lambda: [one for one in telegram.bot_messages(admin) if "Can I keep" in one.get("text", "")]
    )
    await telegram.query_answer(await telegram.press(admin, asked, "Yes"))
    return answer


async def test_admins_export_new_feedback_as_a_file(telegram, admin, rated):
    sent = await ask(telegram, admin, "/export")
    assert sent["document"]["file_name"] == "feedback.zip"
    await telegram.all_confirmed()
    assert "No new feedback" in (await ask(telegram, admin, "/export"))["text"]
    assert (await ask(telegram, admin, "/export all"))["document"]
    await telegram.all_confirmed()
    await telegram.query_answer(await telegram.press(admin, rated, "👎"))
    assert (await ask(telegram, admin, "/export"))["document"]


async def test_an_export_that_could_not_be_sent_is_sent_again(telegram, admin, rated):
    telegram.add_fault("sendDocument", 502)
    assert (await ask(telegram, admin, "/export"))["document"]


async def test_the_button_under_privacy_shows_the_rest(telegram, telegram_world, ada):
    short = await telegram.bot_reply(await telegram.send_text(ada, "/privacy"))
    before = short["text"]
    assert "365 days" not in before
    await telegram.query_answer(await telegram.press(ada, short, "More"))
    await telegram.wait_until(lambda: "365 days" in short["text"])
    assert short["text"].startswith(before)
    assert "reply_markup" not in short
