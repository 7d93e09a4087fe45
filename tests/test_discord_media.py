"""Tests of where the Discord bot finds images: components of newer messages, stickers, forwards; and what it says if
there are none.
"""

import pytest

pytestmark = pytest.mark.anyio
LINK = "https://example.org/photo.jpg"
LAYOUT = 1 << 15  # flag of messages that consist of components


@pytest.fixture(autouse=True)
def stickers_are_served_locally(discord, monkeypatch):
    monkeypatch.setattr("discord.asset.Asset.BASE", f"{discord.url}/cdn")


async def described(discord, ada, message) -> str:
    """The answer of the context menu "Describe image"."""
    interaction = await discord.menu("Describe image", ada, message)
    return (await discord.until(lambda: interaction.answer))["content"]


def unfurled(url, content_type="image/jpeg", attachment=None):
    """A media item; one from another site, which only Discord's proxy may fetch, unless it is an attachment."""
    item = {"url": attachment["url"] if attachment else LINK, "proxy_url": url, "content_type": content_type}
    return item | {"width": 64, "height": 48} | ({"attachment_id": attachment["id"]} if attachment else {})


def gallery(*media, **more):
    return {"type": 12, "items": [{"media": one} | more for one in media]}


def section(media, **more):
    text = {"type": 10, "content": "A photo of mine"}
    return {"type": 9, "components": [text], "accessory": {"type": 11, "media": media} | more}


def container(*inner, **more):
    return {"type": 17, "components": list(inner)} | more


async def post_layout(discord, bob, *components, **more):
    return await discord.post(bob, components=list(components), flags=LAYOUT, **more)


@pytest.mark.parametrize("place", ["gallery", "section", "container", "nested"])
async def test_an_image_in_a_component_is_described(discord, discord_world, ada, bob, photo_bytes, place):
    media = unfurled(discord.serve(photo_bytes(), "external/%3Dsigned/photo.jpg"))
    parts = {
        "gallery": gallery(media),
        "section": section(media),
        "container": container(gallery(media)),
        "nested": container({"type": 14}, section(media), {"type": 10, "content": "that was it"}),
    }
    message = await post_layout(discord, bob, parts[place])
    assert await described(discord, ada, message) == "Sentence 1."


async def test_all_images_of_a_layout_are_described_in_order(discord, discord_world, ada, bob, photo_bytes):
    red, green, blue = (
        unfurled(discord.serve(photo_bytes(colour=colour), colour)) for colour in ("red", "green", "blue")
    )
    message = await post_layout(discord, bob, container(section(red), gallery(green, blue)))
    assert await described(discord, ada, message) == "**1.** Sentence 1.\n**2.** Sentence 2.\n**3.** Sentence 3."


async def test_an_attachment_that_a_component_shows_is_described_once(discord, discord_world, ada, bob, photo_bytes):
    attached = discord.upload(photo_bytes())
    shown = gallery(unfurled(attached["url"], attachment=attached))
    message = await post_layout(discord, bob, shown, attachments=[attached])
    assert await described(discord, ada, message) == "Sentence 1."


async def test_an_image_as_a_file_component_is_described(discord, discord_world, ada, bob, photo_bytes):
    attached = discord.upload(photo_bytes(), content_type=None)
    file = {"type": 13, "file": unfurled(attached["url"], None, attached), "name": "photo.jpg", "size": 9}
    assert await described(discord, ada, await post_layout(discord, bob, file)) == "Sentence 1."


async def test_an_image_that_discord_does_not_proxy_is_not_requested(discord, discord_world, ada, bob):
    media = {"url": "http://10.0.0.1/secret.png"}
    message = await post_layout(discord, bob, gallery(media))
    assert await described(discord, ada, message) == "I can't see a photo in that message."


async def test_a_layout_in_a_forwarded_message_is_described(discord, discord_world, ada, bob, photo_bytes):
    media = unfurled(discord.serve(photo_bytes(), "photo.jpg"))
    snapshot = {"content": "", "attachments": [], "embeds": [], "mentions": [], "type": 0, "flags": LAYOUT}
    snapshot |= {"timestamp": "2026-01-01T00:00:00+00:00", "edited_timestamp": None, "components": [gallery(media)]}
    message = await discord.post(bob, message_snapshots=[{"message": snapshot}])
    assert await described(discord, ada, message) == "Sentence 1."


async def test_a_sticker_is_described(discord, discord_world, ada, bob, photo_bytes):
    discord.serve(photo_bytes(), "stickers/5.png")
    message = await discord.post(bob, sticker_items=[{"id": "5", "name": "wave", "format_type": 1}])
    assert await described(discord, ada, message) == "Sentence 1."


