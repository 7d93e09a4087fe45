"""LABEL_CAPTIONS in the bots: "AI:" before what a model wrote, and never before what a person wrote."""

import pytest

from tests.support.telegram_world import key_of

pytestmark = pytest.mark.anyio
GERMAN = {"locale": "de"}


@pytest.fixture
def discord_settings():
    return {"label_captions": True}


async def test_answers_on_telegram(telegram, new_telegram_world, photo_bytes):
    world = new_telegram_world(label_captions=True)
    await world.start()
    ada = telegram.person("Ada", language="de")
    answer = await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    assert answer["text"] == "KI: Sentence 1."
    corrected = await telegram.send_text(ada, "A red circle on grey.", reply_to=answer)
    assert "KI:" not in (await telegram.bot_reply(corrected))["text"]
    again = await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    assert again["text"] == "A red circle on grey."  # Ada's own words, remembered
    assert world.service.captions.of_person(key_of(ada), 1)[0].text == "A red circle on grey."


async def test_answers_on_discord(discord, discord_world, photo_bytes):
    ada = discord.person("Ada")
    asked = await discord.slash("caption", ada, photo=discord.upload(photo_bytes()), **GERMAN)
    await discord.until(lambda: asked.answer)
    assert asked.answer["content"] == "KI: Sentence 1."
    listed = await discord.slash("mine", ada)
    await discord.until(lambda: listed.answer)
    assert listed.answer["content"] == "**1.** AI: Sentence 1."
