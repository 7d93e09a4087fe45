import os
import resource
import signal
import time
from pathlib import Path

import pytest

from db.photo_store import MissingPhoto, PhotoStore, StoreFull

NAME = "ab" * 32


@pytest.fixture(params=["folder", "memory"])
def either_store(request: pytest.FixtureRequest, tmp_path: Path) -> PhotoStore:
    """A folder, and a store that is reached by URL."""
    return PhotoStore(str(tmp_path / "photos") if request.param == "folder" else f"memory://{tmp_path}")


def files(store: PhotoStore) -> list[Path]:
    return [path for path in Path(store.url).rglob("*") if path.is_file()]


def test_a_saved_photo_is_read_again(either_store: PhotoStore):
    either_store.save(b"photo", NAME)
    assert either_store.read(NAME) == b"photo"
    assert either_store.has(NAME)


def test_saving_the_same_content_twice_is_harmless(either_store: PhotoStore):
    either_store.save(b"photo", NAME)
    either_store.save(b"photo", NAME)
    assert list(either_store.names()) == [NAME]


def test_a_file_that_was_cut_short_is_written_again(either_store: PhotoStore):
    either_store.save(b"pho", NAME)
    either_store.save(b"photo", NAME)
    assert either_store.read(NAME) == b"photo"


def test_a_photo_that_is_not_there_is_missing(either_store: PhotoStore):
    assert not either_store.has(NAME)
    with pytest.raises(MissingPhoto, match=NAME):
        either_store.read(NAME)


def test_of_many_photos_those_that_are_there_are_read(either_store: PhotoStore):
    either_store.save(b"photo", NAME)
    either_store.save(b"other", "cd" * 32)
    assert either_store.read_many([NAME, "ef" * 32, "cd" * 32]) == {NAME: b"photo", "cd" * 32: b"other"}
    assert either_store.read_many(["ef" * 32]) == {}
    assert either_store.read_many([]) == {}


def test_a_dropped_photo_is_gone_and_may_be_dropped_again(either_store: PhotoStore):
    either_store.save(b"photo", NAME)
    either_store.drop(NAME)
    either_store.drop(NAME)
    assert not either_store.has(NAME)


def test_a_store_without_photos_has_no_names(either_store: PhotoStore):
    assert list(either_store.names()) == []


def test_checking_leaves_nothing_behind(either_store: PhotoStore):
    either_store.check()
    assert list(either_store.names()) == []


def test_checking_a_folder_that_cannot_be_written_fails(tmp_path: Path):
    (tmp_path / "photos").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="photos"):
        PhotoStore(str(tmp_path / "photos")).check()


def test_a_full_disk_is_said_to_be_full_and_leaves_no_draft(store: PhotoStore):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing more than the limit fails
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with pytest.raises(StoreFull):
            store.save(bytes(5000), NAME)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert files(store) == []


def test_drafts_of_crashed_writers_are_cleared_when_they_are_old(store: PhotoStore):
    store.save(b"photo", NAME)
    folder = files(store)[0].parent
    for name, age in {"old": 100, "new": 0}.items():
        draft = folder / f"{name}.draft"
        draft.touch()
        os.utime(draft, times=(time.time() - age,) * 2)
    assert store.clear_drafts(50) == 1
    assert sorted(path.name for path in files(store)) == sorted([NAME, "new.draft"])
    assert list(store.names()) == [NAME]
