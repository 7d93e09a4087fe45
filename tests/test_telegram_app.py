"""Tests of photos in private chats on Telegram: images of all kinds, albums, edits. The library is the real one."""

import asyncio
import io

import pillow_heif
import pytest
from PIL import Image
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, TelegramError, TimedOut

from bots.telegram import update_queue
from bots.telegram.failures import seconds_until_retry

pytestmark = pytest.mark.anyio
pillow_heif.register_heif_opener()


@pytest.fixture
def ada(telegram):
    return telegram.person("Ada")


def encode(data: bytes, format: str) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).save(buffer, format)
    return buffer.getvalue()


def button_labels(message: dict) -> list[list[str]]:
    """The labels of the inline keyboard under a message, by row."""
    return [[button["text"] for button in row] for row in message.get("reply_markup", {}).get("inline_keyboard", [])]


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


# Errors of the Bot API that pass, and those that do not

UNAVAILABLE = "Bad Request: wrong file_id or the file is temporarily unavailable"


@pytest.mark.parametrize(
    ("method", "code", "why"),
    [
        ("getFile", 400, UNAVAILABLE),
        ("getFile", 400, "Bad Request: RPC_CALL_FAIL"),
        ("getFile", 500, "Internal Server Error: restart"),
        ("download", 404, "Not Found"),
        ("sendMessage", 400, "Bad Request: server is restarting, try again later"),
        ("sendMessage", 403, "Forbidden: the method is temporarily unavailable"),
    ],
)
async def test_an_error_that_passes_is_waited_for(telegram, telegram_world, ada, photo_bytes, method, code, why):
    telegram.add_fault(method, code, why=why, times=1 if method == "sendMessage" else 2)
    photo = await telegram.send_photo(ada, photo_bytes())
    assert (await telegram.bot_reply(photo))["text"] == "Sentence 1."


async def test_a_photo_that_telegram_cannot_give_is_asked_for_once_more(
    telegram, telegram_world, ada, photo_bytes, monkeypatch
):
    monkeypatch.setattr(update_queue, "FIRST_DELAY", 0.01)
    telegram.add_fault("getFile", 400, why=UNAVAILABLE, times=100)
    photo = await telegram.send_photo(ada, photo_bytes())
    assert "couldn't download that photo" in (await telegram.bot_reply(photo))["text"]
    assert len(telegram.calls_of("getFile", code=400)) == update_queue.MAX_ATTEMPTS


async def test_an_error_that_stays_is_not_waited_for(telegram, telegram_world, ada, photo_bytes):
    telegram.add_fault("getFile", 400, why="Bad Request: invalid file_id")
    photo = await telegram.send_photo(ada, photo_bytes())
    assert "couldn't download that photo" in (await telegram.bot_reply(photo))["text"]
    assert len(telegram.calls_of("getFile", code=None)) == 1


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (TimedOut(), True),
        (NetworkError("Bad Gateway"), True),
        (NetworkError("Request Entity Too Large"), False),
        (TelegramError("Invalid server response"), True),
        (InvalidToken("Unauthorized"), True),
        (BadRequest("Query is too old and response timeout expired or query id is invalid"), False),
        (BadRequest("Chat not found"), False),
        (Forbidden("Forbidden: bot was blocked by the user"), False),
        (ValueError("try again"), False),
    ],
)
def test_whether_an_error_passes_is_judged_by_what_it_says(error, passes):
    assert (seconds_until_retry(error) is not None) == passes


# Albums


async def test_an_album_gets_one_numbered_answer(telegram, telegram_world, ada, photo_bytes):
    photos = [photo_bytes(colour=colour) for colour in ("red", "green", "blue")]
    album = await telegram.send_album(ada, photos)
    answer = await telegram.bot_reply(album[0])
    assert [line.partition(". Sentence")[0] for line in answer["text"].splitlines()] == ["1", "2", "3"]
    assert button_labels(answer) == [["1", "2", "3"]]
    await asyncio.sleep(1.5)
    assert len(telegram.bot_messages(ada)) == 1


async def test_an_album_waits_for_its_slowest_photo(telegram, telegram_world, ada, photo_bytes):
    slow = telegram.add_fault("download", seconds=600)
    await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "green")])
    await telegram.wait_until(lambda: len(telegram_world.hand.rows()) == 1)
    await asyncio.sleep(3)  # longer than photos that come in one after the other are waited for
    assert telegram.bot_messages(ada) == []
    slow.over.set()
    answer = await telegram.wait_until(lambda: telegram.bot_messages(ada) and telegram.bot_messages(ada)[0])
    assert button_labels(answer) == [["1", "2"]]


async def test_a_failed_photo_of_an_album_has_its_error_in_its_line(telegram, telegram_world, ada, photo_bytes):
    telegram_world.hand.idle = True
    album = await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "green")])
    await telegram.wait_until(lambda: len(telegram_world.hand.waiting) == 2)
    good, bad = telegram_world.hand.waiting
    telegram_world.hand.waiting = [good]
    telegram_world.hand.work()
    telegram_world.hand.fails = "It did not work."
    telegram_world.hand.enqueue(bad)
    answer = await telegram.bot_reply(album[0])
    assert sorted(line[3:] for line in answer["text"].splitlines()) == ["It did not work.", "Sentence 1."]


async def test_a_number_under_an_album_shows_the_buttons_of_that_photo(telegram, telegram_world, ada, photo_bytes):
    album = await telegram.send_album(ada, [photo_bytes(colour=colour) for colour in ("red", "green")])
    answer = await telegram.bot_reply(album[0])
    await telegram.query_answer(await telegram.press(ada, answer, "2"))
    await telegram.wait_until(
        lambda: button_labels(answer) == [["👍 Good", "👎 Bad"], ["🔁 Another", "✏️ Edit", "🗑 Delete"], ["◀️ All photos"]]
    )
    await telegram.query_answer(await telegram.press(ada, answer, "👍"))
    await telegram.wait_until(lambda: button_labels(answer)[0][0] == "👍 Good 1")
    second = next(row for row in telegram_world.hand.rows() if row.position == album[1]["message_id"])
    assert telegram_world.hand.votes() == {second.id: 1}
    await telegram.press(ada, answer, "◀️")
    await telegram.wait_until(lambda: button_labels(answer) == [["1", "2 👍"]])


# Edited photos


async def test_a_replaced_photo_gets_a_new_caption(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.bot_reply(photo)
    await telegram.edit(ada, photo, photo=photo_bytes(colour="blue"))
    await telegram.wait_until(lambda: len(telegram.bot_replies(photo)) == 2)
    assert [answer["text"] for answer in telegram.bot_replies(photo)] == ["Sentence 1.", "Sentence 2."]


async def test_editing_the_text_under_a_photo_requests_no_caption(telegram, telegram_world, ada, photo_bytes):
    photo = await telegram.send_photo(ada, photo_bytes())
    await telegram.bot_reply(photo)
    await telegram.edit(ada, photo, caption="my dog")
    await telegram.all_confirmed()
    assert len(telegram_world.hand.rows()) == 1
