"""Files and folders with people's data, which only the user that runs captionbot may read."""

import contextlib
import os
from pathlib import Path


def make_private_folder(path: Path) -> None:
    """Create a folder and those above it that are missing, with mode 0700. Those that exist stay as they are."""
    for folder in reversed([one for one in (path, *path.parents) if not one.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not path.is_dir():
        path.mkdir()  # raises what is there instead


def make_private_file(path: Path) -> None:
    """Create an empty file with mode 0600. One that exists stays as it is."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def make_private(folder: Path) -> None:
    """Set the mode of a folder and of all that is in it to 0700 and 0600."""
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
