"""Which file gets the description of a photo, and how a file is replaced."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from model.images.image_file import SUFFIXES


def sidecar_of(photo: Path) -> Path:
    """The XMP sidecar of a photo: the one that is there, or PHOTO.jpg.xmp, which digiKam, darktable and Immich read.

    Adobe's programs write PHOTO.xmp, which belongs to a photo only if no other one has the same name.
    """
    own, adobe = photo.with_name(f"{photo.name}.xmp"), photo.with_suffix(".xmp")
    if own.exists() or not adobe.exists():
        return own
    same_name = [path for path in photo.parent.iterdir() if path.stem == photo.stem and path.suffix.lower() in SUFFIXES]
    return own if len(same_name) > 1 else adobe


def put_in_place(new: Path, path: Path, *, like: Path, keep_times: bool) -> None:
    """Copy a finished file to its place, whole or not at all. `path` may exist and be a symbolic link, which stays one.

    Args:
        like: the file whose owner and mode it gets; with keep_times also its times and other attributes.

    Raises:
        OSError
    """
    target, model = Path(os.path.realpath(path)), os.stat(like)
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(None, "it is write-protected")
    handle, draft = tempfile.mkstemp(prefix=".captionbot-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as output, new.open("rb") as source:
            shutil.copyfileobj(source, output)
            output.flush()
            os.fsync(output.fileno())
        with contextlib.suppress(PermissionError):  # only root may give files away
            os.chown(draft, model.st_uid, model.st_gid)
        if keep_times:
            shutil.copystat(like, draft)
        else:
            os.chmod(draft, model.st_mode & 0o666)
        os.replace(draft, target)
    finally:
        Path(draft).unlink(missing_ok=True)
