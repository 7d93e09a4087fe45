"""Reads files that people sent: over HTTP, or from the disk of a Bot API server of one's own that runs in local mode.

In local mode `getFile` returns an absolute path on the server's disk, DIR/TOKEN/photos/file_1.jpg, and there are no
downloads. DIR is then shared with this machine; TELEGRAM_FILES_DIR says where it is here.
"""

import asyncio
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from telegram import File
from telegram.error import InvalidToken, TelegramError

from bots.telegram.context import Bot


class NotShared(Exception):
    """The file is on the disk of the Bot API server, and this machine cannot read it. The text is for the operator."""


async def read_file(bot: Bot, file_id: str, shared: Path | None) -> bytes:
    """The contents of a file that somebody sent.

    Args:
        shared: where this machine has the folder of the Bot API server, if it shares one.

    Raises:
        NotShared
        TelegramError: also if the file is not there, or not yet.
    """
    file = await bot.get_file(file_id)
    path = (file.file_path or "").removeprefix(f"{bot.base_file_url}/")
    if not _is_absolute(path):
        return await _download(file)
    if shared or Path(path).is_file():
        return await asyncio.to_thread(_read, _in_folder(path, shared, bot.id) if shared else Path(path))
    try:
        return await _download(file)  # a web server beside the Bot API server may offer its files
    except TelegramError:
        folder = _server_folder(path, bot.id)
        raise NotShared(
            f"The Bot API server runs in local mode and has put the photo into {folder}, on its own disk. "
            "Share that folder with this machine, and set TELEGRAM_FILES_DIR to where it is here"
        ) from None


async def _download(file: File) -> bytes:
    try:
        return bytes(await file.download_as_bytearray())
    except InvalidToken as error:  # the library's name for any 404, but getFile has just accepted the token
        raise TelegramError(f"the file is not there: {error}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise TelegramError(f"{path} is not there: is TELEGRAM_FILES_DIR the folder of the Bot API server?") from None
    except OSError as error:
        raise NotShared(f"{path} cannot be read: {error.strerror}. Let this user read what the server writes") from None


def _in_folder(path: str, shared: Path, bot_id: int) -> Path:
    """Where a file of the server is on this machine."""
    parts = _parts(path)
    return shared.joinpath(*parts[_own_folder(parts, bot_id) :])


def _server_folder(path: str, bot_id: int) -> PurePath:
    """The folder of the server, DIR, on its own disk."""
    parts = _parts(path)
    return type(_pure(path))(*parts[: _own_folder(parts, bot_id)])


def _own_folder(parts: tuple[str, ...], bot_id: int) -> int:
    """Which part of a path is the bot's own folder. Its name is the token, on Windows with ~ for the colon."""
    own = (number for number, part in enumerate(parts) if part.startswith((f"{bot_id}:", f"{bot_id}~")))
    return next(own, max(1, len(parts) - 2))


def _is_absolute(path: str) -> bool:
    return _pure(path).is_absolute()


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in _pure(path).parts if part != "..")


def _pure(path: str) -> PurePath:
    return PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
