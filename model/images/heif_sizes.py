"""How many pixels are decoded of a HEIC or AVIF file, which may be more than the size that Pillow tells.

Pillow tells the size that the file's boxes say of its picture. What is decoded may be larger: the AV1 stream inside,
the tiles of a grid, or the canvas of an overlay. (libheif checks HEVC streams against the boxes; libavif does not.)
"""

import struct
from math import prod

from model.images.av1_sizes import largest_frame
from model.images.heif_boxes import Budget, Container, containers, items, layers, samples, sizes

GRID, OVERLAY, AV1 = b"grid", b"iovl", b"av01"
SIZE_AT = {GRID: 4, OVERLAY: 10}  # where the data of such an item have width and height


def decoded_pixels(data: bytes) -> tuple[int, int]:
    """Pixels of the largest picture in a file, and of all AV1 streams together that may be decoded for one picture.

    Raises:
        ValueError, struct.error, IndexError: the file is damaged, or has its pictures where this module finds none.
        TooManyParts
    """
    budget, largest, stills, tracks = Budget(), 0, [0], [0]
    for container in containers(data, budget):
        if b"stsz" in container.boxes:
            if AV1 in bytes(container.only(b"stsd")):
                tracks.append(largest_frame(samples(data, container, budget), budget))
            continue
        largest = max([largest, *map(prod, sizes(container))])
        for kind, content in items(data, container, {GRID, OVERLAY, AV1}, budget):
            if kind == AV1:
                stills.append(_largest_of(content, container, budget))
            else:
                form = ">II" if content[1] & 1 else ">HH"
                largest = max(largest, prod(struct.unpack_from(form, content, SIZE_AT[kind])))
    if not (largest := max(largest, *stills, *tracks)):
        raise ValueError("it says no size")
    return largest, max(sum(stills), sum(tracks))


def _largest_of(content: memoryview, container: Container, budget: Budget) -> int:
    """Of an item. A decoder may begin with any of its layers."""
    begins = [0, *(begin for begin in layers(container) if begin < len(content))]
    return max(largest_frame([content[begin:]], budget) for begin in begins)
