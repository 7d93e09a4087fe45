"""The /admin commands of the Discord bot: statistics, models and export, for the people in ADMIN_IDS only."""

import io
import zipfile

import pytest

from db import model_registry

pytestmark = pytest.mark.anyio
ADMIN = "4711"


@pytest.fixture
def discord_settings():
    return {"admin_ids": (f"discord:{ADMIN}",)}


@pytest.fixture
def admin(discord):
    return discord.person("Root") | {"id": ADMIN}


@pytest.fixture
def registered(discord_world):
    with discord_world.service.backend.sessions.begin() as session:
        model_registry.register(session, "m-good", "/models/good", {}, passed=True)
        model_registry.register(session, "m-bad", "/models/bad", {}, passed=False)


async def answer(discord, person, command, **given):
    interaction = await discord.slash(f"admin {command}", person, **given)
    await discord.until(lambda: interaction.answer)
    assert interaction.ephemeral
    return interaction.answer["content"]


@pytest.mark.parametrize("command", ["stats", "models", "export", "rollback"])
async def test_people_who_are_not_admins_are_refused(discord, discord_world, command):
    assert await answer(discord, discord.person(), command) == "Only whoever runs this bot can do that."


async def test_people_who_are_not_admins_cannot_promote(discord, discord_world, registered):
    text = await answer(discord, discord.person(), "promote", version="m-good")
    assert text == "Only whoever runs this bot can do that."
    assert [model.percent for model in discord_world.service.admin.models()] == [0, 0]


async def test_stats_are_a_table(discord, discord_world, admin, photo_bytes):
    interaction = await discord.slash("caption", admin, photo=discord.upload(photo_bytes()))
    await discord.until(lambda: interaction.answer)
    text = await answer(discord, admin, "stats")
    assert "by-hand" in text
    assert text.startswith("```")


async def test_models_are_listed_with_their_status(discord, discord_world, admin, registered):
    text = await answer(discord, admin, "models")
    assert "m-good  passed its tests" in text
    assert "m-bad  not passed" in text


async def test_a_model_that_has_passed_is_promoted_and_rolled_back(discord, discord_world, admin, registered):
    assert "m-good is now in use." in await answer(discord, admin, "promote", version="m-good")
    assert "in use: 100 %" in await answer(discord, admin, "models")
    assert "The built-in model is now in use." in await answer(discord, admin, "rollback")


async def test_a_model_can_be_promoted_for_some_of_the_chats(discord, discord_world, admin, registered):
    text = await answer(discord, admin, "promote", version="m-good", percent=10)
    assert "m-good is now used in 10 % of chats." in text


async def test_a_model_that_has_not_passed_is_refused(discord, discord_world, admin, registered):
    text = await answer(discord, admin, "promote", version="m-bad")
    assert text == "m-bad hasn't passed its tests, so it can't be used."


async def test_without_feedback_the_export_says_so(discord, discord_world, admin):
    assert (await answer(discord, admin, "export")).startswith("No feedback yet")


async def test_feedback_is_exported_as_a_file(discord, discord_world, admin, photo_bytes):
    ada = discord.person("Ada")
    interaction = await discord.slash("caption", ada, photo=discord.upload(photo_bytes()))
    await discord.until(lambda: interaction.answer)
    discord_world.service.people.set_consent(f"discord:{ada['id']}", True)
    discord_world.service.feedback.vote(discord_world.hand.rows()[0].public_id, person=f"discord:{ada['id']}", value=1)
    exported = await discord.slash("admin export", admin)
    await discord.until(lambda: exported.answer)
    (file,) = exported.answer["attachments"]
    with zipfile.ZipFile(io.BytesIO(discord.files[file["url"].partition("/cdn/")[2]])) as archive:
        assert "manifest.json" in {name.rpartition("/")[2] for name in archive.namelist()}
    await discord.until(lambda: discord_world.service.admin._last_export(f"discord:{ADMIN}"))
    assert (await answer(discord, admin, "export")).startswith("No new feedback")
    everything = await discord.slash("admin export", admin, everything=True)
    await discord.until(lambda: everything.answer and everything.answer["attachments"])
