"""The Telegram bot in private chats: photos in, sentences out. The real library over a real socket."""

import asyncio
import io

import pillow_heif
import pytest
from PIL import Image

pytest_plugins = ["telegram_world"]
pytestmark = pytest.mark.anyio
pillow_heif.register_heif_opener()


@pytest.fixture
def ada(telegram):
    return telegram.person("Ada")


def encode(data: bytes, format: str) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).save(buffer, format)
    return buffer.getvalue()


def shown(message: dict) -> list[list[str]]:
    """The texts of the buttons under a message."""
    return [[button["text"] for button in row] for row in message.get("reply_markup", {}).get("inline_keyboard", [])]


async def test_a_photo_is_answered_with_a_sentence_and_buttons(telegram, world, ada, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes())
    answer = await telegram.answer_to(photo)
    assert answer["text"] == "Sentence 1."
    assert shown(answer) == [["👍", "👎", "🔁", "✏️", "🗑"]]


async def test_typing_is_seen_meanwhile(telegram, world, ada, photo_bytes):
    world.hand.idle = True
    await telegram.photo(ada, photo_bytes())
    await telegram.until(lambda: world.hand.waiting)
    assert telegram.called("sendChatAction", ada)
    assert telegram.sent_to(ada) == []


async def test_of_a_large_photo_the_smallest_size_that_is_enough_is_loaded(telegram, world, ada, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes(size=(2000, 1500)))
    await telegram.answer_to(photo)
    (call,) = telegram.called("getFile")
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
async def test_a_picture_sent_as_a_file_is_captioned(telegram, world, ada, photo_bytes, format, name, mime):
    sent = await telegram.document(ada, encode(photo_bytes(), format), name, mime)
    assert (await telegram.answer_to(sent))["text"] == "Sentence 1."


async def test_a_sticker_is_called_one(telegram, world, ada, photo_bytes):
    sent = await telegram.sticker(ada, encode(photo_bytes(), "WEBP"))
    assert (await telegram.answer_to(sent))["text"] == "Sticker: Sentence 1."


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("animation", "Animation: Sentence 1."),
        ("video", "Video: Sentence 1."),
        ("video_note", "Video: Sentence 1."),
        ("sticker", "Sticker: Sentence 1."),
    ],
)
async def test_of_what_moves_the_thumbnail_is_captioned(telegram, world, ada, photo_bytes, kind, text):
    sent = await telegram.film(ada, kind, photo_bytes())
    assert (await telegram.answer_to(sent))["text"] == text


async def test_a_video_sent_as_a_file_is_a_video(telegram, world, ada, photo_bytes):
    thumbnail = {"thumbnail": telegram.files.thumbnail(photo_bytes())}
    sent = await telegram.document(ada, b"film", "film.mp4", "video/mp4", more=thumbnail)
    assert (await telegram.answer_to(sent))["text"] == "Video: Sentence 1."


async def test_a_film_without_a_picture_gets_a_kind_sentence(telegram, world, ada):
    sent = await telegram.film(ada, "video", None)
    assert "Send me a photo" in (await telegram.answer_to(sent))["text"]


@pytest.mark.parametrize("content", [{"text": "hello"}, {"voice": {"duration": 1}}, {"location": None}])
async def test_anything_else_gets_a_kind_sentence(telegram, world, ada, content):
    if "voice" in content:
        content["voice"] |= telegram.files.add(b"la la", "voice")
    if "location" in content:
        content["location"] = {"latitude": 1.0, "longitude": 2.0}
    sent = await telegram.post(ada, **content)
    assert "JPEG, PNG" in (await telegram.answer_to(sent))["text"]


async def test_a_file_that_is_no_picture_is_not_even_loaded(telegram, world, ada):
    sent = await telegram.document(ada, b"%PDF", "paper.pdf", "application/pdf")
    assert "JPEG, PNG" in (await telegram.answer_to(sent))["text"]
    assert telegram.called("getFile") == []


async def test_a_file_that_only_looks_like_a_picture_is_refused_kindly(telegram, world, ada):
    sent = await telegram.document(ada, b"%PDF", "photo.jpg", "image/jpeg")
    assert "could not read that file as a photo" in (await telegram.answer_to(sent))["text"]
    assert world.hand.rows() == []


async def test_a_huge_file_is_refused_before_it_is_loaded(telegram, world, ada):
    sent = await telegram.document(ada, b"huge", "huge.jpg", "image/jpeg", size=50_000_000)
    assert "50 MB" in (await telegram.answer_to(sent))["text"]
    assert telegram.called("getFile") == []


async def test_a_file_that_telegram_does_not_hand_out_is_refused_kindly(telegram, new_world, ada):
    world = new_world(max_photo_mb=100)
    await world.start()
    sent = await telegram.document(ada, b"huge", "huge.jpg", "image/jpeg", size=50_000_000)
    assert "too large" in (await telegram.answer_to(sent))["text"]


