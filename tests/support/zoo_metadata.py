"""Pictures of the zoo with good and bad metadata, and with data behind their end."""

import struct
import zlib
from functools import partial

from PIL import ImageCms

from tests.support.hostile_files import PAGE
from tests.support.picture_parts import (
    TRAILER,
    jpeg_segment,
    png_chunk,
    riff,
    riff_chunks,
    with_jpeg_segment,
    with_png_chunk,
)
from tests.support.zoo_scene import (
    EVERY_FORMAT,
    keep,
    written,
)

# Metadata
BAD_EXIF = b"Exif\0\0MM\0*\xff\xff\xff\xff"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
for name, options in {
    "good EXIF": {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"},
    "bad EXIF": {"exif": BAD_EXIF},
    "a profile": {"icc_profile": PROFILE},
    "a broken profile": {"icc_profile": b"no profile" * 30},
    "broken XMP": {"xmp": b"<x:xmpmeta" + bytes(30)},
}.items():
    for format in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF"):
        if not (format == "PNG" and "xmp" in options):
            keep(f"{format.lower()} with {name}", partial(written, format, **options))
for name, segment in {
    "300 scans in a note": (0xE7, b"\xff\xda\x00" * 300),
    "a broken list of pictures": (0xE2, b"MPF\0" + bytes(5)),
    "a broken profile of many parts": (0xE2, b"ICC_PROFILE\0\x07\x02" + bytes(50)),
    "a broken Photoshop block": (0xED, b"Photoshop 3.0\x008BIM\x04\x04"),
    "a short JFIF segment": (0xE0, b"JFIF\0\1"),
    "a short Adobe segment": (0xEE, b"Adobe"),
    "a comment of zeros": (0xFE, bytes(60_000)),
}.items():
    keep(
        f"jpeg with {name}",
        lambda segment=segment: with_jpeg_segment(EVERY_FORMAT["jpeg"](), jpeg_segment(*segment)),
    )
BOMB = zlib.compress(bytes(3_000_000))
for name, chunk in {
    "a text of 3 MB": png_chunk(b"zTXt", b"Comment\0\0" + BOMB),
    "an international text of 3 MB": png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
    "XMP of 3 MB": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB),
    "a profile of 3 MB": png_chunk(b"iCCP", b"profile\0\0" + BOMB),
    "a text with a wrong checksum": png_chunk(b"tEXt", b"Comment\0of Ann", checksum=1),
    "a profile of an unknown method": png_chunk(b"iCCP", b"profile\0\7?"),
    "EXIF with a wrong checksum": png_chunk(b"eXIf", BAD_EXIF[6:], checksum=1),
    "a short pHYs": png_chunk(b"pHYs", b"1"),
    "a short gAMA": png_chunk(b"gAMA", b""),
    "a short cHRM": png_chunk(b"cHRM", b"123"),
    "a short sRGB": png_chunk(b"sRGB", b""),
    "a short tRNS": png_chunk(b"tRNS", b"\0"),
    "a short acTL": png_chunk(b"acTL", b"\0"),
    "a frame outside": png_chunk(b"fcTL", struct.pack(">5I", 0, 500, 500, 9, 9) + bytes(6)),
    "an unknown chunk": png_chunk(b"abCd", b"?" * 5_000, checksum=7),
}.items():
    keep(f"png with {name}", lambda chunk=chunk: with_png_chunk(EVERY_FORMAT["png"](), chunk))
    keep(f"png with {name} behind", lambda chunk=chunk: with_png_chunk(EVERY_FORMAT["png"](), chunk, before=b"IEND"))
for name, size in {"a small": 10, "a large": 2**32 - 1}.items():
    keep(
        f"webp that says to have {name} size",
        lambda size=size: b"RIFF" + struct.pack("<I", size) + EVERY_FORMAT["webp"]()[8:],
    )
keep("webp with an unknown chunk", lambda: riff([*riff_chunks(EVERY_FORMAT["webp"]()), (b"????", b"12345")]))


# Trailers
for format, make in EVERY_FORMAT.items():
    for name, trailer in {"a video": TRAILER, "a page": PAGE, "zeros": bytes(999), "itself": None}.items():
        keep(f"{format} and {name}", lambda make=make, trailer=trailer: make() + (trailer or make()))
keep("jpeg and 300 scans", lambda: EVERY_FORMAT["jpeg"]() + b"\xff\xda\x00" * 300)
for name in ("jpeg", "progressive jpeg"):
    for trailer in (TRAILER, bytes(999), b"SEFH" + bytes(40) + b"SEFT", b"\xff\xda\x00" * 300):
        keep(
            f"{name} with {trailer[:4].hex()} for its end",
            lambda make=EVERY_FORMAT[name], trailer=trailer: make()[:-2] + trailer,
        )
