"""Slash commands and message menus of the Discord bot, by the real discord.py over real sockets."""

import pytest
from discord_payloads import text_channel

from bots.errors import TooManyRequests

pytest_plugins = ["discord_world"]
pytestmark = pytest.mark.anyio
GERMAN = {"locale": "de"}


@pytest.fixture
def ada(discord):
    return discord.person("Ada")


@pytest.fixture
def photo(discord, photo_bytes):
    return discord.upload(photo_bytes())


async def answer(discord, asked):
    await discord.until(lambda: asked.answer)
    return asked.answer["content"]


async def test_a_photo_with_the_command_is_answered_for_all(discord, world, ada, photo):
    asked = await discord.slash("caption", ada, photo=photo)
    assert await answer(discord, asked) == "Sentence 1."
    assert not asked.ephemeral
    assert discord.sent_to(discord.channel) == [asked.answer]


async def test_it_is_acknowledged_before_the_photo_is_read(discord, world, ada, photo):
    world.hand.idle = True
    asked = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: world.hand.waiting)
    assert asked.acknowledged_at is not None
    assert asked.answer is None
    world.hand.work()
    assert await answer(discord, asked) == "Sentence 1."


async def test_only_who_asked_sees_the_answer_if_they_want_it_so(discord, world, ada, photo):
    asked = await discord.slash("caption", ada, photo=photo, visibility="me")
    assert await answer(discord, asked) == "Sentence 1."
    assert asked.ephemeral
    assert discord.sent_to(discord.channel) == []


async def test_the_length_goes_with_the_caption(discord, world, ada, photo):
    await answer(discord, await discord.slash("caption", ada, photo=photo, length="short"))
    assert world.hand.rows()[0].options["length"] == "short"


async def test_the_menu_describes_all_images_of_a_message_for_who_asked(discord, world, ada, photo_bytes):
    embed = {"type": "image", "url": "http://10.0.0.1/secret.png"}
    shown = discord.upload(photo_bytes(colour="blue"))
    embed["image"] = {"url": "http://10.0.0.1/secret.png", "proxy_url": shown["url"], "width": 1, "height": 1}
    attached = discord.upload(photo_bytes(colour="red"))
    message = await discord.post(discord.person("Bob"), attachments=[attached], embeds=[embed])
    asked = await discord.menu("Describe image", ada, message)
    assert await answer(discord, asked) == "**1.** Sentence 1.\n**2.** Sentence 2."
    assert asked.ephemeral
    labels = [button["label"] for row in asked.answer["components"] for button in row["components"]]
    assert labels == ["1", "2"]


async def test_the_other_menu_answers_for_all(discord, world, ada, photo):
    message = await discord.post(discord.person("Bob"), attachments=[photo])
    asked = await discord.menu("Describe image for all", ada, message)
    assert await answer(discord, asked) == "Sentence 1."
    assert not asked.ephemeral


async def test_a_message_without_images_is_answered_with_a_sentence(discord, world, ada):
    asked = await discord.menu("Describe image", ada, await discord.post(discord.person("Bob"), "no photo"))
    assert await answer(discord, asked) == "I see no image in that message."


async def test_what_cannot_be_read_is_named_by_its_number(discord, world, ada, photo):
    broken = discord.upload(b"no photo at all", "broken.png", content_type="image/png")
    message = await discord.post(discord.person("Bob"), attachments=[broken, photo])
    said = await answer(discord, await discord.menu("Describe image", ada, message))
    assert said.startswith("**1.** I could not read that file as a photo.")
    assert said.endswith("**2.** Sentence 1.")


async def test_a_file_that_is_no_photo_is_refused_with_a_sentence(discord, world, ada):
    file = discord.upload(b"%PDF-1.7", "paper.pdf", content_type="application/pdf")
    asked = await discord.slash("caption", ada, photo=file)
    assert "could not read that file" in await answer(discord, asked)
    assert world.hand.rows() == []


async def test_a_file_above_the_limit_is_not_even_fetched(discord, world, ada, photo_bytes):
    file = discord.upload(photo_bytes(), size=30_000_000)
    del discord.files[file["url"].partition("/cdn/")[2]]
    asked = await discord.slash("caption", ada, photo=file)
    assert await answer(discord, asked) == ("That file has 30 MB, and I take at most 20 MB. Please send a smaller one.")


async def test_a_file_that_discord_does_not_give_is_said_to_be_missing(discord, world, ada, photo):
    discord.files.clear()
    asked = await discord.slash("caption", ada, photo=photo)
    assert await answer(discord, asked) == "I could not fetch that picture. Please try once more."


async def test_a_failed_caption_is_answered_without_buttons(discord, world, ada, photo):
    world.hand.fails = "I could not describe this photo."
    asked = await discord.slash("caption", ada, photo=photo)
    assert await answer(discord, asked) == "I could not describe this photo."
    assert asked.answer["components"] == []


async def test_too_many_requests_are_told_when_to_come_back(discord, world, ada, photo):
    world.service.limits = Refusing()
    said = await answer(discord, await discord.slash("caption", ada, photo=photo, **GERMAN))
    assert said == "Das war viel auf einmal. Bitte versuch es in 2 Minuten noch einmal."


