"""Commands of the Telegram bot: for everybody, for one's own things, and for admins."""

import pytest
from factories import make_model

from db.engine import create_engine
from db.engine import sessions as sessions_of

pytest_plugins = ["telegram_world"]
pytestmark = pytest.mark.anyio


@pytest.fixture
def ada(telegram):
    return telegram.person("Ada")


async def say(telegram, person, text, chat=None) -> dict:
    return await telegram.answer_to(await telegram.say(person, text, chat))


def buttons(message: dict) -> list[str]:
    return [button["text"] for row in message["reply_markup"]["inline_keyboard"] for button in row]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("/start", "Hello!"),
        ("/help", "🔁 another sentence"),
        ("/privacy", "after 24 hours"),
        ("/mine", "no captions yet"),
        ("/dance", "do not know that command"),
        ("/caption", "Reply with /caption"),
    ],
)
async def test_commands_are_answered(telegram, world, ada, command, answer):
    assert answer in (await say(telegram, ada, command))["text"]


async def test_commands_are_offered_by_scope_and_language(telegram, new_world, ada):
    world = new_world(admin_ids=(f"telegram:{ada['id']}", "telegram:99", "discord:5"))
    await world.start()
    admins = f"chat/{ada['id']}"
    await telegram.until(lambda: f"{admins}/de" in telegram.commands)
    names = {scope: [one["command"] for one in commands] for scope, commands in telegram.commands.items()}
    assert "settings" in names["all_private_chats"]
    assert "caption" in names["all_group_chats"]
    assert "auto" in names["all_chat_administrators"]
    assert "promote" in names[admins]
    assert all(names[scope] == names[f"{scope}/de"] for scope in names if not scope.endswith("/de"))
    german = {one["command"]: one["description"] for one in telegram.commands["all_group_chats/de"]}
    assert german["help"] == "Was ich kann"


# /settings


async def test_settings_change_at_a_tap(telegram, world, ada):
    settings = await say(telegram, ada, "/settings")
    for label, after in (("Length", "Length: long"), ("Search", "Search: quick"), ("Say", "Say when I am unsure: no")):
        await telegram.answered(await telegram.press(ada, settings, label))
        await telegram.until(lambda after=after: after in buttons(settings))
    chosen = world.service.preferences(f"telegram:{ada['id']}")
    assert (chosen.length, chosen.quality, chosen.hedging) == ("long", "quick", False)


