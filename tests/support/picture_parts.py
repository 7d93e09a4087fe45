"""Pieces of picture files, so that a test can damage exactly one of them."""

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

TRAILER = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 40  # the beginning of a video, with many markers
RED, BLUE = (220, 20, 20), (20, 20, 220)


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def halves(size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def animation(frames: list[Image.Image], format: str, **options: object) -> bytes:
    return encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100, **options)


def png_chunk(kind: bytes, content: bytes, checksum: int | None = None) -> bytes:
    """A chunk of a PNG; with its right checksum, unless another is given."""
    checksum = zlib.crc32(kind + content) if checksum is None else checksum
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and contents."""
    position = 8
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        yield kind, data[position + 8 : position + 8 + length]
        position += 12 + length


def with_png_chunk(data: bytes, chunk: bytes, *, before: bytes = b"IDAT") -> bytes:
    """A PNG with one more chunk before the first one of a kind."""
    at = data.index(before) - 4
    return data[:at] + chunk + data[at:]


def jpeg_segment(marker: int, content: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def with_jpeg_segment(data: bytes, segment: bytes) -> bytes:
    """A JPEG with one more segment at its beginning, behind that of JFIF."""
    at = 4 + struct.unpack_from(">H", data, 4)[0]
    return data[:at] + segment + data[at:]


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and contents of the chunks of a WebP."""
    position = 12
    while position < len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        yield kind, data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def riff(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A WebP of these chunks."""
    body = b"".join(kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def damaged_frame(data: bytes, format: str, number: int) -> bytes:
    """A GIF, PNG or WebP animation in which the compressed pixels of one frame, counted from 0, are damaged."""
    if format == "GIF":
        at = -1
        for _ in range(number + 1):
            at = data.index(b"\x2c", at + 1)
            while data[at - 8 : at - 5] != b"!\xf9\x04" or data[at - 1]:  # not the comma in front of a frame
                at = data.index(b"\x2c", at + 1)
        pixels = at + 10 + (3 << ((data[at + 9] & 7) + 1) if data[at + 9] & 0x80 else 0)
        block = data[pixels + 1]
        return data[: pixels + 2] + b"\xff" * block + data[pixels + 2 + block :]
    if format == "PNG":
        chunks, frame = [data[:8]], -1
        for kind, content in png_chunks(data):
            frame += kind == b"fcTL"
            if frame == number and kind in (b"IDAT", b"fdAT"):
                content = content[:4] + b"?" * (len(content) - 4)
            chunks.append(png_chunk(kind, content))
        return b"".join(chunks)
    parts = [*riff_chunks(data)]
    at = [index for index, (kind, _) in enumerate(parts) if kind == b"ANMF"][number]
    content = parts[at][1]
    parts[at] = b"ANMF", content[:30] + b"\xff" * (len(content) - 30)
    return riff(parts)
