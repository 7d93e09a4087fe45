"""Which photos an encoder is distilled on, and in which order they come."""

import shutil
import tarfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from model.errors import BadData  # noqa: E402
from training.data import load_dataset  # noqa: E402
from training.photo_pool import PhotoPool, find_photos, read_pool  # noqa: E402

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
def heard():
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
    (tmp_path / "photos/notes.txt").write_text("not a photo")
    assert names(tmp_path / "photos") == {"cat"}


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(BadData, match="no such folder"):
        find_photos([str(tmp_path / "none")])


def test_one_photo_in_fifty_is_held_out_and_the_rest_learnt_from(many, heard):
    pool = read_pool([str(many)], 8, 0, heard.append)
    assert len(pool.photos) + len(pool.held_out) == 150
    assert 1 <= len(pool.held_out) <= 8
    assert heard == [f"{pool.total} photos to learn from, {len(pool.held_out)} held out"]


def test_more_photos_move_none_between_learnt_from_and_held_out(many, tmp_path, photo_bytes, heard):
    before = read_pool([str(many)], 8, 0, heard.append)
    (many / "another.png").write_bytes(photo_bytes("PNG", colour="red"))
    after = read_pool([str(many)], 8, 0, heard.append)
    assert (after.total, len(after.held_out)) in [
        (before.total + 1, len(before.held_out)),
        (before.total, len(before.held_out) + 1),
    ]


def test_a_broken_photo_is_named_and_left_out(many, heard):
    whole = read_pool([str(many)], 8, 0, heard.append)
    (many / "001.png").write_bytes(b"")
    pool = read_pool([str(many)], 8, 0, heard.append)
    assert len(pool.photos) + len(pool.held_out) == len(whole.photos) + len(whole.held_out) - 1
    assert "left out: 001: the file is empty (0 bytes)" in heard


def test_too_few_photos_are_an_error(tiny_dataset, heard):
    with pytest.raises(BadData, match="hundreds"):
        read_pool([str(tiny_dataset)], 8, 2, heard.append)


def numbered(count: int) -> PhotoPool:
    photos = torch.arange(count, dtype=torch.uint8)[:, None, None, None]
    return PhotoPool(photos, photos[:0], count)


def test_every_photo_comes_once_before_any_comes_again():
    pool = numbered(10)
    seen = np.concatenate([pool.batch(step, 4, seed=1).flatten().numpy() for step in range(5)])
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert list(seen[:10]) != list(seen[10:])


def test_a_batch_depends_on_nothing_but_step_and_seed():
    assert torch.equal(numbered(10).batch(7, 4, seed=1), numbered(10).batch(7, 4, seed=1))
    assert not torch.equal(numbered(10).batch(7, 4, seed=1), numbered(10).batch(7, 4, seed=2))


def test_a_batch_may_be_larger_than_the_pool():
    assert sorted(numbered(3).batch(0, 6, seed=1).flatten().tolist()) == [0, 0, 1, 1, 2, 2]
