"""Tests of photos in private chats on Telegram: images of all kinds, and refusals. The library is the real one."""

import io

import pillow_heif
import pytest
from PIL import Image

from tests.support.telegram_world import button_labels

pytestmark = pytest.mark.anyio
pillow_heif.register_heif_opener()


def encode(data: bytes, format: str) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).save(buffer, format)
    return buffer.getvalue()


async def test_a_photo_is_answered_with_a_sentence_and_buttons(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes())
    answer = await telegram.bot_reply(photo)
    assert answer["text"] == "Sentence 1."
    assert button_labels(answer) == [["👍 Good", "👎 Bad"], ["🔁 Another", "✏️ Edit", "🗑 Delete"]]


async def test_typing_is_shown_until_the_answer(telegram, telegram_world, ada, photo_bytes):
    telegram_world.hand.idle = True
    await telegram.send_photo(ada, photo_bytes())
    await telegram.wait_until(lambda: telegram_world.hand.waiting)
    assert telegram.calls_of("sendChatAction", ada)
    assert telegram.bot_messages(ada) == []


async def test_the_smallest_sufficient_size_of_a_photo_is_downloaded(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes(size=(2000, 1500)))
    await telegram.bot_reply(photo)
    (call,) = telegram.calls_of("getFile")
    size = next(size for size in photo["photo"] if size["file_id"] == call.params["file_id"])
    assert size["width"] == 1280


@pytest.mark.parametrize(
    ("format", "name", "mime"),
    [
        ("HEIF", "IMG_1.HEIC", "image/heic"),
        ("HEIF", "IMG_2.heic", "application/octet-stream"),
        ("PNG", "drawing.png", "image/png"),
        ("GIF", "drawing.gif", "image/gif"),
        ("JPEG", "photo.jpg", None),
    ],
)
async def test_an_image_sent_as_a_file_is_captioned(telegram, telegram_world, ada, photo_bytes, format, name, mime):
    sent = await telegram.send_document(ada, encode(photo_bytes(), format), name, mime)
    assert (await telegram.bot_reply(sent))["text"] == "Sentence 1."


async def test_the_caption_of_a_sticker_is_labelled(telegram, telegram_world, ada, photo_bytes):
    sent = await telegram.send_sticker(ada, encode(photo_bytes(), "WEBP"))
    assert (await telegram.bot_reply(sent))["text"] == "Sticker: Sentence 1."


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("animation", "Animation: Sentence 1."),
        ("video", "Video: Sentence 1."),
        ("video_note", "Video: Sentence 1."),
        ("sticker", "Sticker: Sentence 1."),
    ],
)
async def test_videos_and_animations_are_captioned_by_their_thumbnail(
    telegram, telegram_world, ada, photo_bytes, kind, text
):
    sent = await telegram.send_video(ada, kind, photo_bytes())
    assert (await telegram.bot_reply(sent))["text"] == text


async def test_a_video_sent_as_a_file_is_captioned_by_its_thumbnail(telegram, telegram_world, ada, photo_bytes):
    thumbnail = {"thumbnail": telegram.files.add_thumbnail(photo_bytes())}
    sent = await telegram.send_document(ada, b"film", "film.mp4", "video/mp4", more=thumbnail)
    assert (await telegram.bot_reply(sent))["text"] == "Video: Sentence 1."


async def test_a_video_without_a_thumbnail_is_answered_with_what_it_lacks(telegram, telegram_world, ada):
    sent = await telegram.send_video(ada, "video", None)
    assert "no preview" in (await telegram.bot_reply(sent))["text"]


@pytest.mark.parametrize("content", [{"text": "hello"}, {"voice": {"duration": 1}}, {"location": None}])
async def test_other_messages_are_answered_with_what_works(telegram, telegram_world, ada, content):
    if "voice" in content:
        content["voice"] |= telegram.files.add(b"la la", "voice")
    if "location" in content:
        content["location"] = {"latitude": 1.0, "longitude": 2.0}
    sent = await telegram.send(ada, **content)
    assert "JPEG, PNG" in (await telegram.bot_reply(sent))["text"]


async def test_a_file_that_is_no_image_is_not_downloaded(telegram, telegram_world, ada):
    sent = await telegram.send_document(ada, b"%PDF", "paper.pdf", "application/pdf")
    assert "JPEG, PNG" in (await telegram.bot_reply(sent))["text"]
    assert telegram.calls_of("getFile") == []


async def test_a_file_that_is_only_named_like_an_image_is_refused(telegram, telegram_world, ada):
    sent = await telegram.send_document(ada, b"%PDF", "photo.jpg", "image/jpeg")
    assert "can't read that file" in (await telegram.bot_reply(sent))["text"]
    assert telegram_world.hand.rows() == []


async def test_a_file_above_the_size_limit_is_not_downloaded(telegram, telegram_world, ada):
    sent = await telegram.send_document(ada, b"huge", "huge.jpg", "image/jpeg", size=50_000_000)
    assert "50 MB" in (await telegram.bot_reply(sent))["text"]
    assert telegram.calls_of("getFile") == []


async def test_a_file_that_bots_cannot_download_is_refused(telegram, new_telegram_world, ada):
    telegram_world = new_telegram_world(max_photo_mb=100)
    await telegram_world.start()
    sent = await telegram.send_document(ada, b"huge", "huge.jpg", "image/jpeg", size=50_000_000)
    assert "too large" in (await telegram.bot_reply(sent))["text"]


async def test_a_failed_caption_is_answered_with_its_error(telegram, telegram_world, ada, photo_bytes):
    telegram_world.hand.fails = "Sorry, I couldn't describe this photo. Please try another one."
    photo = await telegram.send_photo(ada, photo_bytes())
    answer = await telegram.bot_reply(photo)
    assert "couldn't describe" in answer["text"]
    assert button_labels(answer) == []


async def test_a_photo_above_the_rate_limit_is_refused(telegram, new_telegram_world, ada, photo_bytes):
    telegram_world = new_telegram_world(rate_limit="1/hour")
    await telegram_world.start()
    await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    second = await telegram.send_photo(ada, photo_bytes(colour="blue"))
    assert "the limit for now" in (await telegram.bot_reply(second))["text"]


async def test_several_photos_above_the_rate_limit_get_one_notice(telegram, new_telegram_world, ada, photo_bytes):
    telegram_world = new_telegram_world(rate_limit="1/hour")
    await telegram_world.start()
    await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "green", "blue", "yellow")])
    await telegram.all_confirmed()
    await telegram.wait_until(lambda: len(telegram.bot_messages(ada)) == 2)
    assert sorted("the limit for now" in message["text"] for message in telegram.bot_messages(ada)) == [False, True]


async def test_answers_are_in_the_language_of_the_persons_app(telegram, telegram_world):
    jan = telegram.person("Jan", language="de-AT")
    message = await telegram.send_text(jan, "/help")
    assert "Schick mir Fotos" in (await telegram.bot_reply(message))["text"]


async def test_messages_are_sent_without_link_previews(telegram, telegram_world, ada, photo_bytes):
    await telegram.bot_reply(await telegram.send_photo(ada, photo_bytes()))
    (call,) = telegram.calls_of("sendMessage")
    assert '"is_disabled": true' in call.params["link_preview_options"]
