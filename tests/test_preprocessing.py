"""Every kind of file that people send becomes the same square of pixels, or one clear line."""

import io
import re
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.errors import UnreadablePhoto
from model.preprocessing import read_photo, read_photo_file

RED, GREEN = (200, 30, 30), (30, 160, 60)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def halves(size: tuple[int, int] = (300, 200), left: tuple = RED, right: tuple = GREEN) -> Image.Image:
    """Left half of one colour, right half of another."""
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


def huge_png(side: int) -> bytes:
    """A PNG whose header promises side x side pixels and that holds none."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF"])
def test_every_format_is_read(format):
    photo = read_photo(encoded(halves(), format))
    assert (photo.shape, photo.dtype) == ((224, 224, 3), np.uint8)
    assert photo[:, :100].mean((0, 1)) == pytest.approx(RED, abs=12)
    assert photo[:, -100:].mean((0, 1)) == pytest.approx(GREEN, abs=12)


def test_a_photo_of_the_right_size_is_not_touched():
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    assert np.array_equal(read_photo(encoded(Image.fromarray(pixels), "PNG")), pixels)


def test_the_aspect_ratio_is_not_kept():
    photo = read_photo(encoded(halves((900, 100)), "PNG"))
    assert tuple(photo[0, 0]) == tuple(photo[-1, 0]) == RED
    assert tuple(photo[0, -1]) == tuple(photo[-1, -1]) == GREEN


@pytest.mark.parametrize(("orientation", "place"), [(1, "left"), (3, "right"), (6, "top"), (8, "bottom")])
def test_exif_orientation_is_applied(orientation, place):
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = read_photo(encoded(halves(), "JPEG", exif=exif))
    part = {"left": photo[:, :90], "right": photo[:, -90:], "top": photo[:90], "bottom": photo[-90:]}[place]
    assert part.mean((0, 1)) == pytest.approx(RED, abs=12)


def test_a_large_jpeg_gives_nearly_the_pixels_that_full_decoding_gives():
    y, x = np.mgrid[:1500, :2000] / 40
    image = Image.fromarray(np.stack([np.sin(x) * 99 + 120, np.cos(y) * 99 + 120, x + y], axis=2).astype(np.uint8))
    full = np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC), dtype=float)
    assert np.abs(read_photo(encoded(image, "JPEG", quality=95)) - full).mean() < 3


def test_what_is_transparent_becomes_white():
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    image.paste((*RED, 255), (25, 0, 50, 50))
    photo = read_photo(encoded(image, "PNG"))
    assert tuple(photo[100, 20]) == (255, 255, 255)
    assert tuple(photo[100, 200]) == RED


def test_a_palette_with_a_transparent_colour_is_read():
    image = halves().quantize(4)
    data = encoded(image, "PNG", transparency=image.getpixel((0, 0)))
    assert tuple(read_photo(data)[100, 20]) == (255, 255, 255)


def test_sixteen_bits_are_scaled():
    grey = Image.fromarray(np.full((40, 40), 0x8000, dtype=np.uint16))
    assert np.unique(read_photo(encoded(grey, "PNG"))).tolist() == [128]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr"])
def test_every_colour_mode_is_read(mode):
    image = Image.new("L", (60, 60), 255).convert("RGB").convert(mode if mode != "LA" else "RGBA").convert(mode)
    data = encoded(image, "JPEG" if mode in ("CMYK", "YCbCr") else "PNG")
    assert read_photo(data).min() >= 250


def test_of_an_animation_a_frame_in_its_middle_is_taken():
    first, *others = (Image.new("RGB", (40, 40), colour) for colour in ("black", RED, GREEN))
    for format in ("GIF", "WEBP"):
        photo = read_photo(encoded(first, format, save_all=True, append_images=others, duration=100))
        assert photo.mean((0, 1)) == pytest.approx(RED, abs=12)


def test_an_empty_file_is_reported_as_empty():
    with pytest.raises(UnreadablePhoto, match=r"^the file is empty \(0 bytes\)$"):
        read_photo(b"")


def test_text_is_not_a_picture_whatever_its_name(tmp_path):
    path = tmp_path / "holiday.jpg"
    path.write_text("Dear diary,\ntoday I saw a dog.\n")
    with pytest.raises(UnreadablePhoto, match=f"^{re.escape(str(path))}: this is not a picture; JPEG, PNG"):
        read_photo_file(path)


def test_another_format_is_named():
    with pytest.raises(UnreadablePhoto, match=r"^TIFF pictures are not supported; JPEG, PNG"):
        read_photo(encoded(halves(), "TIFF"))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF"])
def test_a_picture_cut_short_is_reported_as_broken(format):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8))
    data = encoded(noise, format, **({"interlace": 0} if format == "GIF" else {}))
    for length in (20, len(data) // 3):
        with pytest.raises(UnreadablePhoto, match=r"^the .*picture is broken or cut short \([^\n]+\)$"):
            read_photo(data[:length])


def test_a_huge_picture_is_refused_before_it_is_decoded():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no DecompressionBombWarning leaks
        with pytest.raises(
            UnreadablePhoto, match=r"20000 x 20000 pixels are 400\.0 million, the limit is 50\.0 million"
        ):
            read_photo(huge_png(20_000))  # decoding it would say "cut short": it holds no pixels


def test_the_limit_of_pixels_can_be_set():
    data = encoded(halves((300, 200)), "PNG")
    assert read_photo(data, max_pixels=60_000).shape == (224, 224, 3)
    with pytest.raises(UnreadablePhoto, match="300 x 200"):
        read_photo(data, max_pixels=59_999)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadablePhoto, match=r"nothing\.jpg: No such file"):
        read_photo_file(tmp_path / "nothing.jpg")


def test_the_same_file_gives_the_same_pixels_in_any_thread(tmp_path):
    path: Path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(halves((1200, 900)), "JPEG"))
    with ThreadPoolExecutor(4) as threads:
        photos = list(threads.map(read_photo_file, [path] * 16))
    assert all(np.array_equal(photo, photos[0]) for photo in photos)


def test_a_gif_whose_frame_is_larger_than_its_header_is_refused_before_there_is_room_for_it():
    """The room would be four gigabytes, and be cleared when the next frame comes."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0x80, 0, 0) + bytes(6)
    disposal = b"\x21\xf9\x04\x08\x00\x00\x00\x00"  # back to the background
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x4c\x01\x00"
    with pytest.raises(UnreadablePhoto, match="too large"):
        read_photo(screen + 2 * (disposal + frame) + b";")
