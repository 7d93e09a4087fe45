"""What of a file is needed to decode its picture: metadata, colour profiles, thumbnails and trailers are left out.

A decoder reads all of a file, and refuses the picture for damage in what nobody looks at: a text that unfolds to a
megabyte, a wrong checksum of a comment, a video behind the picture. Here a decoder gets the pixels' bytes alone. Only
the orientation is read from the metadata, and damaged metadata counts as none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

ORIENTATION = 0x0112  # EXIF tag
MOST_PARTS = 100_000  # segments or chunks; a photo has some hundreds, and a file may consist of millions


class TooManyParts(Exception):
    """It would take seconds to walk through the parts of this file."""


@dataclass(frozen=True)
class PictureBytes:
    """A file that holds a picture and nothing else."""

    data: bytes
    metadata: Mapping[str, Any] = field(default_factory=dict)  # that may hold the orientation, as Pillow's `info`
    share: float = 1.0  # of the picture's rows; in `data` the others are filled up


@dataclass(frozen=True)
class JpegBytes(PictureBytes):
    """A JPEG up to where its end marker belongs."""

    scans: int = 0
    first_scan: int = 0  # bytes up to its end, if there are more scans
    may_lack_rows: bool = True  # False: if it can be decoded at all, then with every row


def read_orientation(metadata: Mapping[Any, Any]) -> int:
    """The orientation in EXIF or XMP, 1 to 8, as Pillow reads it. 1 is upright, and stands for damaged metadata too."""
    try:
        image = Image.new("1", (1, 1))
        image.info.update(metadata)
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # a parser raises anything at damaged data
        return 1
