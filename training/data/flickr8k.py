"""Reader of Flickr8k (Hodosh et al. 2013): the original token file and lists, or Kaggle's table `captions.txt`."""

from collections.abc import Iterator
from pathlib import Path

from model.errors import BadData
from training.data.identity import LEFT_OUT
from training.data.raw import RawPhoto, group_by_photo
from training.data.report import Report
from training.data.text_files import find_files, read_csv, read_lines

CAPTION_FILES = "Flickr8k.token.txt or captions.txt"
LISTS = {  # a photo in two lists goes to the later one, which is held out more strictly
    "train": "Flickr_8k.trainImages.txt",
    "val": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}


def find(path: Path) -> list[Path]:
    """Return the caption files at `path`; empty if there is no Flickr8k."""
    return find_files(path, "Flickr8k.token.txt", "captions.txt")


def read(files: list[Path], report: Report) -> list[RawPhoto]:
    """Read all photos. Those in none of the split lists are left out; without any list the photos have no split."""
    path = files[0]
    photos = group_by_photo(_token_file(path, report) if path.name.endswith(".token.txt") else _table(path, report))
    lists = {split: path.with_name(name) for split, name in LISTS.items() if path.with_name(name).is_file()}
    splits = {name: split for split, file in lists.items() for _, name in read_lines(file)}
    if lists:
        for photo in photos:
            photo.split = splits.pop(photo.name, LEFT_OUT)
    for name in splits:
        report.drop("photo in a split list, without captions", name)
    if lists and "test" not in lists:
        report.notes.append(
            f"no {LISTS['test']} here, so its test photos are not known, and mixing cannot leave them out"
        )
    return photos


def _token_file(path: Path, report: Report) -> Iterator[tuple[str, str]]:
    """Photo and caption of each line, such as `1000268201_693b08cb0e.jpg#0<tab>A child in a pink dress .`"""
    for number, line in read_lines(path):
        name, tab, caption = line.partition("\t")
        if tab and "#" in name:
            yield name.rpartition("#")[0].strip(), caption
        else:
            report.drop_line("line without photo#number, tab, caption", path, number)


def _table(path: Path, report: Report) -> Iterator[tuple[str, str]]:
    """Photo and caption of each row of `image,caption`."""
    rows = read_csv(path)
    if [cell.strip() for cell in next(rows, (0, []))[1]] != ["image", "caption"]:
        raise BadData(f"{path}: its first line must be image,caption")
    for number, row in rows:
        if len(row) == 2 and row[0].strip():
            yield row[0].strip(), row[1]
        else:
            report.drop_line("line without two columns", path, number)
