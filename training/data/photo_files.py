"""Finds photos by name in folders and tar archives (`images-0.tar`) and reads their bytes."""

import os
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from model.errors import BadData, UnreadablePhoto

MAX_BYTES = 200_000_000  # of a photo's file


@dataclass(frozen=True)
class Place:
    """A byte range of a file: the whole file, or a member of an archive. Picklable, for worker processes."""

    path: Path
    offset: int = 0
    size: int = -1  # -1: to the end

    def read(self) -> bytes:
        """Read the bytes. Thread-safe: the file is opened each time. Raises UnreadablePhoto."""
        try:
            found = self.path.stat()
            if not stat.S_ISREG(found.st_mode):  # a pipe would never end, and neither would /dev/zero
                raise UnreadablePhoto(f"{self.path}: not a file")
            if (self.size if self.size >= 0 else found.st_size) > MAX_BYTES:
                raise UnreadablePhoto(f"{self.path}: a photo of more than {MAX_BYTES:,} bytes")
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise UnreadablePhoto(f"{self.path}: cannot be read ({error.strerror})") from None
        if len(data) < self.size:
            raise UnreadablePhoto(f"{self.path}: ends within a photo; fetch the archive again")
        return data


class PhotoFiles:
    """All files below a folder and all members of its tar archives, by name; or the members of a single archive."""

    def __init__(self, root: Path):
        if not root.exists():
            raise BadData(f"{root}: no such folder of photos")
        self._paths: dict[str, Place] = {}
        self._names: dict[str, Place | None] = {}  # by the last part of the path; None where several share it
        for name, place in _files(root):
            self._paths[name] = place
            last = name.rpartition("/")[2]
            self._names[last] = None if last in self._names else place

    def items(self) -> Iterable[tuple[str, Place]]:
        """Paths relative to the root, and places, of all files."""
        return self._paths.items()

    def find(self, name: str) -> Place | None:
        """Find a photo by its path, or by the last part of its path if that is unique."""
        name = name.replace("\\", "/").removeprefix("./")
        return self._paths.get(name) or self._names.get(name.rpartition("/")[2])


def _files(root: Path) -> Iterator[tuple[str, Place]]:
    """Names, relative to the root and with forward slashes, and places. Follows links, but visits each folder once."""
    if root.is_file():
        yield from _members(root)
        return
    seen = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:
            folders.clear()
            continue
        seen.add(real)
        for file in sorted(files):
            path = Path(folder, file)
            if path.suffix == ".tar":
                yield from _members(path)
            else:
                yield path.relative_to(root).as_posix(), Place(path)


def _members(archive: Path) -> Iterator[tuple[str, Place]]:
    """Names and places of the files in an archive."""
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                if member.isreg() and not member.issparse():  # the bytes of a sparse one are not in one piece
                    yield member.name.removeprefix("./"), Place(archive, member.offset_data, member.size)
    except (tarfile.TarError, OSError) as error:
        raise BadData(f"{archive}: not a whole, uncompressed tar archive ({error}); fetch it again") from None
