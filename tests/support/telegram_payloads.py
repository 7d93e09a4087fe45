"""Builds the JSON objects of the Bot API: users, chats, messages and files."""

import hashlib
import io
import itertools
import time
from typing import Any

from PIL import Image

Json = dict[str, Any]
_numbers = itertools.count(1001)


def user(name: str, *, language: str | None = "en", bot: bool = False, **more: Any) -> Json:
    number = next(_numbers)
    someone = {"id": number, "is_bot": bot, "first_name": name, "username": f"{name.lower()}_{number}"} | more
    return someone | ({"language_code": language} if language else {})


def private_chat(person: Json) -> Json:
    return {"id": person["id"], "type": "private", "first_name": person["first_name"]}


def group_chat(title: str, **more: Any) -> Json:
    return {"id": -1_000_000_000_000 - next(_numbers), "type": "supergroup", "title": title} | more


def message(number: int, chat: Json, author: Json, **content: Any) -> Json:
    return {"message_id": number, "date": int(time.time()), "chat": chat, "from": author} | content


def without_reply(message: Json) -> Json:
    """A message as it appears in `reply_to_message`: replies are not nested."""
    return {key: value for key, value in message.items() if key != "reply_to_message"}


def entities(text: str) -> list[Json]:
    """The entities of commands and mentions in a text, as Telegram finds them."""
    found, offset = [], 0
    for word in text.split(" "):
        size = len(word.encode("utf-16-le")) // 2
        if word[:1] in ("/", "@") and size > 1:
            kind = "bot_command" if word[0] == "/" else "mention"
            found.append({"type": kind, "offset": offset, "length": size})
        offset += size + 1
    return found


class Files:
    """Files for download: by file id, and by the path that getFile returns."""

    def __init__(self) -> None:
        self.by_id: dict[str, Json] = {}
        self.data: dict[str, bytes] = {}

    def add(self, data: bytes, folder: str, name: str = "", size: int | None = None) -> Json:
        """Store a file. size: the reported one, for a file that will not be downloaded."""
        number, unique = next(_numbers), hashlib.sha256(data).hexdigest()[:16]
        path = f"{folder}/file_{number}{name[name.rfind('.') :] if '.' in name else ''}"
        file = {"file_id": f"{folder}-{number}-{unique}", "file_unique_id": unique, "file_size": size or len(data)}
        self.by_id[file["file_id"]] = file | {"file_path": path}
        self.data[path] = data
        return file

    def add_photo(self, data: bytes) -> list[Json]:
        """Store a photo in the sizes that Telegram makes of it, smallest first. The last one is the photo as sent."""
        picture = Image.open(io.BytesIO(data))
        sizes = []
        for longest in (90, 320, 800, 1280):
            if longest < max(picture.size):
                small = picture.convert("RGB")
                small.thumbnail((longest, longest))
                buffer = io.BytesIO()
                small.save(buffer, "JPEG")
                sizes.append(self._size(buffer.getvalue(), small.size))
        return [*sizes, self._size(data, picture.size)] if max(picture.size) <= 2560 else sizes

    def add_thumbnail(self, data: bytes) -> Json:
        return self._size(data, Image.open(io.BytesIO(data)).size)

    def _size(self, data: bytes, size: tuple[int, int]) -> Json:
        return self.add(data, "photos", ".jpg") | {"width": size[0], "height": size[1]}
