"""Stores the files of photos in a folder, or at any URL that fsspec supports (s3://BUCKET/PATH needs s3fs).

A file is named by the SHA-256 of its content, so equal photos are stored once, and bytes that changed on the disk are
noticed whenever a file is read. Such a file counts as missing, and is written anew when the photo is sent again.

A small file, MARK, tells an empty store
from one that is not there: without its disk, the folder on which it is mounted is empty too.
"""

import contextlib
import hashlib
import logging
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from db.private_files import make_private_folder
from db.store_state import StoreAway, StoreState, StoreUnavailable, as_outage, outages

log = logging.getLogger(__name__)

MARK = ".captionbot-photos"  # its name begins like no photo's


class MissingPhoto(Exception):
    """The store has no such photo, or its bytes are no longer those that were stored."""


class UnusableStore(Exception):
    """The photo store's library is missing here, or does not take its URL."""


class PhotoStore:
    """Files of photos by SHA-256. url: a folder, which is created with the first photo, or a URL.

    Raises:
        UnusableStore: the library for such a URL is missing here, or does not take it.
    """

    def __init__(self, url: str):
        self.url = url
        try:
            if "://" in url:
                self._files, self._root = fsspec.url_to_fs(url)
            else:  # fsspec would split the path of a folder at ::
                self._files, self._root = LocalFileSystem(), os.path.abspath(url)
        except Exception as error:  # whatever the store's library raises; some connect at once
            raise UnusableStore(f"PHOTO_STORE cannot be used here: {' '.join(str(error).split())}") from None
        self._is_local = isinstance(self._files, LocalFileSystem)
        self._expected = False  # whether the mark was seen: without it the store is away

    def expect(self, photos: bool) -> None:
        """Called at the start, so that a store whose disk is not mounted is not taken for a new one.

        Args:
            photos: whether there should be some in the store.
        """
        with contextlib.suppress(StoreUnavailable), outages():
            if self._is_marked():
                return
            if photos and next(self.names(), None) is None:
                self._expected = True
            elif photos:  # of a version that made no mark
                self._make_mark()

    def state(self) -> StoreState:
        """Whether photos can be written and read now. Writes, reads and deletes a small file."""
        try:
            self.check()
        except StoreUnavailable as error:
            return error.state
        return StoreState.HERE

    def save(self, data: bytes, sha256: str, *, verify: bool = True) -> None:
        """Write a photo completely or not at all. Does nothing if it is stored already. Raises StoreUnavailable.

        Args:
            verify: read a file that has the right size and write it anew if its bytes changed. False: for a caller
                that has just saved it.
        """
        path = self._path(sha256)
        with outages(writing=True):
            if self._size(path) == len(data) and (not verify or self.read_many([sha256]).get(sha256) == data):
                return
            if not self._is_marked():
                if self._expected:
                    raise StoreAway(f"{MARK} is not in it")
                self._make_mark()
            self._write(path, data)

    def read(self, sha256: str) -> bytes:
        """The photo's bytes. Raises MissingPhoto, StoreUnavailable."""
        found = self.read_many([sha256]).get(sha256)
        if found is None:
            raise MissingPhoto(sha256)
        if isinstance(found, StoreUnavailable):
            raise found
        return found

    def read_many(self, names: Sequence[str]) -> dict[str, bytes | StoreUnavailable]:
        """The photos that exist and are whole, by SHA-256, and of others why they cannot be read now.

        A remote store reads them concurrently.
        """
        found: dict[str, bytes | Exception]
        if self._is_local:
            found = {name: _read(Path(self._path(name))) for name in names}
        else:
            paths = {self._path(name): name for name in names}
            try:
                answers = self._files.cat([*paths], on_error="return") if paths else {}
            except Exception as error:  # whatever the store's library raises
                answers = dict.fromkeys(paths, error)
            found = {paths[path]: data for path, data in answers.items()}
        if not self._expected and any(isinstance(data, bytes) for data in found.values()):
            self.is_here()  # notes the mark, for the day when nothing is found
        missing = [name for name, data in found.items() if isinstance(data, FileNotFoundError)]
        if missing and self.is_here():
            found = {name: data for name, data in found.items() if name not in missing}
        read = {name: data for name, data in found.items() if isinstance(data, Exception) or _is_whole(data, name)}
        return {name: data if isinstance(data, bytes) else as_outage(data) for name, data in read.items()}

    def is_here(self) -> bool:
        """Whether a photo that is not found is missing, and not the whole store."""
        try:
            return self._is_marked() or not self._expected
        except Exception:  # whatever the store's library raises
            return False

    def has(self, sha256: str) -> bool:
        """Whether the photo is stored. Raises StoreUnavailable."""
        with outages():
            return self._size(self._path(sha256)) is not None

    def drop(self, sha256: str) -> None:
        """Delete a photo. Does nothing if there is none. Raises StoreUnavailable."""
        with outages(writing=True), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(sha256))

    def names(self) -> Iterator[str]:
        """SHA-256 of every stored photo. Slow if there are many."""
        self._files.invalidate_cache()
        for path in self._files.find(self._root):
            name = path.rpartition("/")[2]
            if re.fullmatch("[0-9a-f]{64}", name):
                yield name

    def clear_drafts(self, age: float) -> int:
        """Delete unfinished files that are at least `age` seconds old, which crashes leave behind. Returns how many."""
        drafts = [Path(path) for path in self._files.find(self._root) if path.endswith(DRAFT)] if self._is_local else []
        old = [path for path in drafts if path.stat().st_mtime < time.time() - age]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def check(self) -> None:
        """Write, read and delete a test file. Raises StoreUnavailable."""
        content = secrets.token_bytes(16)
        probe = hashlib.sha256(content).hexdigest()
        self.save(content, probe)
        try:
            self.read(probe)
        except MissingPhoto:
            raise StoreAway(f"{self.url} does not return what was written") from None
        finally:
            with contextlib.suppress(StoreUnavailable):
                self.drop(probe)

    def _is_marked(self) -> bool:
        marked = self._size(f"{self._root}/{MARK}") is not None
        self._expected |= marked
        return marked

    def _make_mark(self) -> None:
        self._write(f"{self._root}/{MARK}", b"captionbot keeps photos here. Without this file the store is away.\n")
        self._expected = True

    def _write(self, path: str, data: bytes) -> None:
        if self._is_local:
            _write(Path(path), data)
        else:
            self._files.pipe_file(path, data)

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"  # keeps folders small

    def _size(self, path: str) -> int | None:
        try:
            return self._files.size(path)
        except FileNotFoundError:
            return None


DRAFT = ".draft"


def _is_whole(data: bytes, sha256: str) -> bool:
    """Whether these are the bytes that were stored under this name. Logs it if they are not."""
    whole = hashlib.sha256(data).hexdigest() == sha256
    if not whole:
        log.error("photo %s was damaged in the store; it is stored anew when somebody sends it again", sha256)
    return whole


def _read(path: Path) -> bytes | Exception:
    try:
        return path.read_bytes()
    except OSError as error:
        return error


def _write(path: Path, data: bytes) -> None:
    """Write to a temporary name, then rename. Remote stores replace files in one step themselves."""
    make_private_folder(path.parent)
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
