"""The commands of Discord that describe photos: /caption and the context menus, with the real discord.py."""

import logging

import pytest

from bots.discord import downloads
from bots.errors import TooManyRequests
from tests.support.discord_payloads import text_channel
from tests.support.discord_world import answer
from tests.support.service_parts import limit_submissions

pytestmark = pytest.mark.anyio
GERMAN = {"locale": "de"}


async def test_the_caption_command_answers_so_that_all_can_read_it(discord, discord_world, ada, photo):
    interaction = await discord.slash("caption", ada, photo=photo)
    assert await answer(discord, interaction) == "Sentence 1."
    assert not interaction.ephemeral
    assert discord.sent_to(discord.channel) == [interaction.answer]


async def test_the_command_is_acknowledged_before_its_photo_is_captioned(discord, discord_world, ada, photo):
    discord_world.hand.idle = True
    interaction = await discord.slash("caption", ada, photo=photo)
    await discord.until(lambda: discord_world.hand.waiting)
    assert interaction.acknowledged_at is not None
    assert interaction.answer is None
    discord_world.hand.work()
    assert await answer(discord, interaction) == "Sentence 1."


async def test_the_answer_is_ephemeral_if_the_person_wants_that(discord, discord_world, ada, photo):
    interaction = await discord.slash("caption", ada, photo=photo, visibility="me")
    assert await answer(discord, interaction) == "Sentence 1."
    assert interaction.ephemeral
    assert discord.sent_to(discord.channel) == []


async def test_the_chosen_length_is_stored_with_the_caption(discord, discord_world, ada, photo):
    await answer(discord, await discord.slash("caption", ada, photo=photo, length="short"))
    assert discord_world.hand.rows()[0].options.length == "short"


async def test_the_context_menu_describes_all_images_of_a_message_ephemerally(discord, discord_world, ada, photo_bytes):
    embed = {"type": "image", "url": "http://10.0.0.1/secret.png"}
    shown = discord.upload(photo_bytes(colour="blue"))
    embed["image"] = {"url": "http://10.0.0.1/secret.png", "proxy_url": shown["url"], "width": 1, "height": 1}
    attached = discord.upload(photo_bytes(colour="red"))
    message = await discord.post(discord.person("Bob"), attachments=[attached], embeds=[embed])
    interaction = await discord.menu("Describe image", ada, message)
    assert await answer(discord, interaction) == "**1.** Sentence 1.\n**2.** Sentence 2."
    assert interaction.ephemeral
    labels = [button["label"] for row in interaction.answer["components"] for button in row["components"]]
    assert labels == ["1", "2"]


async def test_the_other_context_menu_answers_so_that_all_can_read_it(discord, discord_world, ada, photo):
    message = await discord.post(discord.person("Bob"), attachments=[photo])
    interaction = await discord.menu("Describe image for all", ada, message)
    assert await answer(discord, interaction) == "Sentence 1."
    assert not interaction.ephemeral


async def test_the_context_menu_says_when_a_message_has_no_images(discord, discord_world, ada):
    interaction = await discord.menu("Describe image", ada, await discord.post(discord.person("Bob"), "no photo"))
    assert await answer(discord, interaction) == "I can't see a photo in that message."


async def test_an_unreadable_image_of_several_is_reported_by_its_number(discord, discord_world, ada, photo):
    broken = discord.upload(b"no photo at all", "broken.png", content_type="image/png")
    message = await discord.post(discord.person("Bob"), attachments=[broken, photo])
    text = await answer(discord, await discord.menu("Describe image", ada, message))
    assert text.startswith("**1.** I can't read that file.")
    assert text.endswith("**2.** Sentence 1.")


async def test_a_file_that_is_no_photo_is_refused_with_an_explanation(discord, discord_world, ada):
    file = discord.upload(b"%PDF-1.7", "paper.pdf", content_type="application/pdf")
    interaction = await discord.slash("caption", ada, photo=file)
    assert "can't read that file" in await answer(discord, interaction)
    assert discord_world.hand.rows() == []


async def test_a_file_above_the_limit_is_not_downloaded(discord, discord_world, ada, photo_bytes):
    file = discord.upload(photo_bytes(), size=30_000_000)
    del discord.files[file["url"].partition("/cdn/")[2]]
    interaction = await discord.slash("caption", ada, photo=file)
    assert await answer(discord, interaction) == ("That file is 30 MB. The limit is 20 MB. Please send a smaller one.")


SIGNED = "external/a%3Ab/https/example.org/Photo%28copy%29.jpg?ex=1&hm=Zm9v%3D&name=a%2Bb+c%20d"


