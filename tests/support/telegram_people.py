"""Actions of people on the local Bot API server: send and edit messages, react, press buttons, block the bot."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from tests.support import telegram_payloads as payloads

Json = dict[str, Any]


@dataclass
class Query:
    """A callback query. Times are those of `time.monotonic()`."""

    payload: Json
    asked_at: float = field(default_factory=time.monotonic)
    answers: list[str] = field(default_factory=list)  # texts; the real API accepts several, but one is right
    alert: bool = False
    expired: bool = False


class People(ABC):
    """The part of the server that acts for people. `chat` is a group; by default the person's private chat."""

    bot: Json
    chats: dict[int, Json]
    members: dict[int, dict[int, str]]
    messages: dict[tuple[int, int], Json]
    queries: dict[str, Query]
    reactions: dict[tuple[int, int, int], list[Json]]
    files: payloads.Files

    def person(self, name: str = "Ada", **more: Any) -> Json:
        """A person who has started the bot. language: that of their app."""
        someone = payloads.user(name, **more)
        self.chats[someone["id"]] = payloads.private_chat(someone)
        self.members[someone["id"]] = {someone["id"]: "member", self.bot["id"]: "member"}
        return someone

    def group(
        self, owner: Json, *members: Json, bot: str = "administrator", title: str = "Friends", **more: Any
    ) -> Json:
        """A group. bot: its status there. As a member it gets only commands, mentions and replies, and no reactions."""
        chat = payloads.group_chat(title, **more)
        self.chats[chat["id"]] = chat
        self.members[chat["id"]] = {one["id"]: "member" for one in members} | {owner["id"]: "creator"}
        self.members[chat["id"]][self.bot["id"]] = bot
        return chat

    async def upgrade(self, person: Json, group: Json, *, new_first: bool = False) -> Json:
        """Make a group a supergroup, which is a chat of its own. Old messages stay where they are.

        Both chats get a message about it. new_first: the one of the supergroup comes first.
        """
        new = payloads.group_chat(group["title"])
        self.chats[new["id"]], self.members[new["id"]] = new, dict(self.members[group["id"]])
        group["moved_to"] = new["id"]
        notices = [(group, {"migrate_to_chat_id": new["id"]}), (new, {"migrate_from_chat_id": group["id"]})]
        for chat, notice in reversed(notices) if new_first else notices:
            await self.add_update("message", self.add_message(chat, person, **notice))
        return new

    async def send_text(self, person: Json, text: str, chat: Json | None = None, **content: Any) -> Json:
        found = payloads.entities(text)
        return await self.send(person, chat, text=text, **({"entities": found} if found else {}), **content)

    async def send_photo(
        self, person: Json, data: bytes, chat: Json | None = None, caption: str = "", **content: Any
    ) -> Json:
        if caption:
            content |= {"caption": caption, "caption_entities": payloads.entities(caption)}
        return await self.send(person, chat, photo=self.files.add_photo(data), **content)

    async def send_album(
        self, person: Json, photos: list[bytes], chat: Json | None = None, caption: str = "", group: str = ""
    ) -> list[Json]:
        """A media group: messages that share a media_group_id. The first one has the caption text."""
        group = group or str(10**16 + time.monotonic_ns())
        return [
            await self.send_photo(person, data, chat, caption if number == 0 else "", media_group_id=group)
            for number, data in enumerate(photos)
        ]

    async def send_document(
        self, person: Json, data: bytes, name: str, mime: str | None = None, chat: Json | None = None, **content: Any
    ) -> Json:
        """A file. size: the one that Telegram reports, so that a huge file needs no memory here."""
        file = self.files.add(data, "documents", name, content.pop("size", None)) | {"file_name": name}
        if mime:
            file["mime_type"] = mime
        return await self.send(person, chat, document=file | content.pop("more", {}), **content)

    async def send_video(self, person: Json, kind: str, thumbnail: bytes | None, chat: Json | None = None) -> Json:
        """An animation, a video, a video_note or a video sticker (`kind`), with or without a thumbnail."""
        film = self.files.add(b"\0" * 32, "videos", ".mp4") | {"width": 320, "height": 240, "duration": 2}
        if kind == "sticker":
            film |= {"type": "regular", "is_animated": False, "is_video": True, "emoji": "🙂"}
        if kind == "video_note":
            film["length"] = 240
        if thumbnail:
            film["thumbnail"] = self.files.add_thumbnail(thumbnail)
        more = {"document": film} if kind == "animation" else {}  # as Telegram does, for old clients
        return await self.send(person, chat, **{kind: film}, **more)

    async def send_sticker(self, person: Json, data: bytes, chat: Json | None = None) -> Json:
        """A static sticker, which is a WebP image."""
        file = self.files.add(data, "stickers", ".webp") | {"width": 512, "height": 512, "type": "regular"}
        return await self.send(person, chat, sticker=file | {"is_animated": False, "is_video": False, "emoji": "🙂"})

    async def send(self, person: Json, chat: Json | None = None, reply_to: Json | None = None, **content: Any) -> Json:
        """Any message. reply_to: the message that it replies to."""
        chat = chat or self.chats[person["id"]]
        if reply_to:
            content["reply_to_message"] = payloads.without_reply(self.messages[chat["id"], reply_to["message_id"]])
        sent = self.add_message(chat, person, **content)
        if self._bot_sees(sent):
            await self.add_update("message", sent)
        return sent

    async def edit(self, person: Json, message: Json, **content: Any) -> Json:
        """Edit a message of the person: photo=BYTES, caption=TEXT."""
        if "photo" in content:
            content["photo"] = self.files.add_photo(content["photo"])
        message |= content | {"edit_date": int(time.time())}
        if self._bot_sees(message):
            await self.add_update("edited_message", message)
        return message

    async def press(self, person: Json, message: Json, button: str) -> Query:
        """Press the button of a message whose label starts with this text."""
        message = self.messages[message["chat"]["id"], message["message_id"]]
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        found = [one["callback_data"] for row in rows for one in row if one["text"].startswith(button)]
        assert found, f"no button {button} under {message.get('text')!r}"
        return await self.send_callback_query(person, message, found[0])

    async def send_callback_query(self, person: Json, message: Json, data: str) -> Query:
        number = str(10**18 + time.monotonic_ns())
        payload = {"id": number, "from": person, "message": message, "chat_instance": "1", "data": data}
        asked = self.queries[number] = Query(payload)
        await self.add_update("callback_query", payload)
        return asked

    async def react(self, person: Json, message: Json, *emoji: str) -> None:
        """Set the person's reactions to a message; without emoji, remove them. A bot gets these updates in groups only
        as an administrator."""
        chat = message["chat"]
        key = (chat["id"], message["message_id"], person["id"])
        old, new = self.reactions.get(key, []), [{"type": "emoji", "emoji": one} for one in emoji]
        self.reactions[key] = new
        if chat["type"] == "private" or self.is_administrator(chat, self.bot):
            data = {"chat": chat, "message_id": message["message_id"], "user": person, "date": int(time.time())}
            await self.add_update("message_reaction", data | {"old_reaction": old, "new_reaction": new})

    def delete(self, message: Json) -> None:
        """Delete a message. Bots get no update about it."""
        del self.messages[message["chat"]["id"], message["message_id"]]

    async def set_bot_status(self, person: Json, chat: Json, status: str) -> None:
        """Block the bot ("blocked", in one's private chat), remove it ("kicked") or add it ("member")."""
        before = self.members[chat["id"]].get(self.bot["id"], "left")
        self.members[chat["id"]][self.bot["id"]] = status
        old, new = ({"user": self.bot, "status": "kicked" if one == "blocked" else one} for one in (before, status))
        for one in (old, new):
            if one["status"] == "kicked":
                one["until_date"] = 0
            if one["status"] == "administrator":
                one["status"] = "member"
        change = {"chat": chat, "from": person, "date": int(time.time())}
        await self.add_update("my_chat_member", change | {"old_chat_member": old, "new_chat_member": new})

    def _bot_sees(self, message: Json) -> bool:
        """Whether the bot gets a message. In groups, unless it is an administrator, only those addressed to it."""
        if message["chat"]["type"] == "private" or self.is_administrator(message["chat"], self.bot):
            return True
        text = message.get("text") or message.get("caption") or ""
        replied = message.get("reply_to_message", {}).get("from", {}).get("id")
        return text.startswith("/") or f"@{self.bot['username']}" in text or replied == self.bot["id"]

    # Implemented by the server

    @abstractmethod
    def add_message(self, chat: Json, author: Json, **content: Any) -> Json: ...

    @abstractmethod
    def is_administrator(self, chat: Json, person: Json) -> bool: ...

    @abstractmethod
    async def add_update(self, kind: str, payload: Json) -> None: ...