class Refusing:
    """Limits that are used up."""

    def spend(self, person: str) -> None:
        raise TooManyRequests(retry_after=100)


async def test_who_installed_the_bot_uses_it_in_servers_where_it_is_no_member(discord, world, ada, photo):
    elsewhere = text_channel("77") | {"guild_id": "88"}
    discord.channels["77"] = elsewhere
    discord.no_access.add("77")
    asked = await discord.slash("caption", ada, photo=photo, channel="77", installed_by=ada["id"])
    assert await answer(discord, asked) == "Sentence 1."
    voted = await discord.press(discord.person("Bob"), asked.answer, "👍", installed_by=ada["id"])
    await discord.until(lambda: voted.answered)
    assert world.service.result(world.hand.rows()[0].public_id, person=None).votes.up == 1


async def test_it_works_in_a_group_of_people(discord, world, ada, photo):
    group = {"id": "99", "type": 3, "recipients": [ada, discord.person("Bob")], "name": None, "icon": None}
    discord.channels["99"] = group | {"owner_id": ada["id"]}
    asked = await discord.slash("caption", ada, photo=photo, channel="99", installed_by=ada["id"])
    assert await answer(discord, asked) == "Sentence 1."
    assert world.hand.rows()[0].chat == "discord:@me/99"


async def test_it_works_in_private(discord, world, ada, photo):
    direct = discord.direct_channel(ada)["id"]
    asked = await discord.slash("caption", ada, photo=photo, channel=direct)
    assert await answer(discord, asked) == "Sentence 1."
    assert world.hand.rows()[0].chat is None


async def test_the_same_photo_is_known_at_once(discord, world, ada, photo):
    await answer(discord, await discord.slash("caption", ada, photo=photo))
    world.hand.idle = True
    await answer(discord, await discord.slash("caption", ada, photo=photo))
    assert len(world.hand.rows()) == 2


async def test_captions_do_not_ping_and_are_not_formatted(discord, world, ada, photo):
    asked = await discord.slash("caption", ada, photo=photo)
    await answer(discord, asked)
    (edited,) = discord.called("PATCH", r"/webhooks/.*")
    assert edited.body["allowed_mentions"]["parse"] == []


async def test_mine_lists_the_last_captions_with_a_button_each(discord, world, ada, photo_bytes):
    for colour in ("red", "blue"):
        photo = discord.upload(photo_bytes(colour=colour))
        await answer(discord, await discord.slash("caption", ada, photo=photo))
    listed = await discord.slash("mine", ada)
    assert await answer(discord, listed) == "**1.** Sentence 2.\n**2.** Sentence 1."
    picked = await discord.press(ada, listed.answer, "2")
    assert await answer(discord, picked) == "Sentence 1."
    assert picked.ephemeral


async def test_mine_without_captions_says_how_to_begin(discord, world, ada):
    assert "/caption" in await answer(discord, await discord.slash("mine", ada))


async def test_settings_are_changed_and_shown_in_the_chosen_language(discord, world, ada):
    given = {"length": "short", "quality": "quick", "language": "de", "hedging": False, "training": True}
    said = await answer(discord, await discord.slash("settings", ada, **given))
    assert said.splitlines()[:2] == ["**Länge:** kurz", "**Qualität:** schnell"]
    chosen = world.service.preferences(f"discord:{ada['id']}")
    assert (chosen.length, chosen.quality, chosen.hedging, chosen.training_consent) == ("short", "quick", False, True)


async def test_forget_asks_first_and_then_removes_everything(discord, world, ada, photo):
    await answer(discord, await discord.slash("caption", ada, photo=photo))
    asked = await discord.slash("forget", ada)
    await discord.until(lambda: asked.answer)
    assert len(world.hand.rows()) == 1
    sure = await discord.press(ada, asked.answer, "Remove everything")
    await discord.until(lambda: sure.answered)
    assert asked.answer["content"].startswith("I have removed your one caption")
    assert world.hand.rows() == []


@pytest.mark.parametrize(("command", "word"), [("privacy", "24 hours"), ("help", "/caption")])
async def test_the_bot_explains_itself(discord, world, ada, command, word):
    asked = await discord.slash(command, ada)
    assert word in await answer(discord, asked)
    assert asked.ephemeral


async def test_people_are_answered_in_the_language_of_their_discord(discord, world, ada):
    assert "beschreibt ein Foto" in await answer(discord, await discord.slash("help", ada, **GERMAN))


async def test_an_error_of_ours_is_a_sentence_not_a_traceback(discord, world, ada, photo):
    world.service.limits = None
    said = await answer(discord, await discord.slash("caption", ada, photo=photo))
    assert said == "Something went wrong on my side. Please try again later."


async def test_a_command_that_comes_too_late_is_let_go(discord, world, ada, photo):
    discord.acknowledge_seconds = 0
    await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: discord.called("POST", "/interactions/.*"))
    discord.acknowledge_seconds = 60
    await answer(discord, await discord.slash("help", ada))
    assert world.hand.rows() == []
