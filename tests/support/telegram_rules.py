"""Checks texts, keyboards, commands and URLs by the rules of the Bot API. Raises Rejected."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
TEXT, CAPTION, CALLBACK_ANSWER, CALLBACK_DATA = 4096, 1024, 200, 64
DEFAULT_UPDATES = {
    "message", "edited_message", "channel_post", "edited_channel_post", "inline_query", "chosen_inline_result",
    "callback_query", "shipping_query", "pre_checkout_query", "poll", "poll_answer", "my_chat_member",
    "chat_join_request", "chat_boost", "removed_chat_boost",
}  # fmt: skip
ALL_UPDATES = DEFAULT_UPDATES | {"chat_member", "message_reaction", "message_reaction_count"}
ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip
SCOPES = {
    "default": (), "all_private_chats": (), "all_group_chats": (), "all_chat_administrators": (),
    "chat": ("chat_id",), "chat_administrators": ("chat_id",), "chat_member": ("chat_id", "user_id"),
}  # fmt: skip
ENTITIES = {
    "bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre",
    "text_link", "text_mention", "custom_emoji", "mention", "hashtag", "cashtag", "bot_command", "url", "email",
    "phone_number",
}  # fmt: skip


class Rejected(Exception):
    """An error response, with `ok: false`."""

    def __init__(self, code: int, description: str, **parameters: Any):
        super().__init__(description)
        self.code, self.parameters = code, parameters
        self.body: Json = {"ok": False, "error_code": code, "description": description}
        if parameters:
            self.body["parameters"] = parameters


def need(right: Any, reason: str, code: int = 400) -> None:
    if not right:
        raise Rejected(code, f"{'Forbidden' if code == 403 else 'Bad Request'}: {reason}")


def units(text: str) -> int:
    """Telegram counts in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def number(params: Json, name: str) -> int:
    try:
        return int(params[name])
    except (KeyError, ValueError):
        raise Rejected(400, f"Bad Request: {name} is not a number") from None


def parsed(params: Json, name: str) -> Any:
    """The value of a JSON parameter; None if it is missing."""
    try:
        return json.loads(params[name]) if params.get(name) else None
    except ValueError:
        raise Rejected(400, f"Bad Request: can't parse {name}") from None


def flag(params: Json, name: str) -> bool:
    return str(params.get(name, "")).lower() in ("true", "1")


def check_text(params: Json, name: str = "text", limit: int = TEXT) -> str:
    text = str(params.get(name, ""))
    need("parse_mode" not in params, "parse_mode is not known here")
    if name == "text":
        need(text.strip(), "message text is empty")
        need(units(text) <= limit, "message is too long")
    need(units(text) <= limit, "message caption is too long")
    for entity in parsed(params, "entities") or []:
        need(entity.get("type") in ENTITIES, "can't parse MessageEntity: unknown type")
        offset, length = entity.get("offset", -1), entity.get("length", 0)
        need(offset >= 0 and length > 0 and offset + length <= units(text), "ENTITY_BOUNDS_INVALID")
        need(entity["type"] != "text_link" or urlsplit(entity.get("url", "")).scheme in ("http", "https", "tg"),
             "ENTITY_URL_INVALID")  # fmt: skip
    return text


def check_markup(params: Json, *, inline_only: bool = False) -> Json | None:
    """Inline keyboards and forced replies."""
    markup = parsed(params, "reply_markup")
    if markup is None:
        return None
    need(isinstance(markup, dict), "object expected as reply markup")
    if markup.get("force_reply"):
        need(not inline_only, "inline keyboard expected")
        need(units(markup.get("input_field_placeholder", "-")) <= 64, "reply markup is too long")
        return markup
    rows = markup.get("inline_keyboard")
    need(isinstance(rows, list), "inline keyboard expected")
    buttons = [button for row in rows for button in row]
    need(len(buttons) <= 100 and all(len(row) <= 8 for row in rows), "REPLY_MARKUP_TOO_LONG")
    for button in buttons:
        need(button.get("text"), "Button text is empty")
        actions = [key for key in button if key in ("callback_data", "url")]
        need(actions, "Text buttons are unallowed in the inline keyboard")
        if "callback_data" in button:
            need(1 <= len(button["callback_data"].encode()) <= CALLBACK_DATA, "BUTTON_DATA_INVALID")
        else:
            need(urlsplit(button["url"]).scheme in ("http", "https", "tg"), "BUTTON_URL_INVALID")
    return markup if buttons else None


def check_commands(params: Json) -> tuple[str, list[Json]]:
    """Scope and language as one key, and the commands."""
    commands = parsed(params, "commands")
    need(isinstance(commands, list) and len(commands) <= 100, "BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        need(re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]), "BOT_COMMAND_INVALID")
        need(1 <= len(command["description"]) <= 256, "BOT_COMMAND_DESCRIPTION_INVALID")
    scope = parsed(params, "scope") or {"type": "default"}
    need(scope.get("type") in SCOPES, "unsupported scope")
    need(all(key in scope for key in SCOPES[scope["type"]]), "chat not found")
    language = params.get("language_code", "")
    need(re.fullmatch(r"|[a-z]{2}", language), "BOT_COMMAND_LANGUAGE_INVALID")
    where = "/".join(str(scope[key]) for key in ("type", *SCOPES[scope["type"]]))
    return f"{where}/{language}" if language else where, commands


def check_updates(params: Json) -> set[str] | None:
    """The kinds of updates in allowed_updates; None if the parameter is missing, which keeps the earlier choice."""
    kinds = parsed(params, "allowed_updates")
    if kinds is None:
        return None
    need(isinstance(kinds, list) and set(kinds) <= ALL_UPDATES, "can't parse allowed_updates")
    return set(kinds) or DEFAULT_UPDATES


def check_webhook(params: Json) -> str:
    url = str(params.get("url", ""))
    if url:
        address = urlsplit(url)
        need(address.scheme == "https", "bad webhook: An HTTPS URL must be provided for webhook")
        need((address.port or 443) in (443, 80, 88, 8443),
             "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")  # fmt: skip
    need(re.fullmatch(r"[A-Za-z0-9_-]{0,256}", params.get("secret_token", "")),
         "secret token contains unallowed characters")  # fmt: skip
    need(1 <= int(params.get("max_connections", 40)) <= 100, "max_connections must be between 1 and 100")
    return url
