"""/admin of the Discord bot: figures, models, feedback, for the people in ADMIN_IDS only."""

import io
import zipfile

import pytest

from db import model_registry

pytest_plugins = ["discord_world"]
pytestmark = pytest.mark.anyio
ADMIN = "4711"


@pytest.fixture
def settings_of_world():
    return {"admin_ids": (f"discord:{ADMIN}",)}


@pytest.fixture
def admin(discord):
    return discord.person("Root") | {"id": ADMIN}


@pytest.fixture
def registered(world):
    with world.service._sessions.begin() as session:
        model_registry.register(session, "m-good", "/models/good", {}, passed=True)
        model_registry.register(session, "m-bad", "/models/bad", {}, passed=False)


async def answer(discord, person, command, **given):
    asked = await discord.slash(f"admin {command}", person, **given)
    await discord.until(lambda: asked.answer)
    assert asked.ephemeral
    return asked.answer["content"]


@pytest.mark.parametrize("command", ["stats", "models", "export", "rollback"])
async def test_others_are_refused(discord, world, command):
    assert await answer(discord, discord.person(), command) == "That is only for those who run this bot."


async def test_others_cannot_promote(discord, world, registered):
    said = await answer(discord, discord.person(), "promote", version="m-good")
    assert said == "That is only for those who run this bot."
    assert [model.percent for model in world.service.models()] == [0, 0]


async def test_stats_are_a_table(discord, world, admin, photo_bytes):
    asked = await discord.slash("caption", admin, photo=discord.upload(photo_bytes()))
    await discord.until(lambda: asked.answer)
    said = await answer(discord, admin, "stats")
    assert "by-hand" in said
    assert said.startswith("```")


async def test_models_are_listed_with_what_they_do(discord, world, admin, registered):
    said = await answer(discord, admin, "models")
    assert "m-good  passed by the judge" in said
    assert "m-bad  not passed" in said


async def test_a_model_that_has_passed_is_promoted_and_taken_back(discord, world, admin, registered):
    assert "m-good serves now." in await answer(discord, admin, "promote", version="m-good")
    assert "serves 100 %" in await answer(discord, admin, "models")
    assert "The model that came with me serves now." in await answer(discord, admin, "rollback")


async def test_a_model_can_be_tried_with_some_chats(discord, world, admin, registered):
    said = await answer(discord, admin, "promote", version="m-good", percent=10)
    assert "m-good serves 10 % of the chats now." in said


async def test_a_model_that_has_not_passed_is_refused(discord, world, admin, registered):
    said = await answer(discord, admin, "promote", version="m-bad")
    assert said == "The judge has not passed m-bad, so it cannot serve."


async def test_without_feedback_the_export_says_so(discord, world, admin):
    assert (await answer(discord, admin, "export")).startswith("There is no feedback to export yet")


async def test_feedback_arrives_as_a_file(discord, world, admin, photo_bytes):
    ada = discord.person("Ada")
    asked = await discord.slash("caption", ada, photo=discord.upload(photo_bytes()))
    await discord.until(lambda: asked.answer)
    world.service.consent(f"discord:{ada['id']}", True)
    world.service.vote(world.hand.rows()[0].public_id, person=f"discord:{ada['id']}", value=1)
    exported = await discord.slash("admin export", admin)
    await discord.until(lambda: exported.answer)
    (file,) = exported.answer["attachments"]
    with zipfile.ZipFile(io.BytesIO(discord.files[file["url"].partition("/cdn/")[2]])) as archive:
        assert "manifest.json" in {name.rpartition("/")[2] for name in archive.namelist()}
    await discord.until(lambda: world.service._last_export(f"discord:{ADMIN}"))
    assert (await answer(discord, admin, "export")).startswith("There is no feedback that you do not have yet")
    everything = await discord.slash("admin export", admin, everything=True)
    await discord.until(lambda: everything.answer and everything.answer["attachments"])
