"""Tests of the Telegram bot's commands for admins: figures, models, exports."""

import pytest

from db.engine import create_engine
from db.engine import sessions as sessions_of
from tests.support.factories import make_model
from tests.support.telegram_world import ask, key_of

pytestmark = pytest.mark.anyio


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
