"""A photo store on a small disk of its own, which can be taken away, made read-only and filled."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class Disk:
    """folder: where it is mounted."""

    def __init__(self, folder: Path, size: str = "256k"):
        self.folder = folder
        self._elsewhere = folder.with_name("elsewhere")
        for path in (folder, self._elsewhere):
            path.mkdir()
        self._mount("-t", "tmpfs", "-o", f"size={size}", "none", str(folder))
        self._mount("--bind", str(folder), str(self._elsewhere))

    def take_away(self) -> None:
        """The folder is there, and empty."""
        subprocess.run(["umount", "-l", str(self.folder)], check=True)

    def bring_back(self) -> None:
        self._mount("--bind", str(self._elsewhere), str(self.folder))

    def set_read_only(self, read_only: bool) -> None:
        self._mount("-o", f"remount,{'ro' if read_only else 'rw'}", str(self.folder))

    def fill(self) -> Path:
        """Returns the file to be removed to make room again."""
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):  # others may write, too: there is no room when it fails
                pass
        return filler

    def remove(self) -> None:
        for path in (self.folder, self._elsewhere):
            subprocess.run(["umount", "-l", str(path)], stderr=subprocess.DEVNULL)

    def _mount(self, *arguments: str) -> None:
        if subprocess.run(["mount", *arguments], capture_output=True).returncode:
            pytest.skip("nothing can be mounted here")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a disk")
    disk = Disk(tmp_path / "photos")
    yield disk
    disk.remove()
