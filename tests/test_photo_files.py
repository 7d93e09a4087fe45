"""Reading photos from folders and archives."""

import io
import pickle
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from model.errors import BadData, UnreadablePhoto
from training.data.photo_files import PhotoFiles


def write_tar(path, contents):
    with tarfile.open(path, "w") as tar:
        for name, data in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def test_photos_are_read_from_folders_and_from_archives(tmp_path):
    (tmp_path / "some").mkdir()
    (tmp_path / "some/1.jpg").write_bytes(b"one")
    write_tar(tmp_path / "images-0.tar", {"./2.jpg": b"two", "more/3.jpg": b"three"})
    files = PhotoFiles(tmp_path)
    assert [files.find(name).read() for name in ("some/1.jpg", "1.jpg", "2.jpg", "3.jpg")] == [
        b"one",
        b"one",
        b"two",
        b"three",
    ]


def test_one_archive_may_be_named_instead_of_a_folder(tmp_path):
    write_tar(tmp_path / "images.tar", {"1.jpg": b"one"})
    assert PhotoFiles(tmp_path / "images.tar").find("1.jpg").read() == b"one"


def test_many_threads_may_read_at_once(tmp_path):
    contents = {f"{number}.jpg": bytes([number]) * 5000 for number in range(50)}
    write_tar(tmp_path / "images-0.tar", contents)
    files = PhotoFiles(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda name: files.find(name).read(), list(contents) * 4))
    assert read == list(contents.values()) * 4


def test_places_can_be_sent_to_other_processes(tmp_path):
    write_tar(tmp_path / "images-0.tar", {"1.jpg": b"one"})
    place = PhotoFiles(tmp_path).find("1.jpg")
    assert pickle.loads(pickle.dumps(place)).read() == b"one"


def test_a_bare_name_that_several_folders_have_is_not_guessed(tmp_path):
    write_tar(tmp_path / "images-0.tar", {"a/1.jpg": b"a", "b/1.jpg": b"b"})
    files = PhotoFiles(tmp_path)
    assert files.find("1.jpg") is None
    assert files.find("b/1.jpg").read() == b"b"


@pytest.mark.parametrize("name", ["", "/", "..", "../outside.jpg", "/etc/hostname", "a\0b", "2.jpg"])
def test_nothing_outside_the_folder_is_found(tmp_path, name):
    (tmp_path / "outside.jpg").write_bytes(b"private")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/1.jpg").write_bytes(b"one")
    assert PhotoFiles(tmp_path / "photos").find(name) is None


def test_folders_that_are_linked_in_a_circle_are_read_once(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/1.jpg").write_bytes(b"one")
    (tmp_path / "photos/again").symlink_to(tmp_path / "photos")
    assert PhotoFiles(tmp_path).find("1.jpg").read() == b"one"


def test_a_file_that_is_no_archive_is_named(tmp_path):
    (tmp_path / "images-0.tar").write_bytes(b"not a tar" * 200)
    with pytest.raises(BadData, match=r"images-0\.tar: not a whole, uncompressed tar"):
        PhotoFiles(tmp_path)


def test_a_truncated_archive_is_named(tmp_path):
    write_tar(tmp_path / "images-0.tar", {f"{number}.jpg": b"x" * 3000 for number in range(9)})
    data = (tmp_path / "images-0.tar").read_bytes()
    (tmp_path / "images-0.tar").write_bytes(data[:12_000])
    with pytest.raises(BadData, match=r"images-0\.tar: not a whole"):
        PhotoFiles(tmp_path)


def test_a_photo_that_vanished_since_is_unreadable(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"one")
    place = PhotoFiles(tmp_path).find("1.jpg")
    (tmp_path / "1.jpg").unlink()
    with pytest.raises(UnreadablePhoto, match=r"1\.jpg: cannot be read \(No such file"):
        place.read()


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(BadData, match="no such folder of photos"):
        PhotoFiles(tmp_path / "nowhere")
