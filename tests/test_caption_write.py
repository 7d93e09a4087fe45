"""`captionbot caption --write`: descriptions in XMP sidecars and in files, of which nothing else changes."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from tests.support.album import MOTION, XMP, exiftool, make_album

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTION, ALT_TEXT = "XMP-dc:Description", "XMP-iptcCore:AltTextAccessibility"
# What says where things lie in a file, or that there is XMP in it, and not what the photo's metadata are.
CONTAINER = {
    "RIFF:WebP_Flags",
    "RIFF:ImageWidth",  # of the extended format of WebP, which XMP needs
    "RIFF:ImageHeight",
    "QuickTime:MediaDataSize",  # of HEIC: the XMP lies in it
    "QuickTime:MediaDataOffset",
    "QuickTime:MediaData",
    "File:FileType",
    "File:FileSize",
    "SourceFile",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("exiftool"), reason="ExifTool is not installed"),
]


@pytest.fixture
def serving(tiny_model, monkeypatch) -> None:
    """A model that is quickly loaded: what it says is of no matter."""
    monkeypatch.setenv("MODEL_DIR", str(tiny_model))


def caption(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "captionbot", "caption", "--greedy", str(folder), *options]
    output = {"capture_output": True, "text": True, "errors": "surrogateescape"}
    return subprocess.run(command, cwd=ROOT, timeout=170, **output)


def metadata(*paths: Path) -> list[dict[str, object]]:
    """All that ExifTool shows of files, binary values included, but not what the file system knows of them."""
    shown = json.loads(exiftool("-j", "-a", "-u", "-b", "-G1", *paths))
    assert [Path(file["SourceFile"]) for file in shown] == [*paths]
    return [
        {tag: value for tag, value in file.items() if not tag.startswith(("System:", "ExifTool:"))} for file in shown
    ]


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.tobytes() + (image.info.get("exif") or b"") + (image.info.get("icc_profile") or b"")


@pytest.fixture
def album(tmp_path):
    pillow_heif.register_heif_opener()
    make_album(tmp_path / "album")
    return tmp_path / "album"


@pytest.fixture
def contents(album):
    """contents(): name -> bytes of every file of the album."""
    return lambda: {path.name: path.read_bytes() for path in album.iterdir()}


def test_of_twenty_files_only_the_description_differs(bundled, album):
    photos = sorted(album.iterdir())
    assert len(photos) == 20
    for photo in photos:
        os.utime(photo, (1_700_000_000, 1_700_000_000))
        photo.chmod(0o640)
    before = metadata(*photos), [pixels(photo) for photo in photos]
    done = caption(album, "--write", "file", "--jsonl")
    assert (done.returncode, done.stderr) == (0, "captionbot: 20 descriptions written.\n")
    captions = {Path(row["photo"]): row["caption"] for row in map(json.loads, done.stdout.splitlines())}
    for photo, found, old, old_pixels in zip(photos, metadata(*photos), *before, strict=True):
        changed = {tag for tag in found.keys() | old.keys() if found.get(tag) != old.get(tag)}
        assert changed - CONTAINER == {DESCRIPTION, ALT_TEXT}
        assert found[DESCRIPTION] == found[ALT_TEXT] == captions[photo]
        assert pixels(photo) == old_pixels
        status = photo.stat()
        assert (status.st_mtime, stat.S_IMODE(status.st_mode)) == (1_700_000_000, 0o640)
    assert (album / "all.jpg").read_bytes().endswith(MOTION)
    assert sorted(album.iterdir()) == photos  # no draft is left


@pytest.mark.parametrize("place", ["file", "xmp"])
def test_a_second_run_changes_nothing(serving, album, contents, place):
    caption(album, "--write", place)
    first = contents()
    again = caption(album, "--write", place)
    assert again.stdout == ""
    assert "0 descriptions written; 20 have a text already" in again.stderr
    over = caption(album, "--write", place, "--overwrite")
    assert "0 descriptions written; 20 have this description already" in over.stderr
    assert contents() == first


@pytest.mark.parametrize("place", ["file", "xmp"])
def test_a_dry_run_says_what_would_be_written_and_writes_nothing(serving, album, contents, place):
    first = contents()
    done = caption(album, "--write", place, "--dry-run")
    assert [line.split("\t")[-1] for line in done.stdout.splitlines()] == ["would be written"] * 20
    assert "20 descriptions would be written" in done.stderr
    assert contents() == first


def test_sidecars_stand_beside_photos_that_stay_as_they_are(serving, album, contents):
    first = contents()
    (album / "bare.xmp").write_bytes(XMP)  # Adobe's name, but of which of four photos?
    shutil.copy(album / "bare.jpg", album / "alone.jpg")
    (album / "alone.xmp").write_bytes(XMP)
    assert caption(album, "--write", "xmp").returncode == 0
    assert {name: data for name, data in contents().items() if name in first} == first
    assert (album / "bare.xmp").read_bytes() == XMP
    assert not (album / "alone.jpg.xmp").exists()
    new, old = metadata(album / "alone.xmp", album / "bare.xmp")
    assert {tag for tag in new if new[tag] != old.get(tag)} - CONTAINER == {DESCRIPTION, ALT_TEXT}
    sidecars = metadata(*(album / f"{photo}.xmp" for photo in first))
    assert len(sidecars) == 20
    assert all(sidecar[ALT_TEXT].endswith(".") for sidecar in sidecars)


@pytest.mark.parametrize("place", ["file", "xmp"])
def test_a_persons_text_stays_unless_it_is_to_be_overwritten(serving, album, tmp_path, place):
    photos = {}
    for tag in (f"{DESCRIPTION}-de", "IPTC:Caption-Abstract", "IFD0:ImageDescription"):
        photo = tmp_path / "described" / f"{len(photos)}.jpg"
        photo.parent.mkdir(exist_ok=True)
        shutil.copy(album / "exif.jpg", photo)
        exiftool("-q", "-overwrite_original", f"-{tag}=Katze", photo)
        photos[photo] = tag, photo.read_bytes()
    assert "3 have a text already" in caption(tmp_path / "described", "--write", place).stderr
    assert {photo: photo.read_bytes() for photo in photos} == {photo: before for photo, (_, before) in photos.items()}
    assert "3 descriptions written" in caption(tmp_path / "described", "--write", place, "--overwrite").stderr
    for photo, (tag, _) in photos.items():  # in another language, or another place: it is still there
        assert "Katze" in exiftool(f"-{tag}", photo)


def test_a_text_in_the_sidecar_counts_for_the_file(serving, album):
    caption(album, "--write", "xmp")
    assert "20 have a text already" in caption(album, "--write", "file").stderr


def test_what_the_model_is_unsure_of_is_left_out(serving, album, contents):
    first = contents()
    done = caption(album, "--write", "file", "--min-confidence", "1")
    assert "0 descriptions written" in done.stderr
    assert {line.split("\t")[-1] for line in done.stdout.splitlines()} <= {"not sure enough", "no photo"}
    assert contents() == first


def test_files_that_cannot_be_written_are_a_sentence_each_and_stay_as_they_are(bundled, album):
    damaged = {}
    for photo in (album / "bare.png", album / "bare.webp"):
        damaged[photo] = photo.read_bytes()[:-30]
        photo.write_bytes(damaged[photo])
    done = caption(album, "--write", "file")
    *lines, summary = done.stderr.splitlines()
    assert done.returncode == 1
    assert [Path(line.split(": ")[1]).name for line in lines] == ["bare.png", "bare.webp"]
    assert all("cannot be written" in line and "--write xmp" in line for line in lines)
    assert "18 descriptions written" in summary
    assert {photo: photo.read_bytes() for photo in damaged} == damaged


def test_any_name_works_and_a_symbolic_link_stays_one(serving, album, tmp_path):
    photo, folder = album / "bare.jpg", tmp_path / "-odd\nfölder"
    folder.mkdir()
    names = [b"-o x.jpg", b"# %d *.jpg", b"caf\xe9.jpg", b"wrong.png"]
    for name in names:
        shutil.copy(photo, os.fsencode(folder) + b"/" + name)
    (folder / "link.jpg").symlink_to(photo)
    assert "5 descriptions written" in caption(folder, "--write", "file").stderr
    assert (folder / "link.jpg").is_symlink()
    assert DESCRIPTION in metadata(photo)[0]
    assert len(list(folder.iterdir())) == 5


@pytest.mark.parametrize(
    ("options", "named"),
    [(["--dry-run"], "--write"), (["--overwrite"], "--write"), (["--write", "exif"], "exif")],
)
def test_wrong_options_are_refused(album, options, named):
    done = caption(album, *options)
    assert done.returncode == 2
    assert named in done.stderr


def test_without_exiftool_it_says_how_to_install_it(serving, album, tmp_path):
    environment = os.environ | {"PATH": str(tmp_path)}
    command = [sys.executable, "-m", "captionbot", "caption", str(album), "--write", "xmp"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "apt install libimage-exiftool-perl" in done.stderr
