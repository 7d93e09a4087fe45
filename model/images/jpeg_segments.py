"""The segments of a JPEG that its pixels are decoded from, and where its picture ends (ITU-T T.81, annex B).

A picture in one scan ends with that scan, one in several scans where no further scan follows. What comes behind is a
trailer: the video of a motion photo, a second picture, what a phone's camera noted. A trailer may stand in the place of
the end marker, or the file was cut before it.
"""

import re
from typing import Any

from model.images.picture_bytes import MOST_PARTS, JpegBytes, TooManyParts

START, END = b"\xff\xd8", b"\xff\xd9"
# Two ends for a file that lacks its own. Where pixels are missing, a decoder makes grey of the first and noise of the
# second. The zero belongs to a byte of 255 that the file may end with.
FILLINGS = END, b"\0" + bytes(range(1, 255)) + END
MARKER = re.compile(rb"\xff[^\x00\xff]")
# Inside a scan a decoder skips what is no marker of T.81, and finds its place again at the next restart marker.
SCAN_END = re.compile(rb"\xff[\xc0-\xcf\xd8-\xef\xfe]")
SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame: size and components
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
SOS, SOI, EOI = 0xDA, 0xD8, 0xD9
TABLES = {0xC4, 0xCC, 0xDB, 0xDC, 0xDD}
COLOURS = {0xE0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12)}  # say which colours the components are; name, least length
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"


def jpeg_picture(data: bytes, most_scans: int) -> JpegBytes:
    """The segments that are needed, up to the end of the picture but without the end marker.

    Args:
        data: the file.
        most_scans: ends after one more than these; each may take a second to decode.

    Raises:
        TooManyParts
    """
    kept, metadata = [START], dict[str, Any]()
    components, progressive, scans, first_scan, position = 0, False, 0, 0, 2
    in_one_scan = followed = False
    parts = 0
    while not in_one_scan and scans <= most_scans and (found := MARKER.search(data, position)):
        if (parts := parts + 1) > MOST_PARTS:
            raise TooManyParts
        marker, start = data[found.start() + 1], found.end()
        followed = scans > 0
        if scans and marker in (EOI, SOI):
            break
        if marker <= 0x01 or 0xD0 <= marker <= EOI:  # has no content
            position = start
            continue
        length = int.from_bytes(data[start : start + 2])
        position, content = start + length, data[start + 2 : start + length]
        if length < 2 or position > len(data):
            break
        if marker == SOS:
            if not _is_scan(content, components):
                break
            scans += 1
            in_one_scan = not progressive and scans == 1 and content[0] == components
            end = SCAN_END.search(data, position)
            position = end.start() if end else len(_without_zeros(data))
        elif marker in SOF and not components and len(content) > 5:
            components, progressive = content[5], marker in PROGRESSIVE
        elif not _is_needed(marker, content):
            if content.startswith(EXIF):
                metadata.setdefault("exif", content)
            elif content.startswith(XMP):
                metadata.setdefault("xmp", content[len(XMP) :])
            continue
        kept.append(data[found.start() : position])
        if marker == SOS and scans == 1:
            first_scan = sum(map(len, kept))
    # A picture in several scans is whole after the first, if coarse.
    return JpegBytes(
        b"".join(kept),
        metadata,
        scans=scans,
        first_scan=first_scan if scans > 1 else 0,
        may_lack_rows=in_one_scan or not followed,
    )


def _is_scan(header: bytes, components: int) -> bool:
    """Whether a scan begins here, and not something behind the picture that looks like one."""
    count = header[0] if header else 0
    if not 1 <= count <= components or len(header) != 4 + 2 * count:
        return False
    return header[-3] <= header[-2] <= 63  # the first and the last coefficient


def _is_needed(marker: int, content: bytes) -> bool:
    name, least = COLOURS.get(marker, (b"", 0))
    return marker in TABLES or (marker in COLOURS and content.startswith(name) and len(content) >= least)


def _without_zeros(data: bytes) -> bytes:
    """Without the zeros that fill a file that came in part; one zero belongs to a byte of 255 in front of it."""
    short = data.rstrip(b"\0")
    return short + data[len(short) : len(short) + 1] if short.endswith(b"\xff") else short
