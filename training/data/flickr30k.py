"""Flickr30k (Young et al. 2014) as the table `results.csv`: `image_name| comment_number| comment`, not really CSV.

It names no split; Karpathy's dataset_flickr30k.json does (karpathy.py). It contains most of Flickr8k: see mixing.py.
"""

from collections.abc import Iterator
from pathlib import Path

from model.errors import BadData
from training.data.raw import RawPhoto, group
from training.data.report import Report
from training.data.text_files import find_files, read_lines

LOOKS_FOR = "results.csv"
HEADER = ["image_name", "comment_number", "comment"]


def find(path: Path) -> list[Path]:
    """The caption file there; empty if this is not Flickr30k."""
    return find_files(path, "results.csv")


def read(files: list[Path], report: Report) -> list[RawPhoto]:
    """All photos, without a split."""
    return group(_rows(files[0], report))


def _rows(path: Path, report: Report) -> Iterator[tuple[str, str]]:
    lines = ((number, [cell.strip() for cell in line.split("|", 2)]) for number, line in read_lines(path))
    if next(lines, (0, []))[1] != HEADER:
        raise BadData(f"{path}: its first line must be {'| '.join(HEADER)}")
    for number, cells in lines:
        if len(cells) == 3 and cells[0]:
            yield cells[0], cells[2]
        else:  # every copy has one: 2199200615.jpg, comment 4
            report.drop_line("line without photo| number| caption", path, number)
