"""Tests of where the Telegram bot finds images: in all kinds of messages, in other chats; and what it says without."""

import pytest
from telegram import Message

from bots.telegram.attachments import find_image, find_missing
from tests.support.telegram_world import key_of

pytestmark = pytest.mark.anyio
FACE = {"file_id": "face", "file_unique_id": "f", "width": 90, "height": 90, "file_size": 1000}
SMALL, LARGE = (
    {"file_id": f"photo-{side}", "file_unique_id": str(side), "width": side, "height": 60, "file_size": side}
    for side in (320, 1280)
)
FILM = {"file_id": "film", "file_unique_id": "v", "width": 640, "height": 480, "duration": 3}
PREVIEW = {"thumbnail": SMALL}
STICKER = {"file_id": "sticker", "file_unique_id": "s", "width": 512, "height": 512, "type": "regular"}
STILL = STICKER | {"is_animated": False, "is_video": False}
SONG = {"file_id": "song", "file_unique_id": "m", "duration": 60, "mime_type": "audio/mpeg"}
PAPER = {"file_id": "paper", "file_unique_id": "p", "mime_type": "application/pdf"}
PERSON = {"id": 5, "is_bot": False, "first_name": "Ada"}


def message(**content) -> Message:
    sent = {"message_id": 7, "date": 1, "chat": {"id": 5, "type": "private"}, "from": PERSON}
    return Message.de_json(sent | content, None)


@pytest.mark.parametrize(
    ("content", "kind", "file"),
    [
        ({"photo": [SMALL, LARGE]}, "photo", "photo-1280"),
        ({"document": PAPER | {"mime_type": "image/png"}}, "photo", "paper"),
        *(
            (
                {"document": {**PAPER, "mime_type": "application/octet-stream", "file_name": f"A.{name}"}},
                "photo",
                "paper",
            )
            for name in ("JFIF", "hif", "jpe", "heif")
        ),
        ({"document": FILM | {"mime_type": "video/mp4"} | PREVIEW}, "video", "photo-320"),
        ({"sticker": STILL}, "sticker", "sticker"),
        ({"sticker": STICKER | PREVIEW | {"is_animated": True, "is_video": False}}, "sticker", "photo-320"),
        ({"video": FILM | PREVIEW}, "video", "photo-320"),
        ({"video": FILM | PREVIEW | {"cover": [SMALL, LARGE]}}, "video", "photo-1280"),
        ({"animation": FILM | PREVIEW, "document": FILM | PREVIEW}, "animation", "photo-320"),
        ({"live_photo": FILM | {"photo": [SMALL, LARGE]}}, "photo", "photo-1280"),
        ({"game": {"title": "Chess", "description": "-", "photo": [LARGE]}}, "photo", "photo-1280"),
        ({"new_chat_photo": [LARGE]}, "photo", "photo-1280"),
        ({"hologram": {"depth": 3, "pictures": [SMALL, LARGE]}}, "photo", "photo-1280"),
    ],
)
def test_an_image_is_found_in_whatever_carries_it(content, kind, file):
    image = find_image(message(**content))
    assert (image.kind, image.file_id, image.spoiler) == (kind, file, False)


PAID_PHOTO, PAID_PREVIEW = {"type": "photo", "photo": [LARGE]}, {"type": "preview", "width": 9, "height": 9}


def test_paid_media_that_the_bot_sees_are_described_as_a_spoiler():
    image = find_image(message(paid_media={"star_count": 1, "paid_media": [PAID_PREVIEW, PAID_PHOTO]}))
    assert (image.file_id, image.spoiler) == ("photo-1280", True)


STORY = {"id": 3, "chat": {"id": -5, "type": "channel", "title": "News"}}


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ({"text": "hello"}, None),
        ({"voice": SONG}, None),
        ({"audio": SONG | PREVIEW}, None),
        ({"document": PAPER | PREVIEW}, None),
        ({"video": FILM}, "video"),
        ({"sticker": STICKER | {"is_animated": True, "is_video": False}}, "video"),
        ({"story": STORY}, "story"),
        ({"paid_media": {"star_count": 1, "paid_media": [PAID_PREVIEW]}}, "paid"),
    ],
)
def test_what_bots_cannot_see_is_named(content, missing):
    assert find_image(message(**content)) is None
    assert find_missing(message(**content)) == missing