FILM = {"name": "film.mp4", "content_type": "video/mp4"}
PAPER = {"name": "paper.pdf", "content_type": "application/pdf"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"content": "hello"}, "I can't see a photo in that message."),
        ({"attachments": [PAPER]}, "There's a file in that message, but no photo."),
        ({"attachments": [FILM]}, "That's a video"),
        ({"components": [gallery(unfurled("https://example.org/film", "video/mp4"))]}, "That's a video"),
        ({"sticker_items": [{"id": "6", "name": "wave", "format_type": 3}]}, "That's an animated sticker"),
    ],
)
async def test_what_is_no_image_is_named(discord, discord_world, ada, bob, content, sentence):
    files = [discord.upload(b"-", **file) for file in content.get("attachments", [])]
    message = await discord.post(bob, **content | {"attachments": files})
    assert (await described(discord, ada, message)).startswith(sentence)


async def test_a_mention_under_a_video_says_that_it_is_one(discord, discord_world, ada):
    await discord.post(ada, f"<@{discord.bot['id']}>", attachments=[discord.upload(b"-", **FILM)])
    (reply,) = await discord.until(lambda: discord.sent_to(discord.channel))
    assert reply["content"].startswith("That's a video")


async def test_a_video_handed_over_as_a_photo_is_not_downloaded(discord, discord_world, ada):
    interaction = await discord.slash("caption", ada, photo=discord.upload(b"-", **FILM))
    assert (await discord.until(lambda: interaction.answer))["content"].startswith("That's a video")


@pytest.mark.usefixtures("message_content_intent")
async def test_stickers_in_a_channel_with_auto_are_left_alone(discord, discord_world, ada, photo_bytes):
    on = await discord.slash("auto", ada, mode="on", permissions=str(1 << 4))
    await discord.until(lambda: on.answer)
    discord.serve(photo_bytes(), "stickers/5.png")
    await discord.post(ada, sticker_items=[{"id": "5", "name": "wave", "format_type": 1}])
    help = await discord.slash("help", ada)
    await discord.until(lambda: help.answer)
    assert discord_world.hand.rows() == []


# Spoilers


def spoilers_of(discord, photo_bytes):
    """What can be hidden in a message, as arguments of `post`."""
    media = unfurled(discord.serve(photo_bytes(), "photo.jpg"))
    embed = {"type": "image", "url": LINK, "thumbnail": {"url": LINK, "proxy_url": media["proxy_url"]}}
    return {
        "name": {"attachments": [discord.upload(photo_bytes(), "SPOILER_photo.jpg")]},
        "flag": {"attachments": [discord.upload(photo_bytes()) | {"flags": 1 << 3}]},
        "gallery": {"components": [gallery(media, spoiler=True)]},
        "thumbnail": {"components": [section(media, spoiler=True)]},
        "container": {"components": [container(gallery(media), spoiler=True)]},
        "link": {"content": f"the end: || {LINK} ||", "embeds": [embed]},
    }


@pytest.mark.parametrize("place", ["name", "flag", "gallery", "thumbnail", "container", "link"])
async def test_the_caption_of_a_spoiler_is_hidden(discord, discord_world, ada, bob, photo_bytes, place):
    message = await discord.post(bob, **spoilers_of(discord, photo_bytes)[place])
    assert await described(discord, ada, message) == "||Sentence 1.||"


async def test_only_the_captions_of_spoilers_are_hidden(discord, discord_world, ada, bob, photo_bytes):
    shown, hidden = (
        discord.upload(photo_bytes(colour="red")),
        discord.upload(photo_bytes(colour="blue"), "SPOILER_a.jpg"),
    )
    message = await discord.post(bob, attachments=[shown, hidden, discord.upload(b"no photo", "SPOILER_b.jpg")])
    lines = (await described(discord, ada, message)).splitlines()
    assert lines[:2] == ["**1.** Sentence 1.", "**2.** ||Sentence 2.||"]
    assert "||" not in lines[2]


async def test_what_shows_the_caption_of_a_spoiler_later_hides_it_too(discord, discord_world, ada, photo_bytes):
    photo = discord.upload(photo_bytes(), "SPOILER_photo.jpg")
    command = await discord.slash("caption", ada, photo=photo)
    again = await discord.press(ada, await discord.until(lambda: command.answer), "🔁")
    assert (await discord.until(lambda: again.answer))["content"] == "||Sentence 2.||"
    mine = await discord.slash("mine", ada)
    assert (await discord.until(lambda: mine.answer))["content"] == "**1.** ||Sentence 2.||\n**2.** ||Sentence 1.||"
    picked = await discord.press(ada, mine.answer, "2")
    assert (await discord.until(lambda: picked.answer))["content"] == "||Sentence 1.||"


@pytest.mark.usefixtures("message_content_intent")
async def test_the_code_block_of_a_spoiler_is_hidden(discord, discord_world, ada, photo_bytes):
    on = await discord.slash("auto", ada, mode="on", permissions=str(1 << 4))
    await discord.until(lambda: on.answer)
    await discord.post(ada, attachments=[discord.upload(photo_bytes(), "SPOILER_photo.jpg")])
    (reply,) = await discord.until(lambda: discord.sent_to(discord.channel))
    assert reply["content"] == "||```\nSentence 1.\n```||"