async def test_a_failed_caption_is_told(telegram, world, ada, photo_bytes):
    world.hand.fails = "I could not describe this photo. Please try another one."
    photo = await telegram.photo(ada, photo_bytes())
    answer = await telegram.answer_to(photo)
    assert "could not describe" in answer["text"]
    assert shown(answer) == []


async def test_too_many_photos_are_told_so(telegram, new_world, ada, photo_bytes):
    world = new_world(rate_limit="1/hour")
    await world.start()
    await telegram.answer_to(await telegram.photo(ada, photo_bytes()))
    second = await telegram.photo(ada, photo_bytes(colour="blue"))
    assert "a lot at once" in (await telegram.answer_to(second))["text"]


async def test_who_sends_many_too_many_is_told_once(telegram, new_world, ada, photo_bytes):
    world = new_world(rate_limit="1/hour")
    await world.start()
    await telegram.album(ada, [photo_bytes(colour=colour) for colour in ("red", "green", "blue", "yellow")])
    await telegram.settled()
    await telegram.until(lambda: len(telegram.sent_to(ada)) == 2)
    assert sorted("a lot at once" in message["text"] for message in telegram.sent_to(ada)) == [False, True]


async def test_people_are_spoken_to_in_their_language(telegram, world):
    jan = telegram.person("Jan", language="de-AT")
    said = await telegram.say(jan, "/help")
    assert "Schick mir ein Foto" in (await telegram.answer_to(said))["text"]


async def test_links_have_no_previews(telegram, world, ada, photo_bytes):
    await telegram.answer_to(await telegram.photo(ada, photo_bytes()))
    (call,) = telegram.called("sendMessage")
    assert '"is_disabled": true' in call.params["link_preview_options"]


# Albums


async def test_an_album_gets_one_numbered_answer(telegram, world, ada, photo_bytes):
    photos = [photo_bytes(colour=colour) for colour in ("red", "green", "blue")]
    album = await telegram.album(ada, photos)
    answer = await telegram.answer_to(album[0])
    assert [line.partition(". Sentence")[0] for line in answer["text"].splitlines()] == ["1", "2", "3"]
    assert shown(answer) == [["1", "2", "3"]]
    await asyncio.sleep(1.5)
    assert len(telegram.sent_to(ada)) == 1


async def test_an_album_waits_for_its_slowest_photo(telegram, world, ada, photo_bytes):
    slow = telegram.fault("download", seconds=600)
    await telegram.album(ada, [photo_bytes(colour=colour) for colour in ("red", "green")])
    await telegram.until(lambda: len(world.hand.rows()) == 1)
    await asyncio.sleep(3)  # longer than photos that come in one after the other are waited for
    assert telegram.sent_to(ada) == []
    slow.over.set()
    answer = await telegram.until(lambda: telegram.sent_to(ada) and telegram.sent_to(ada)[0])
    assert shown(answer) == [["1", "2"]]


async def test_in_an_album_a_photo_that_failed_says_so_in_its_line(telegram, world, ada, photo_bytes):
    world.hand.idle = True
    album = await telegram.album(ada, [photo_bytes(colour=colour) for colour in ("red", "green")])
    await telegram.until(lambda: len(world.hand.waiting) == 2)
    good, bad = world.hand.waiting
    world.hand.waiting = [good]
    world.hand.work()
    world.hand.fails = "It did not work."
    world.hand.enqueue(bad)
    answer = await telegram.answer_to(album[0])
    assert sorted(line[3:] for line in answer["text"].splitlines()) == ["It did not work.", "Sentence 1."]


async def test_a_number_under_an_album_opens_the_buttons_of_that_photo(telegram, world, ada, photo_bytes):
    album = await telegram.album(ada, [photo_bytes(colour=colour) for colour in ("red", "green")])
    answer = await telegram.answer_to(album[0])
    await telegram.answered(await telegram.press(ada, answer, "2"))
    await telegram.until(lambda: shown(answer) == [["👍", "👎", "🔁", "✏️", "🗑"], ["◀️"]])
    await telegram.answered(await telegram.press(ada, answer, "👍"))
    await telegram.until(lambda: shown(answer)[0][0] == "👍 1")
    second = next(row for row in world.hand.rows() if row.position == album[1]["message_id"])
    assert world.hand.votes() == {second.id: 1}
    await telegram.press(ada, answer, "◀️")
    await telegram.until(lambda: shown(answer) == [["1", "2 👍"]])


# Edited photos


async def test_an_edited_photo_is_captioned_anew(telegram, world, ada, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.answer_to(photo)
    await telegram.edit(ada, photo, photo=photo_bytes(colour="blue"))
    await telegram.until(lambda: len(telegram.answers_to(photo)) == 2)
    assert [answer["text"] for answer in telegram.answers_to(photo)] == ["Sentence 1.", "Sentence 2."]


async def test_new_words_under_a_photo_change_nothing(telegram, world, ada, photo_bytes):
    photo = await telegram.photo(ada, photo_bytes())
    await telegram.answer_to(photo)
    await telegram.edit(ada, photo, caption="my dog")
    await telegram.settled()
    assert len(world.hand.rows()) == 1