async def test_a_setting_that_is_tapped_twice_is_changed_once(telegram, world, ada, caplog):
    settings = await say(telegram, ada, "/settings")
    data = settings["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    for _ in range(2):
        await telegram.answered(await telegram.callback(ada, settings, data))
    await telegram.settled()
    assert "Length: long" in buttons(settings)
    assert "failed" not in caplog.text


async def test_settings_reach_the_next_photo(telegram, world, ada, photo_bytes):
    settings = await say(telegram, ada, "/settings")
    await telegram.answered(await telegram.press(ada, settings, "Length"))
    await telegram.answer_to(await telegram.photo(ada, photo_bytes()))
    assert world.hand.rows()[0].options["length"] == "long"


async def test_a_chosen_language_wins_over_that_of_the_app(telegram, world, ada):
    settings = await say(telegram, ada, "/settings")
    for after in ("Language: English", "Sprache: Deutsch"):
        await telegram.answered(await telegram.press(ada, settings, "Language"))
        await telegram.until(lambda after=after: after in buttons(settings))
    assert "Schick mir ein Foto" in (await say(telegram, ada, "/help"))["text"]


async def test_consent_can_be_given_and_taken_back(telegram, world, ada):
    settings = await say(telegram, ada, "/settings")
    for agreed in (True, False):
        await telegram.answered(await telegram.press(ada, settings, "Keep my photos"))
        word = "yes" if agreed else "no"
        await telegram.until(lambda word=word: f"Keep my photos to learn from: {word}" in buttons(settings))
        assert world.service.preferences(f"telegram:{ada['id']}").training_consent is agreed


@pytest.mark.parametrize("command", ["settings", "mine", "forget"])
async def test_in_groups_ones_own_things_lead_to_the_private_chat(telegram, world, ada, command):
    answer = await say(telegram, ada, f"/{command}", telegram.group(ada))
    url = answer["reply_markup"]["inline_keyboard"][0][0]["url"]
    assert url == f"https://t.me/{telegram.bot['username']}?start={command}"
    there = await say(telegram, ada, f"/start {command}")
    assert there["text"] != (await say(telegram, ada, "/start"))["text"]


# /mine, /forget


async def test_mine_pages_through_ones_captions(telegram, world, ada, photo_bytes):
    for number in range(11):
        await telegram.answer_to(await telegram.photo(ada, photo_bytes(size=(40 + number, 30))))
    mine = await say(telegram, ada, "/mine")
    assert "Sentence 11." in mine["text"]
    assert "Sentence 1." not in mine["text"].splitlines()[-1]
    await telegram.answered(await telegram.press(ada, mine, "Older"))
    await telegram.until(lambda: mine["text"].splitlines()[-1].endswith("Sentence 1."))
    assert "reply_markup" not in mine


async def test_forget_asks_before_it_removes_everything(telegram, world, ada, photo_bytes):
    await telegram.answer_to(await telegram.photo(ada, photo_bytes()))
    sure = await say(telegram, ada, "/forget")
    assert len(world.hand.rows()) == 1
    await telegram.answered(await telegram.press(ada, sure, "Remove everything"))
    await telegram.until(lambda: "removed your one caption" in sure["text"])
    assert world.hand.rows() == []


async def test_forget_can_be_thought_better_of(telegram, world, ada, photo_bytes):
    await telegram.answer_to(await telegram.photo(ada, photo_bytes()))
    sure = await say(telegram, ada, "/forget")
    await telegram.answered(await telegram.press(ada, sure, "Keep it"))
    await telegram.until(lambda: "Nothing was removed" in sure["text"])
    assert len(world.hand.rows()) == 1


# Admins


@pytest.fixture
async def admin(telegram, new_world, ada):
    """Ada, who runs the bot."""
    world = new_world(admin_ids=(f"telegram:{ada['id']}",))
    with sessions_of(create_engine(world.settings.database_url)).begin() as session:
        make_model(session, "good", passed=True)
        make_model(session, "bad", passed=False)
    await world.start()
    return ada


@pytest.mark.parametrize("command", ["/stats", "/models", "/promote good", "/rollback", "/export"])
async def test_for_others_admin_commands_do_not_exist(telegram, admin, command):
    bob = telegram.person("Bob")
    unknown = (await say(telegram, bob, "/dance"))["text"]
    assert (await say(telegram, bob, command))["text"] == unknown


async def test_in_groups_admin_commands_are_not_answered(telegram, admin):
    group = telegram.group(admin)
    await telegram.say(admin, "/models", group)
    await telegram.settled()
    assert telegram.sent_to(group) == []


async def test_admins_see_figures_in_words_and_as_a_picture(telegram, admin, photo_bytes):
    answer = await telegram.answer_to(await telegram.photo(admin, photo_bytes()))
    await telegram.answered(await telegram.press(admin, answer, "👍"))
    asked = await telegram.say(admin, "/stats")
    words, picture = await telegram.until(lambda: len(telegram.answers_to(asked)) == 2 and telegram.answers_to(asked))
    assert "by-hand" in words["text"]
    assert words["entities"][0]["type"] == "pre"
    assert picture["photo"]


async def test_admins_see_the_models(telegram, admin):
    text = (await say(telegram, admin, "/models"))["text"]
    assert "good  passed by the judge" in text
    assert "bad  not passed" in text


async def test_admins_promote_what_the_judge_has_passed_and_go_back(telegram, admin):
    assert (await say(telegram, admin, "/promote good"))["text"] == "good serves now."
    assert "serves 100 %" in (await say(telegram, admin, "/models"))["text"]
    assert "came with me" in (await say(telegram, admin, "/rollback"))["text"]
    assert "nothing to go back to" in (await say(telegram, admin, "/rollback"))["text"]


async def test_a_model_can_be_tried_with_some_chats_first(telegram, admin):
    assert "10 %" in (await say(telegram, admin, "/promote good 10"))["text"]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("bad", "judge has not passed bad"),
        ("unknown", "unknown"),
        ("", "Which model?"),
        ("good all", "Which model?"),
        ("good 101", "Which model?"),
    ],
)
async def test_what_cannot_be_promoted_is_said(telegram, admin, words, answer):
    assert answer in (await say(telegram, admin, f"/promote {words}"))["text"]


async def test_without_feedback_there_is_no_export(telegram, admin):
    assert "no feedback to export yet" in (await say(telegram, admin, "/export"))["text"]


@pytest.fixture
async def rated(telegram, admin, photo_bytes):
    """An answer with a thumb, under a photo that may be kept."""
    answer = await telegram.answer_to(await telegram.photo(admin, photo_bytes()))
    await telegram.answered(await telegram.press(admin, answer, "👍"))
    (asked,) = await telegram.until(
        lambda: [one for one in telegram.sent_to(admin) if "May photos" in one.get("text", "")]
    )
    await telegram.answered(await telegram.press(admin, asked, "Yes"))
    return answer


async def test_admins_export_new_feedback_as_a_file(telegram, admin, rated):
    sent = await say(telegram, admin, "/export")
    assert sent["document"]["file_name"] == "feedback.zip"
    await telegram.settled()
    assert "no feedback that you do not have" in (await say(telegram, admin, "/export"))["text"]
    assert (await say(telegram, admin, "/export all"))["document"]
    await telegram.settled()
    await telegram.answered(await telegram.press(admin, rated, "👎"))
    assert (await say(telegram, admin, "/export"))["document"]


async def test_an_export_that_does_not_arrive_comes_again(telegram, admin, rated):
    telegram.fault("sendDocument", 502)
    assert (await say(telegram, admin, "/export"))["document"]