@pytest.mark.parametrize("field", ["reply_to_message", "pinned_message"])
def test_pictures_of_other_messages_are_not_those_of_this_one(field):
    other = {"message_id": 6, "date": 1, "chat": {"id": 5, "type": "private"}, "from": PERSON, "photo": [LARGE]}
    assert find_image(message(text="nice", **{field: other})) is None


# In chats


@pytest.fixture
def group(telegram, ada):
    return telegram.group(ada)


def quoted(telegram, photo_bytes, **content) -> dict:
    """A message of another chat, as it comes with a reply to it."""
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Bob"}
    return {"origin": origin} | (content or {"photo": telegram.files.add_photo(photo_bytes())})


@pytest.mark.parametrize("words", ["/caption", "look, @{name}"])
async def test_a_photo_of_another_chat_is_described_for_whoever_asks(
    telegram, telegram_world, ada, group, photo_bytes, words
):
    text = words.format(name=telegram.bot["username"])
    asked = await telegram.send_text(ada, text, group, external_reply=quoted(telegram, photo_bytes))
    assert (await telegram.bot_reply(asked))["text"] == "Sentence 1."
    assert len(telegram_world.service.captions.of_person(key_of(ada), 5)) == 1


@pytest.mark.parametrize("words", ["/caption", "and this one?"])
async def test_a_photo_of_another_chat_is_described_in_private(telegram, telegram_world, ada, photo_bytes, words):
    asked = await telegram.send_text(ada, words, external_reply=quoted(telegram, photo_bytes))
    assert (await telegram.bot_reply(asked))["text"] == "Sentence 1."


async def test_a_spoiler_of_another_chat_stays_hidden(telegram, telegram_world, ada, group, photo_bytes):
    external = quoted(telegram, photo_bytes) | {"has_media_spoiler": True}
    asked = await telegram.send_text(ada, "/caption", group, external_reply=external)
    assert [entity["type"] for entity in (await telegram.bot_reply(asked))["entities"]] == ["spoiler"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"external_reply": {"paid_media": {"star_count": 1, "paid_media": [PAID_PREVIEW]}}}, "paid photos"),
        ({"external_reply": {"story": STORY}}, "doesn't show stories"),
        ({"external_reply": {"video": FILM}}, "no preview"),
        ({"external_reply": {"voice": SONG}}, "can't see a photo in that message"),
        ({"reply_to_story": STORY}, "doesn't show stories"),
        ({}, "Reply with /caption to a photo"),
    ],
)
async def test_caption_says_what_is_missing(telegram, telegram_world, ada, group, photo_bytes, content, sentence):
    if "external_reply" in content:
        content = {"external_reply": quoted(telegram, photo_bytes, **content["external_reply"])}
    asked = await telegram.send_text(ada, "/caption", group, **content)
    assert sentence in (await telegram.bot_reply(asked))["text"]


async def test_caption_under_a_text_says_that_there_is_no_picture(telegram, telegram_world, ada, group):
    text = await telegram.send_text(ada, "hello", group)
    asked = await telegram.send_text(ada, "/caption", group, reply_to=text)
    assert "can't see a photo in that message" in (await telegram.bot_reply(asked))["text"]


async def test_caption_under_a_video_without_a_preview_says_what_is_missing(telegram, telegram_world, ada, group):
    words = {"caption": "/caption", "caption_entities": [{"type": "bot_command", "offset": 0, "length": 8}]}
    sent = await telegram.send(ada, group, video=FILM, **words)
    assert "no preview" in (await telegram.bot_reply(sent))["text"]


async def test_a_new_picture_of_a_group_is_described_only_on_request(telegram, telegram_world, ada, group, photo_bytes):
    await telegram.bot_reply(await telegram.send_text(ada, "/auto on", group))
    changed = await telegram.send(ada, group, new_chat_photo=telegram.files.add_photo(photo_bytes()))
    await telegram.all_confirmed()
    assert telegram_world.hand.rows() == []
    await telegram.send_text(ada, "/caption", group, reply_to=changed)
    assert (await telegram.bot_reply(changed))["text"] == "Sentence 1."
