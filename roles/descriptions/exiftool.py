"""Reads and writes texts in the metadata of files with ExifTool, which must be installed.

ExifTool reads through symbolic links in a temporary folder, because it takes names for options, patterns and types, and
not every name is text. What it writes are copies there, so it never changes a file of somebody's.
"""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import exiftool

from model.errors import CaptionbotError

OLDEST = (12, 40)  # knows the IPTC's texts for accessibility
NOT_INSTALLED = (
    "--write needs ExifTool 12.40 or newer. On Debian and Ubuntu: apt install libimage-exiftool-perl; "
    "on macOS: brew install exiftool"
)
DESCRIPTION, ALT_TEXT, TOOLKIT = "XMP-dc:Description", "XMP-iptcCore:AltTextAccessibility", "XMP-x:XMPToolkit"
# Where people's programs keep a description: the three of the Metadata Working Group, those for accessibility, PNG's.
TEXTS = (
    DESCRIPTION,
    ALT_TEXT,
    "XMP-iptcCore:ExtDescrAccessibility",
    "IPTC:Caption-Abstract",
    "IFD0:ImageDescription",
    "PNG:Description",
)
READ = ("-XMP-dc:all", "-XMP-iptcCore:all", *(f"-{tag}" for tag in (*TEXTS[3:], TOOLKIT, "FileTypeExtension")))
# Some cameras write their name, or blanks, where a description belongs.
CAMERAS = ("DIGITAL CAMERA", "DIGITAL STILL CAMERA", "SONY DSC", "MAVICA")


class NotWritten(Exception):
    """A text could not be written. The message says why."""


@dataclass(frozen=True)
class Metadata:
    """The texts of a file.

    Attributes:
        text: any description, in any language.
        description, alt_text: the default ones in XMP.
        toolkit: what wrote the XMP, by its own words.
        extension: of names of files of this type, by the content.
    """

    text: str | None = None
    description: str | None = None
    alt_text: str | None = None
    toolkit: str | None = None
    extension: str = ""


class MetadataTool:
    """A running ExifTool."""

    def __init__(self, tool: exiftool.ExifTool, folder: Path):
        self._tool, self._folder = tool, folder

    def read(self, paths: Sequence[Path]) -> list[Metadata]:
        """The texts of these files; none of a file that ExifTool cannot read."""
        with self._links(paths) as links:
            answer = self._tool.execute("-j", "-G1", *READ, *map(str, links)) if links else ""
        found = {row["SourceFile"]: _metadata(row) for row in json.loads(answer or "[]")}
        return [found.get(str(link), Metadata()) for link in links]

    @contextlib.contextmanager
    def described(self, path: Path, text: str) -> Iterator[Path]:
        """Yield a temporary copy of a file with this description. Nothing else differs. A missing file is new XMP.

        Raises:
            NotWritten
            OSError
        """
        exists = path.exists()
        before = self.read([path])[0] if exists else Metadata(extension="xmp")
        output = self._folder / f"output.{before.extension}"
        if exists:
            shutil.copyfile(path, output)
        self._tool.execute(
            *("-api", "PNGEarlyXMP=1", "-q"),
            f"-{TOOLKIT}={before.toolkit or ''}",  # otherwise ExifTool writes its own name
            *(f"-{tag}-x-default={text}" for tag in (DESCRIPTION, ALT_TEXT)),
            *(("-overwrite_original",) if exists else ("-o",)),
            str(output),
        )
        try:
            if self._tool.last_status != 0 or not output.is_file():
                raise NotWritten(_reason(self._tool.last_stderr))
            yield output
        finally:
            output.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _links(self, paths: Sequence[Path]) -> Iterator[list[Path]]:
        links = [self._folder / f"input{number}" for number in range(len(paths))]
        try:
            for link, path in zip(links, paths, strict=True):
                link.symlink_to(os.path.realpath(path))
            yield links
        finally:
            for link in links:
                link.unlink(missing_ok=True)


@contextlib.contextmanager
def metadata_tool() -> Iterator[MetadataTool]:
    """Run ExifTool. Raises CaptionbotError if it is not installed, or too old."""
    try:
        tool = exiftool.ExifTool(common_args=[], config_file="", encoding="utf-8")
    except FileNotFoundError:
        raise CaptionbotError(NOT_INSTALLED) from None
    with tempfile.TemporaryDirectory(prefix="captionbot-") as folder, tool:
        if tuple(int(part) for part in tool.version.split(".")) < OLDEST:
            raise CaptionbotError(f"{NOT_INSTALLED}. This one is {tool.version}.")
        yield MetadataTool(tool, Path(folder).resolve())


def _metadata(row: dict[str, Any]) -> Metadata:
    texts = [str(row[key]) for key in row if key.startswith(TEXTS)]
    written = [text for text in texts if text.strip() and not text.strip().upper().endswith(CAMERAS)]
    description, alt_text, toolkit = (row.get(key) for key in (DESCRIPTION, ALT_TEXT, TOOLKIT))
    return Metadata(
        text=written[0] if written else None,
        description=None if description is None else str(description),  # JSON has numbers where a text looks like one
        alt_text=None if alt_text is None else str(alt_text),
        toolkit=None if toolkit is None else str(toolkit),
        extension=row.get("File:FileTypeExtension", ""),
    )


def _reason(stderr: str) -> str:
    """The first error, without the name of the link."""
    errors = [line.removeprefix("Error: ") for line in stderr.splitlines() if not line.startswith("Warning")]
    return re.sub(r" - /.*", "", errors[0]) if errors else "ExifTool wrote nothing"
