"""What people do on the small Telegram: write, send photos and albums, edit, react, press buttons, block the bot."""

import time
from dataclasses import dataclass, field
from typing import Any

import telegram_payloads as payloads

Json = dict[str, Any]


@dataclass
class Query:
    """A button that was pressed. Times: `time.monotonic()`."""

    payload: Json
    asked_at: float = field(default_factory=time.monotonic)
    answers: list[str] = field(default_factory=list)  # the real API takes several; a good bot gives one
    alert: bool = False
    expired: bool = False


class People:
    """The part of the server that acts for people. `chat`: a group; by default one's private chat with the bot."""

    bot: Json
    chats: dict[int, Json]
    members: dict[int, dict[int, str]]
    messages: dict[tuple[int, int], Json]
    queries: dict[str, Query]
    reactions: dict[tuple[int, int, int], list[Json]]
    files: payloads.Files

    def person(self, name: str = "Ada", **more: Any) -> Json:
        """Somebody who has started the bot. language: of their app."""
        someone = payloads.user(name, **more)
        self.chats[someone["id"]] = payloads.private_chat(someone)
        self.members[someone["id"]] = {someone["id"]: "member", self.bot["id"]: "member"}
        return someone

    def group(
        self, owner: Json, *members: Json, bot: str = "administrator", title: str = "Friends", **more: Any
    ) -> Json:
        """A group. bot: its status there; a mere member sees only commands, mentions and replies, and no reactions."""
        chat = payloads.group_chat(title, **more)
        self.chats[chat["id"]] = chat
        self.members[chat["id"]] = {one["id"]: "member" for one in members} | {owner["id"]: "creator"}
        self.members[chat["id"]][self.bot["id"]] = bot
        return chat

    async def say(self, person: Json, text: str, chat: Json | None = None, **content: Any) -> Json:
        found = payloads.entities(text)
        return await self.post(person, chat, text=text, **({"entities": found} if found else {}), **content)

    async def photo(
        self, person: Json, data: bytes, chat: Json | None = None, caption: str = "", **content: Any
    ) -> Json:
        if caption:
            content |= {"caption": caption, "caption_entities": payloads.entities(caption)}
        return await self.post(person, chat, photo=self.files.photo(data), **content)

    async def album(
        self, person: Json, photos: list[bytes], chat: Json | None = None, caption: str = "", group: str = ""
    ) -> list[Json]:
        """Photos sent together: single messages that share a media_group_id; the caption stands with the first."""
        group = group or str(10**16 + time.monotonic_ns())
        return [
            await self.photo(person, data, chat, caption if number == 0 else "", media_group_id=group)
            for number, data in enumerate(photos)
        ]

    async def document(
        self, person: Json, data: bytes, name: str, mime: str | None = None, chat: Json | None = None, **content: Any
    ) -> Json:
        """A file. size: what Telegram says of it, so that a huge one needs no room here."""
        file = self.files.add(data, "documents", name, content.pop("size", None)) | {"file_name": name}
        if mime:
            file["mime_type"] = mime
        return await self.post(person, chat, document=file | content.pop("more", {}), **content)

    async def film(self, person: Json, kind: str, thumbnail: bytes | None, chat: Json | None = None) -> Json:
        """An animation, a video, a video_note or a sticker that moves: no picture but, mostly, a thumbnail."""
        film = self.files.add(b"\0" * 32, "videos", ".mp4") | {"width": 320, "height": 240, "duration": 2}
        if kind == "sticker":
            film |= {"type": "regular", "is_animated": False, "is_video": True, "emoji": "🙂"}
        if kind == "video_note":
            film["length"] = 240
        if thumbnail:
            film["thumbnail"] = self.files.thumbnail(thumbnail)
        more = {"document": film} if kind == "animation" else {}  # as Telegram does, for old clients
        return await self.post(person, chat, **{kind: film}, **more)

    async def sticker(self, person: Json, data: bytes, chat: Json | None = None) -> Json:
        """One that stands still: a WebP picture."""
        file = self.files.add(data, "stickers", ".webp") | {"width": 512, "height": 512, "type": "regular"}
        return await self.post(person, chat, sticker=file | {"is_animated": False, "is_video": False, "emoji": "🙂"})

    async def post(self, person: Json, chat: Json | None = None, reply_to: Json | None = None, **content: Any) -> Json:
        """Any message. reply_to: the message it answers."""
        chat = chat or self.chats[person["id"]]
        if reply_to:
            content["reply_to_message"] = payloads.without_reply(self.messages[chat["id"], reply_to["message_id"]])
        sent = self.add_message(chat, person, **content)
        if self._bot_sees(sent):
            await self.update("message", sent)
        return sent

    async def edit(self, person: Json, message: Json, **content: Any) -> Json:
        """Change a message of one's own: photo=BYTES, caption=TEXT."""
        if "photo" in content:
            content["photo"] = self.files.photo(content["photo"])
        message |= content | {"edit_date": int(time.time())}
        if self._bot_sees(message):
            await self.update("edited_message", message)
        return message

    async def press(self, person: Json, message: Json, button: str) -> Query:
        """The button of a message whose text begins like this."""
        message = self.messages[message["chat"]["id"], message["message_id"]]
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        found = [one["callback_data"] for row in rows for one in row if one["text"].startswith(button)]
        assert found, f"no button {button} under {message.get('text')!r}"
        return await self.callback(person, message, found[0])

    async def callback(self, person: Json, message: Json, data: str) -> Query:
        number = str(10**18 + time.monotonic_ns())
        payload = {"id": number, "from": person, "message": message, "chat_instance": "1", "data": data}
        asked = self.queries[number] = Query(payload)
        await self.update("callback_query", payload)
        return asked

    async def react(self, person: Json, message: Json, *emoji: str) -> None:
        """Set one's reactions to a message; none takes them back. In groups only administrators hear of it."""
        chat = message["chat"]
        key = (chat["id"], message["message_id"], person["id"])
        old, new = self.reactions.get(key, []), [{"type": "emoji", "emoji": one} for one in emoji]
        self.reactions[key] = new
        if chat["type"] == "private" or self.is_administrator(chat, self.bot):
            data = {"chat": chat, "message_id": message["message_id"], "user": person, "date": int(time.time())}
            await self.update("message_reaction", data | {"old_reaction": old, "new_reaction": new})

    def delete(self, message: Json) -> None:
        """Bots are not told."""
        del self.messages[message["chat"]["id"], message["message_id"]]

    async def set_bot(self, person: Json, chat: Json, status: str) -> None:
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
        await self.update("my_chat_member", change | {"old_chat_member": old, "new_chat_member": new})

    def _bot_sees(self, message: Json) -> bool:
        """A bot that is no administrator gets commands, mentions and replies to it; all else stays private."""
        if message["chat"]["type"] == "private" or self.is_administrator(message["chat"], self.bot):
            return True
        text = message.get("text") or message.get("caption") or ""
        replied = message.get("reply_to_message", {}).get("from", {}).get("id")
        return text.startswith("/") or f"@{self.bot['username']}" in text or replied == self.bot["id"]

    # What the server has of its own

    def add_message(self, chat: Json, author: Json, **content: Any) -> Json:
        raise NotImplementedError

    def is_administrator(self, chat: Json, person: Json) -> bool:
        raise NotImplementedError

    async def update(self, kind: str, payload: Json) -> None:
        raise NotImplementedError
