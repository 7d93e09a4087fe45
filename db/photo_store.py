"""Where the files of photos lie: a folder, or anything fsspec knows (s3://BUCKET/PATH needs s3fs installed).

A photo is named by the SHA-256 of its content, so the same content twice is one file.
"""

import contextlib
import errno
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class MissingPhoto(Exception):
    """The photo is not in the store."""


class StoreFull(Exception):
    """There is no room for more photos. Free some space where PHOTO_STORE lies, or set RETENTION_HOURS lower."""


class PhotoStore:
    def __init__(self, url: str):
        """url: a folder, made with the first photo, or a URL."""
        self.url = url
        self._files, self._root = fsspec.url_to_fs(url)
        self._is_local = isinstance(self._files, LocalFileSystem)

    def save(self, data: bytes, sha256: str) -> None:
        """Write whole or not at all; a photo that is there already is left. Raises StoreFull."""
        path = self._path(sha256)
        if self._size(path) == len(data):
            return
        try:
            if self._is_local:
                _write(Path(path), data)
            else:
                self._files.pipe_file(path, data)
        except OSError as error:
            if error.errno in FULL:
                raise StoreFull from error
            raise

    def read(self, sha256: str) -> bytes:
        """Raises MissingPhoto."""
        try:
            return self._files.cat_file(self._path(sha256))
        except FileNotFoundError:
            raise MissingPhoto(sha256) from None

    def read_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Those that are there, by SHA-256. A store on a network is asked for all at the same time."""
        if self._is_local:
            return {name: data for name in names if (data := _read(Path(self._path(name)))) is not None}
        paths = {self._path(name): name for name in names}
        found = self._files.cat([*paths], on_error="return") if paths else {}
        for answer in found.values():
            if isinstance(answer, Exception) and not isinstance(answer, FileNotFoundError):
                raise answer
        return {paths[path]: data for path, data in found.items() if isinstance(data, bytes)}

    def has(self, sha256: str) -> bool:
        return self._size(self._path(sha256)) is not None

    def drop(self, sha256: str) -> None:
        """Remove a photo; it may be gone already."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(sha256))

    def names(self) -> Iterator[str]:
        """SHA-256 of every photo in the store. Slow with many."""
        self._files.invalidate_cache()
        for path in self._files.find(self._root):
            name = path.rpartition("/")[2]
            if re.fullmatch("[0-9a-f]{64}", name):
                yield name

    def clear_drafts(self, age: float) -> int:
        """Remove what crashed writers left in the folder at least `age` seconds ago. Returns how many files."""
        drafts = [Path(path) for path in self._files.find(self._root) if path.endswith(DRAFT)] if self._is_local else []
        old = [path for path in drafts if path.stat().st_mtime < time.time() - age]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def check(self) -> None:
        """Write, read and remove a probe. Raises OSError or what the store's library raises, if that does not work."""
        probe = secrets.token_hex(32)
        self.save(b"probe", probe)
        try:
            if self.read(probe) != b"probe":
                raise OSError(f"{self.url} gives back something else than was written")
        finally:
            self.drop(probe)

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"  # no folder with a million files

    def _size(self, path: str) -> int | None:
        try:
            return self._files.size(path)
        except FileNotFoundError:
            return None


DRAFT = ".draft"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes) -> None:
    """Under a temporary name, then renamed. Other stores take a file whole by themselves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(suffix=DRAFT, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