@pytest.mark.parametrize("redirected", [False, True])
async def test_a_signed_url_is_requested_byte_for_byte(discord, discord_world, ada, photo_bytes, redirected):
    url = discord.serve(photo_bytes(), SIGNED)
    if redirected:
        discord.redirects["moved"], url = url, f"{discord.url}/cdn/moved"
    embed = {"type": "image", "url": "https://example.org", "image": {"url": "https://example.org", "proxy_url": url}}
    message = await discord.post(discord.person("Bob"), embeds=[embed])
    interaction = await discord.menu("Describe image", ada, message)
    assert await answer(discord, interaction) == "Sentence 1."


@pytest.mark.parametrize("status", [429, 503, 408])
async def test_a_download_that_is_refused_for_a_moment_is_repeated(
    discord, discord_world, ada, photo, monkeypatch, status
):
    monkeypatch.setattr(downloads, "RETRY_DELAY", 0.01)
    discord.fault("GET", "/cdn/.*", status, times=2)
    interaction = await discord.slash("caption", ada, photo=photo)
    assert await answer(discord, interaction) == "Sentence 1."


async def test_a_failed_download_is_reported(discord, discord_world, ada, photo):
    discord.files.clear()
    interaction = await discord.slash("caption", ada, photo=photo)
    assert await answer(discord, interaction) == "I couldn't download that photo. Please try again."


async def test_a_failed_caption_is_answered_without_buttons(discord, discord_world, ada, photo):
    discord_world.hand.fails = "Sorry, I couldn't describe this photo."
    interaction = await discord.slash("caption", ada, photo=photo)
    assert await answer(discord, interaction) == "Sorry, I couldn't describe this photo."
    assert interaction.answer["components"] == []


async def test_the_answer_to_too_many_requests_says_how_long_to_wait(discord, discord_world, ada, photo):
    limit_submissions(discord_world.service, Refusing())
    text = await answer(discord, await discord.slash("caption", ada, photo=photo, **GERMAN))
    assert text == "Das Limit ist vorerst erreicht. Bitte versuch es in 2 Minuten noch einmal."


class Refusing:
    """A rate limit that is used up."""

    def hit(self, person: str) -> None:
        raise TooManyRequests(retry_after=100)


async def test_people_who_installed_the_bot_can_use_it_in_servers_where_it_is_no_member(
    discord, discord_world, ada, photo
):
    elsewhere = text_channel("77") | {"guild_id": "88"}
    discord.channels["77"] = elsewhere
    discord.no_access.add("77")
    interaction = await discord.slash("caption", ada, photo=photo, channel="77", installed_by=ada["id"])
    assert await answer(discord, interaction) == "Sentence 1."
    voted = await discord.press(discord.person("Bob"), interaction.answer, "👍", installed_by=ada["id"])
    await discord.until(lambda: voted.answered)
    assert discord_world.service.captions.get(discord_world.hand.rows()[0].public_id, person=None).votes.up == 1


async def test_the_caption_command_works_in_a_group_chat(discord, discord_world, ada, photo):
    group = {"id": "99", "type": 3, "recipients": [ada, discord.person("Bob")], "name": None, "icon": None}
    discord.channels["99"] = group | {"owner_id": ada["id"]}
    interaction = await discord.slash("caption", ada, photo=photo, channel="99", installed_by=ada["id"])
    assert await answer(discord, interaction) == "Sentence 1."
    assert discord_world.hand.rows()[0].chat == "discord:@me/99"


async def test_the_caption_command_works_in_a_direct_message(discord, discord_world, ada, photo):
    direct = discord.direct_channel(ada)["id"]
    interaction = await discord.slash("caption", ada, photo=photo, channel=direct)
    assert await answer(discord, interaction) == "Sentence 1."
    assert discord_world.hand.rows()[0].chat is None


async def test_the_same_photo_is_answered_without_captioning_it_again(discord, discord_world, ada, photo):
    await answer(discord, await discord.slash("caption", ada, photo=photo))
    discord_world.hand.idle = True
    await answer(discord, await discord.slash("caption", ada, photo=photo))
    assert len(discord_world.hand.rows()) == 2


async def test_the_log_tells_which_caption_an_image_became(discord, discord_world, ada, photo, caplog):
    caplog.set_level(logging.DEBUG, "bots.discord.submissions")
    await answer(discord, await discord.slash("caption", ada, photo=photo))
    assert [record.caption for record in caplog.records] == [discord_world.hand.rows()[0].id]


async def test_captions_mention_nobody(discord, discord_world, ada, photo):
    interaction = await discord.slash("caption", ada, photo=photo)
    await answer(discord, interaction)
    (edited,) = discord.called("PATCH", r"/webhooks/.*")
    assert edited.body["allowed_mentions"]["parse"] == []
