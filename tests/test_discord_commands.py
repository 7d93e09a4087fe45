"""The other commands of the Discord bot: a person's captions, settings and data, help, and what fails."""

import pytest

from tests.support.discord_world import answer
from tests.support.factories import make_undeletable
from tests.support.service_parts import limit_submissions

pytestmark = pytest.mark.anyio
GERMAN = {"locale": "de"}


async def test_mine_lists_the_latest_captions_with_a_button_each(discord, discord_world, ada, photo_bytes):
    for colour in ("red", "blue"):
        photo = discord.upload(photo_bytes(colour=colour))
        await answer(discord, await discord.slash("caption", ada, photo=photo))
    listed = await discord.slash("mine", ada)
    assert await answer(discord, listed) == "**1.** Sentence 2.\n**2.** Sentence 1."
    picked = await discord.press(ada, listed.answer, "2")
    assert await answer(discord, picked) == "Sentence 1."
    assert picked.ephemeral


async def test_mine_without_captions_says_how_to_begin(discord, discord_world, ada):
    assert "/caption" in await answer(discord, await discord.slash("mine", ada))


async def test_settings_are_changed_and_shown_in_the_chosen_language(discord, discord_world, ada):
    given = {"length": "short", "quality": "quick", "language": "de", "hedging": False, "training": True}
    text = await answer(discord, await discord.slash("settings", ada, **given))
    assert text.splitlines()[:2] == ["**Länge:** kurz", "**Qualität:** schnell"]
    chosen = discord_world.service.people.preferences(f"discord:{ada['id']}")
    assert (chosen.length, chosen.quality, chosen.hedging, chosen.training_consent) == ("short", "quick", False, True)


async def test_forget_asks_first_and_then_removes_everything(discord, discord_world, ada, photo):
    await answer(discord, await discord.slash("caption", ada, photo=photo))
    interaction = await discord.slash("forget", ada)
    await discord.until(lambda: interaction.answer)
    assert len(discord_world.hand.rows()) == 1
    confirmed = await discord.press(ada, interaction.answer, "Delete everything")
    await discord.until(lambda: confirmed.answered)
    assert interaction.answer["content"].startswith("Done. I've deleted your one description")
    assert discord_world.hand.rows() == []


async def test_forget_says_what_cannot_be_deleted_yet(discord, discord_world, ada, photo):
    await answer(discord, await discord.slash("caption", ada, photo=photo))
    make_undeletable(discord_world.service.backend.store)
    interaction = await discord.slash("forget", ada)
    await discord.until(lambda: interaction.answer)
    await discord.press(ada, interaction.answer, "Delete everything")
    await discord.until(lambda: "I'm still deleting one file" in interaction.answer["content"])
    assert discord_world.hand.rows() == []


@pytest.mark.parametrize(("command", "word"), [("privacy", "24 hours"), ("help", "/caption")])
async def test_privacy_and_help_explain_the_bot(discord, discord_world, ada, command, word):
    interaction = await discord.slash(command, ada)
    assert word in await answer(discord, interaction)
    assert interaction.ephemeral


async def test_people_are_answered_in_the_language_of_their_client(discord, discord_world, ada):
    assert "beschreibt ein Foto" in await answer(discord, await discord.slash("help", ada, **GERMAN))


async def test_an_internal_error_of_a_command_is_answered_with_an_apology(discord, discord_world, ada, photo):
    limit_submissions(discord_world.service, None)
    text = await answer(discord, await discord.slash("caption", ada, photo=photo))
    assert text == "Sorry, something went wrong. Please try again later."


async def test_a_command_that_can_no_longer_be_acknowledged_is_dropped(discord, discord_world, ada, photo):
    discord.acknowledge_seconds = 0
    await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: discord.called("POST", "/interactions/.*"))
    discord.acknowledge_seconds = 60
    await answer(discord, await discord.slash("help", ada))
    assert discord_world.hand.rows() == []
