"""However many pictures come at once, one process decodes no more pixels at the same time than the limit says."""

import io
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from bots.service.photo_check import check_photo
from model.images.decoding_room import DECODING, DecodingRoom
from model.preprocessing import read_photo
from tests.support.hostile_files import FORMATS

PATIENCE = 60  # seconds
PIXELS = 128 * 64  # of a picture; HEIC has whole blocks of 64 x 64


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def picture(format: str, size: tuple[int, int] = (128, 64)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, format)
    return buffer.getvalue()


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> DecodingRoom:
    """That of this process, with twice the pixels of a picture."""
    monkeypatch.setattr(DECODING, "limit", 2 * PIXELS)
    return DECODING


@pytest.mark.parametrize("read", [check_photo, read_photo])
@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_waits_until_its_pixels_have_room(room, read, format):
    """check_photo reads the uploads of the page and the bots, read_photo what a worker describes."""
    with ThreadPoolExecutor() as threads:
        with room.take(PIXELS + 1):
            waits = threads.submit(read, picture(format))
            until(lambda: room.waiting == 1)
            assert not waits.done()
        waits.result(PATIENCE)
        with room.take(PIXELS):
            threads.submit(read, picture(format)).result(PATIENCE)


@pytest.mark.parametrize("read", [check_photo, read_photo])
def test_a_picture_larger_than_the_limit_is_decoded_alone(room, read):
    large = picture("PNG", (400, 200))
    with ThreadPoolExecutor() as threads:
        with room.take(1):
            waits = threads.submit(read, large)
            until(lambda: room.waiting == 1)
            assert not waits.done()
        waits.result(PATIENCE)


def test_the_largest_frame_of_a_gif_counts(room):
    """The header and the first frame say 30 x 20 pixels."""
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("black", "red")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], optimize=False)
    small = struct.pack("<HH", 30, 20)
    data = struct.pack("<HH", 128, 64).join(buffer.getvalue().rsplit(small, 1))
    with ThreadPoolExecutor() as threads:
        with room.take(PIXELS + 1):
            waits = threads.submit(check_photo, data)
            until(lambda: room.waiting == 1)
        assert waits.result(PATIENCE)


def test_a_picture_that_cannot_be_decoded_leaves_its_room(room):
    with ThreadPoolExecutor() as threads:
        for _ in range(10):
            assert threads.submit(check_photo, picture("PNG")[:60]).exception(PATIENCE)
        with room.take(room.limit):
            pass


def test_no_more_pixels_than_the_limit_are_decoded_at_the_same_time():
    """As many threads as fit are inside at once: each holds its room until all of these have come."""
    room, inside = DecodingRoom(100), threading.Semaphore(0)
    leave = threading.Event()

    def decode() -> None:
        with room.take(30):
            inside.release()
            assert leave.wait(PATIENCE)

    with ThreadPoolExecutor(20) as threads:
        done = [threads.submit(decode) for _ in range(20)]
        try:
            for _ in range(3):
                assert inside.acquire(timeout=PATIENCE)
            until(lambda: room.waiting == 17)  # three hold 90 of 100 pixels
            assert not inside.acquire(blocking=False)
        finally:
            leave.set()
        for future in done:
            future.result(PATIENCE)


def order(room: DecodingRoom, sizes: list[int]) -> list[int]:
    """In which order pictures are decoded that come one after another while there is no room."""
    decoded: list[int] = []

    def decode(pixels: int) -> None:
        with room.take(pixels):
            decoded.append(pixels)

    with ThreadPoolExecutor(len(sizes)) as threads, room.take(room.limit):
        for number, pixels in enumerate(sizes):
            threads.submit(decode, pixels)
            until(lambda number=number: room.waiting == number + 1)
    return decoded


def test_a_small_picture_does_not_wait_for_all_large_ones_before_it():
    assert order(DecodingRoom(100), [90, 91, 92, 80])[0] == 80


def test_small_pictures_do_not_hold_up_a_large_one_for_ever():
    """Small ones come again and again; no more of them pass the large one than have its pixels."""
    room, passed = DecodingRoom(100), 0
    large = threading.Event()

    def decode() -> None:
        with room.take(100):
            large.set()

    with ThreadPoolExecutor() as threads:
        held = room.take(10)
        held.__enter__()
        threads.submit(decode)
        until(lambda: room.waiting == 1)
        while True:  # there is always a small picture inside, so that all of the room is never free
            following = room.take(10)
            entered = threads.submit(following.__enter__)
            until(lambda entered=entered: entered.done() or room.waiting == 2)
            if not entered.done():
                break
            held.__exit__(None, None, None)
            held, passed = following, passed + 1
            assert passed <= 10
        held.__exit__(None, None, None)
        assert large.wait(PATIENCE)
        entered.result(PATIENCE)
        following.__exit__(None, None, None)


def test_the_limit_is_a_setting():
    code = "from roles.startup import configure; configure(); from model.images.decoding_room import DECODING as room; "
    run = [sys.executable, "-c", code + "print(room.limit)"]
    environment = {"PYTHONPATH": ".", "MAX_DECODING_PIXELS": "123456"}
    assert subprocess.run(run, check=True, capture_output=True, text=True, env=environment).stdout == "123456\n"
