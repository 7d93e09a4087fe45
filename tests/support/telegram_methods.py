"""The methods of the local Bot API server. Each checks its parameters as the real one does, and returns a result."""

import asyncio
import io
import time
from abc import ABC, abstractmethod
from typing import Any

from PIL import Image

from tests.support import telegram_payloads as payloads
from tests.support import telegram_rules as rules
from tests.support.telegram_rules import Rejected, need

Json = dict[str, Any]
MAX_DOWNLOAD = 20 << 20  # bytes
QUERY_LIFETIME = 15 * 60.0  # seconds in which a callback query can be answered


class Methods(ABC):
    """The part of the server that the bot calls. The names are those of the Bot API."""

    bot: Json
    chats: dict[int, Json]
    members: dict[int, dict[int, str]]
    messages: dict[tuple[int, int], Json]
    queries: dict[str, Any]
    forced_replies: list[Json]  # messages with a ForceReply
    files: payloads.Files
    commands: dict[str, list[Json]]
    webhook: Json
    pending: list[Json]
    arrived: asyncio.Condition
    token: str
    local_folder = ""  # of a server in local mode: its folder on its own disk

    async def getMe(self, params: Json) -> Json:
        more = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
        return self.bot | more

    # Messages

    async def sendMessage(self, params: Json) -> Json:
        chat = self._open_chat(params)
        text = rules.check_text(params)
        more = {"entities": found} if (found := rules.parsed(params, "entities")) else {}
        return self._keep(chat, params, text=text, **more)

    async def sendPhoto(self, params: Json) -> Json:
        chat = self._open_chat(params)
        caption = rules.check_text(params, "caption", rules.CAPTION)
        try:
            Image.open(io.BytesIO(params["photo"])).load()
        except Exception:
            raise Rejected(400, "Bad Request: IMAGE_PROCESS_FAILED") from None
        return self._keep(chat, params, photo=self.files.add_photo(params["photo"]), caption=caption)

    async def sendDocument(self, params: Json) -> Json:
        chat = self._open_chat(params)
        caption = rules.check_text(params, "caption", rules.CAPTION)
        need(params.get("document"), "file must be non-empty")
        name = params["document_name"]
        document = self.files.add(params["document"], "documents", name) | {"file_name": name}
        return self._keep(chat, params, document=document, caption=caption)

    async def sendChatAction(self, params: Json) -> bool:
        self._open_chat(params)
        need(params.get("action") in rules.ACTIONS, "wrong parameter action in request")
        return True

    async def editMessageText(self, params: Json) -> Json:
        message = self._own_message(params, "edit")
        need("text" in message, "there is no text in the message to edit")
        text, markup = rules.check_text(params), rules.check_markup(params, inline_only=True)
        entities = rules.parsed(params, "entities")
        return self._edit(message, {"text": text, "entities": entities, "reply_markup": markup})

    async def editMessageReplyMarkup(self, params: Json) -> Json:
        message = self._own_message(params, "edit")
        return self._edit(message, {"reply_markup": rules.check_markup(params, inline_only=True)})

    async def deleteMessage(self, params: Json) -> bool:
        chat = self._open_chat(params)
        message = self.messages.get((chat["id"], rules.number(params, "message_id")))
        need(message, "message to delete not found")
        assert message is not None
        mine = message["from"]["id"] == self.bot["id"] or chat["type"] == "private"
        need(mine or self.is_administrator(chat, self.bot), "message can't be deleted")
        del self.messages[chat["id"], message["message_id"]]
        return True

    def _keep(self, chat: Json, params: Json, **content: Any) -> Json:
        """Store a new message of the bot."""
        more: Json = {key: value for key, value in content.items() if value}
        if thread := params.get("message_thread_id"):
            need(chat.get("is_forum"), "message thread not found")
            more |= {"message_thread_id": int(thread), "is_topic_message": True}
        if reply := rules.parsed(params, "reply_parameters"):
            answered = self.messages.get((chat["id"], reply.get("message_id")))
            need(answered or reply.get("allow_sending_without_reply"), "message to be replied not found")
            if answered:
                more["reply_to_message"] = payloads.without_reply(answered)
        markup = rules.check_markup(params)
        sent = self.add_message(chat, self.bot, **more)
        if markup and "inline_keyboard" in markup:
            sent["reply_markup"] = markup
        if markup and markup.get("force_reply"):
            self.forced_replies.append(sent)
        return sent

    def _edit(self, message: Json, changes: Json) -> Json:
        same = all(message.get(key) == value for key, value in changes.items())
        need(not same, "message is not modified: specified new message content and reply markup are exactly the same "
             "as a current content and reply markup of the message")  # fmt: skip
        for key, value in changes.items():
            message.pop(key, None)
            if value:
                message[key] = value
        message["edit_date"] = int(time.time())
        return message

    def _open_chat(self, params: Json) -> Json:
        """The chat, if the bot may write there. Raises Rejected."""
        need(params.get("chat_id"), "chat_id is empty")
        chat = self.chats.get(rules.number(params, "chat_id"))
        need(chat, "chat not found")
        assert chat is not None
        if moved := chat.get("moved_to"):
            raise Rejected(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=moved)
        status = self.members[chat["id"]].get(self.bot["id"])
        need(status != "kicked", "bot was kicked from the supergroup chat", 403)
        need(status != "blocked", "bot was blocked by the user", 403)
        need(status, "bot can't initiate conversation with a user", 403)
        return chat

    def _own_message(self, params: Json, verb: str) -> Json:
        chat = self._open_chat(params)
        message = self.messages.get((chat["id"], rules.number(params, "message_id")))
        need(message, f"message to {verb} not found")
        assert message is not None
        need(message["from"]["id"] == self.bot["id"], f"message can't be {verb}ed")
        return message

    # Answers, files, members

    async def answerCallbackQuery(self, params: Json) -> bool:
        query = self.queries.get(params.get("callback_query_id", ""))
        fresh = query and time.monotonic() - query.asked_at < QUERY_LIFETIME and not query.expired
        need(fresh, "query is too old and response timeout expired or query ID is invalid")
        need(rules.units(params.get("text", "")) <= rules.CALLBACK_ANSWER, "MESSAGE_TOO_LONG")
        query.answers.append(params.get("text", ""))
        query.alert = rules.flag(params, "show_alert")
        return True

    async def getFile(self, params: Json) -> Json:
        file = self.files.by_id.get(params.get("file_id", ""))
        need(file, "invalid file_id")
        assert file is not None
        if self.local_folder:  # a server in local mode: any size, an absolute path, and no download
            return file | {"file_path": f"{self.local_folder}/{self.token}/{file['file_path']}"}
        need(file["file_size"] <= MAX_DOWNLOAD, "file is too big")
        return file

    async def getChatMember(self, params: Json) -> Json:
        chat, person = self._open_chat(params), rules.number(params, "user_id")
        status = self.members[chat["id"]].get(person)
        need(status, "PARTICIPANT_ID_INVALID")
        shown: Json = {"status": status, "user": {"id": person, "is_bot": False, "first_name": "Somebody"}}
        if status == "creator":
            shown["is_anonymous"] = False
        if status == "administrator":
            rights = "can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members " \
                "can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories " \
                "can_delete_stories can_be_edited is_anonymous"  # fmt: skip
            shown |= dict.fromkeys(rights.split(), False)
        return shown

    # Settings of the bot

    async def setMyCommands(self, params: Json) -> bool:
        key, commands = rules.check_commands(params)
        scope = rules.parsed(params, "scope") or {}
        need("chat_id" not in scope or int(scope["chat_id"]) in self.chats, "chat not found")
        self.commands[key] = commands
        return True

    async def setWebhook(self, params: Json) -> bool:
        url, kinds = rules.check_webhook(params), rules.check_updates(params)
        self.webhook = {"url": url, "secret": params.get("secret_token", "")}
        self.allow(kinds)
        self.post_pending()
        return True

    async def deleteWebhook(self, params: Json) -> bool:
        self.webhook = {}
        if rules.flag(params, "drop_pending_updates"):
            self.pending.clear()
        return True

    async def getWebhookInfo(self, params: Json) -> Json:
        pending = len(self.pending)
        return {"url": self.webhook.get("url", ""), "has_custom_certificate": False, "pending_update_count": pending}

    async def getUpdates(self, params: Json) -> list[Json]:
        """Long polling. Updates before the offset are confirmed and not returned again."""
        if self.webhook.get("url"):
            raise Rejected(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
                "webhook first")  # fmt: skip
        self.allow(rules.check_updates(params))
        offset, limit = int(params.get("offset") or 0), int(params.get("limit") or 100)
        need(1 <= limit <= 100, "limit must be between 1 and 100")
        self.pollers += 1
        me, end = self.pollers, time.monotonic() + float(params.get("timeout") or 0)
        async with self.arrived:
            self.arrived.notify_all()
            if offset > 0:
                self.confirm(offset)
            while not self.pending and (left := end - time.monotonic()) > 0:
                try:
                    await asyncio.wait_for(self.arrived.wait(), left)
                except TimeoutError:
                    break
                if me != self.pollers:
                    raise Rejected(
                        409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance "
                        "is running")  # fmt: skip
            return self.pending[offset:] if offset < 0 else self.pending[:limit]

    pollers = 0

    # Implemented by the server

    @abstractmethod
    def add_message(self, chat: Json, author: Json, **content: Any) -> Json: ...

    @abstractmethod
    def is_administrator(self, chat: Json, person: Json) -> bool: ...

    @abstractmethod
    def allow(self, kinds: set[str] | None) -> None: ...

    @abstractmethod
    def confirm(self, offset: int) -> None: ...

    @abstractmethod
    def post_pending(self) -> None: ...
