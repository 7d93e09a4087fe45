"""Reader of Flickr30k (Young et al. 2014): `results.csv`, lines of `image_name| comment_number| comment`, not real CSV.

The file has no splits; Karpathy's dataset_flickr30k.json has them (karpathy.py). It contains most of Flickr8k: see
mixing.py.
"""

from collections.abc import Iterator
from pathlib import Path

from model.errors import BadData
from training.data.raw import RawPhoto, group_by_photo
from training.data.report import Report
from training.data.text_files import find_files, read_lines

CAPTION_FILES = "results.csv"
HEADER = ["image_name", "comment_number", "comment"]


def find(path: Path) -> list[Path]:
    """Return the caption file at `path`; empty if there is no Flickr30k."""
    return find_files(path, "results.csv")


def read(files: list[Path], report: Report) -> list[RawPhoto]:
    """Read all photos; they have no split."""
    return group_by_photo(_rows(files[0], report))


def _rows(path: Path, report: Report) -> Iterator[tuple[str, str]]:
    lines = ((number, [cell.strip() for cell in line.split("|", 2)]) for number, line in read_lines(path))
    if next(lines, (0, []))[1] != HEADER:
        raise BadData(f"{path}: its first line must be {'| '.join(HEADER)}")
    for number, cells in lines:
        if len(cells) == 3 and cells[0]:
            yield cells[0], cells[2]
        else:  # every published copy has one: 2199200615.jpg, comment 4
            report.drop_line("line without photo| number| caption", path, number)
