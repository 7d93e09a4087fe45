"""Which photos an encoder is distilled on, and in which order they are used."""

import shutil
import tarfile

import numpy as np
import pytest
import torch

from model.errors import BadData
from training.data import load_dataset
from training.distillation.photo_pool import PhotoPool, find_photos, read_pool

HELD_OUT = {"yellow-circle", "blue-square"}  # of tiny_dataset


def names(*paths) -> set[str]:
    return {name for name, _ in find_photos([str(path) for path in paths])}


@pytest.fixture
def many(tmp_path, photo_bytes):
    """A folder of 150 small photos without captions."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number:03}.png").write_bytes(photo_bytes("PNG", colour="blue", size=(8 + number, 9)))
    return folder


@pytest.fixture
def messages():
    return []


def test_of_a_data_set_only_training_photos_are_taken(tiny_dataset):
    assert names(tiny_dataset) == {example.id for example in load_dataset(tiny_dataset).split("train")}
    assert len(names(tiny_dataset)) == 6


def test_what_a_data_set_holds_out_is_not_taken_from_its_own_archive(tiny_dataset):
    archive = tiny_dataset / "photos.tar"
    with tarfile.open(archive, "w") as tar:
        for photo in sorted(tiny_dataset.glob("*.jpg")):
            tar.add(photo, photo.name)
    assert len(names(archive)) == 6
    assert not names(archive) & HELD_OUT


def test_what_a_data_set_holds_out_is_not_taken_from_another_source(tiny_dataset, tmp_path):
    other = tmp_path / "elsewhere" / "deeper"
    other.mkdir(parents=True)
    for photo in tiny_dataset.glob("*.jpg"):
        shutil.copy(photo, other)
    assert len(names(other)) == 8
    for order in [(tiny_dataset, other), (other, tiny_dataset)]:
        assert not names(*order) & HELD_OUT


def test_only_pictures_of_a_folder_are_taken(tmp_path, photo_bytes):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.JPG").write_bytes(photo_bytes())
    (tmp_path / "photos/._cat.JPG").write_bytes(b"\0\5\x16\7 written by a Mac")
    (tmp_path / "photos/notes.txt").write_text("not a photo")
    assert names(tmp_path / "photos") == {"cat"}


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(BadData, match="no such folder"):
        find_photos([str(tmp_path / "none")])


def test_one_photo_in_fifty_is_held_out_and_the_rest_trained_on(many, messages):
    pool = read_pool([str(many)], 8, 0, messages.append)
    assert len(pool.photos) + len(pool.held_out) == 150
    assert 1 <= len(pool.held_out) <= 8
    assert messages == [f"{pool.total} photos to learn from, {len(pool.held_out)} held out"]


def test_adding_photos_changes_the_split_of_no_other(many, tmp_path, photo_bytes, messages):
    before = read_pool([str(many)], 8, 0, messages.append)
    (many / "another.png").write_bytes(photo_bytes("PNG", colour="red"))
    after = read_pool([str(many)], 8, 0, messages.append)
    assert (after.total, len(after.held_out)) in [
        (before.total + 1, len(before.held_out)),
        (before.total, len(before.held_out) + 1),
    ]


def test_a_broken_photo_is_named_and_left_out(many, messages):
    whole = read_pool([str(many)], 8, 0, messages.append)
    (many / "001.png").write_bytes(b"")
    pool = read_pool([str(many)], 8, 0, messages.append)
    assert len(pool.photos) + len(pool.held_out) == len(whole.photos) + len(whole.held_out) - 1
    assert "left out: 001: the file is empty (0 bytes)" in messages


def test_too_few_photos_are_an_error(tiny_dataset, messages):
    with pytest.raises(BadData, match="hundreds"):
        read_pool([str(tiny_dataset)], 8, 2, messages.append)


def numbered(count: int) -> PhotoPool:
    photos = torch.arange(count, dtype=torch.uint8)[:, None, None, None]
    return PhotoPool(photos, photos[:0], count)


def test_every_photo_is_used_once_before_any_is_used_again():
    pool = numbered(10)
    seen = np.concatenate([pool.batch(step, 4, seed=1).flatten().numpy() for step in range(5)])
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert list(seen[:10]) != list(seen[10:])


def test_a_batch_depends_on_nothing_but_step_and_seed():
    assert torch.equal(numbered(10).batch(7, 4, seed=1), numbered(10).batch(7, 4, seed=1))
    assert not torch.equal(numbered(10).batch(7, 4, seed=1), numbered(10).batch(7, 4, seed=2))


def test_a_batch_may_be_larger_than_the_pool():
    assert sorted(numbered(3).batch(0, 6, seed=1).flatten().tolist()) == [0, 0, 1, 1, 2, 2]


def test_photos_in_left_out_folders_are_not_used(tmp_path, photo_bytes):
    for name in ("cats/a.jpg", "cats-test/b.jpg", "dogs/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(photo_bytes())
    assert {name for name, _ in find_photos([str(tmp_path)], leave_out=["cats-test/"])} == {"a", "c"}


def test_validation_photos_of_data_sets_are_read_apart(tiny_dataset, many, messages):
    pool = read_pool([str(tiny_dataset), str(many)], 8, 0, messages.append)
    assert pool.val is not None
    assert len(pool.val) == 2
    assert read_pool([str(many)], 8, 0, messages.append).val is None
