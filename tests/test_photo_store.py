"""The photo store: on a disk and in memory, with damaged, missing and full storage."""

import hashlib
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from db.photo_store import MARK, MissingPhoto, PhotoStore
from db.store_state import StoreAway, StoreFull, StoreState

NAME = hashlib.sha256(b"photo").hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()


@pytest.fixture(params=["folder", "memory"])
def either_store(request: pytest.FixtureRequest, tmp_path: Path) -> PhotoStore:
    """A folder, and a store that is reached by URL."""
    return PhotoStore(str(tmp_path / "photos") if request.param == "folder" else f"memory://{tmp_path}")


def files(store: PhotoStore) -> list[Path]:
    return [path for path in Path(store.url).rglob("*") if path.is_file() and path.name != MARK]


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


def change(store: PhotoStore, content: bytes) -> None:
    """Another content under the photo's name, as after a fault of the disk."""
    store._files.pipe_file(store._path(NAME), content)


@pytest.mark.parametrize("content", [b"phot\x00", b"pho", b"", b"photo and more"])
def test_a_photo_whose_bytes_changed_is_missing_until_it_is_sent_again(either_store: PhotoStore, caplog, content):
    either_store.save(b"photo", NAME)
    either_store.save(b"other", OTHER)
    change(either_store, content)
    with pytest.raises(MissingPhoto, match=NAME):
        either_store.read(NAME)
    assert either_store.read_many([NAME, OTHER]) == {OTHER: b"other"}
    assert f"photo {NAME} was damaged in the store" in caplog.text
    either_store.save(b"photo", NAME)
    assert either_store.read(NAME) == b"photo"


def test_a_photo_that_was_just_saved_is_not_read_for_its_row(either_store: PhotoStore, caplog):
    either_store.save(b"photo", NAME)
    change(either_store, b"phot\x00")
    either_store.save(b"photo", NAME, verify=False)
    assert caplog.text == ""


def test_a_photo_that_is_not_there_is_missing(either_store: PhotoStore):
    assert not either_store.has(NAME)
    with pytest.raises(MissingPhoto, match=NAME):
        either_store.read(NAME)


def test_of_many_photos_those_that_are_there_are_read(either_store: PhotoStore):
    either_store.save(b"photo", NAME)
    either_store.save(b"other", OTHER)
    assert either_store.read_many([NAME, "ef" * 32, OTHER]) == {NAME: b"photo", OTHER: b"other"}
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
    with pytest.raises(StoreAway, match="photos"):
        PhotoStore(str(tmp_path / "photos")).check()


def test_an_empty_folder_is_a_new_store_only_where_no_photos_are_expected(tmp_path: Path):
    lost, new = PhotoStore(str(tmp_path)), PhotoStore(str(tmp_path))
    lost.expect(photos=True)
    new.expect(photos=False)
    assert lost.state() is StoreState.AWAY
    with pytest.raises(StoreAway):
        lost.read(NAME)
    with pytest.raises(MissingPhoto):
        new.read(NAME)
    new.save(b"photo", NAME)
    assert lost.state() is StoreState.HERE


def test_a_store_of_an_earlier_version_gets_its_mark(tmp_path: Path):
    store = PhotoStore(str(tmp_path))
    store.save(b"photo", NAME)
    (tmp_path / MARK).unlink()
    PhotoStore(str(tmp_path)).expect(photos=True)
    assert (tmp_path / MARK).exists()


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
