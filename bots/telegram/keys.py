"""Builds and parses the keys of people, chats, messages and albums, callback data, and the payloads of /start links.

    telegram:USER                  a person, or the chat in whose name somebody writes
    telegram:CHAT                  a group, supergroup or channel
    telegram:CHAT/MESSAGE          a message: a photo, or an answer of the bot
    telegram:CHAT/albumID          a media group
    telegram:CHAT/albumID/MESSAGE  one photo of a media group

    ACTION:ARGUMENT                callback data of a button; for most actions the argument is a caption's public id

They are stored in the database and in messages that were sent long ago, so their form cannot change.
"""

import re
from collections.abc import Iterable

from telegram import Chat, Message, User

FRONT_END = "telegram"
_PREFIX = f"{FRONT_END}:"
_CORRECTION = "fix_"
_CORRECTION_LINK = re.compile(rf"[?&]start={_CORRECTION}([\w-]{{22}})$")


# People and chats


def person_key(person: User | Chat) -> str:
    """The key of a sender. Channels and anonymous administrators write in the name of a chat."""
    return f"{_PREFIX}{person.id}"


def user_ids(keys: Iterable[str]) -> list[int]:
    """The Telegram users among people's keys, such as those in ADMIN_IDS."""
    return [int(key.removeprefix(_PREFIX)) for key in keys if key.startswith(_PREFIX)]


def chat_key(chat_id: int) -> str:
    """The key of a chat with several members."""
    return f"{_PREFIX}{chat_id}"


def group_key(chat: Chat) -> str | None:
    """The chat's key, or None for a private chat."""
    return None if chat.type == Chat.PRIVATE else chat_key(chat.id)


def is_private(chat_id: int) -> bool:
    """Whether a chat is a private one. Telegram gives groups and channels negative ids."""
    return chat_id > 0


# Messages


def message_key(chat_id: int, message_id: int) -> str:
    """The key by which reactions and replies find the captions in a message."""
    return f"{chat_key(chat_id)}/{message_id}"


def parse_message_key(key: str) -> tuple[int, int]:
    """The ids of the chat and of the message."""
    chat, _, message = key.removeprefix(_PREFIX).partition("/")
    return int(chat), int(message)


def album_key(message: Message) -> str | None:
    """The key of the media group that a message belongs to, if any."""
    return f"{chat_key(message.chat_id)}/album{message.media_group_id}" if message.media_group_id else None


def source_key(message: Message) -> str:
    """The unique key of a request for a caption. It starts with the album's key for photos of an album."""
    if album := album_key(message):
        return f"{album}/{message.message_id}"
    return message_key(message.chat_id, message.message_id)


def edited_source_key(message: Message, file_unique_id: str) -> str:
    """The key of the request that replacing the photo in a message makes."""
    return f"{source_key(message)}/{file_unique_id}"


def another_source_key(source: str, query_id: str) -> str:
    """The key of the request that pressing "another sentence" makes."""
    return f"{source}/again{query_id}"


# Callback data


def callback_data(action: str, argument: str) -> str:
    return f"{action}:{argument}"


def parse_callback_data(data: str) -> tuple[str, str]:
    """Action and argument. Data of an unknown form is an unknown action."""
    action, _, argument = data.partition(":")
    return action, argument


def callback_pattern(*actions: str) -> str:
    """The regular expression of callback data with one of these actions."""
    return rf"^({'|'.join(actions)}):"


def setting_data(name: str, value: str) -> str:
    """Callback data that sets a preference to a value."""
    return callback_data("set", f"{name}={value}")


def parse_setting(argument: str) -> tuple[str, str]:
    """Name and value of a preference."""
    name, _, value = argument.partition("=")
    return name, value


# Payloads of /start links


def correction_payload(caption_id: str) -> str:
    """The payload of a link that asks for a correction of a caption."""
    return f"{_CORRECTION}{caption_id}"


def parse_correction_payload(payload: str) -> str | None:
    """The caption's public id; None if the payload is another one."""
    return payload.removeprefix(_CORRECTION) if payload.startswith(_CORRECTION) else None


def parse_correction_link(url: str) -> str | None:
    """The public id of the caption whose correction a link asks for; None for other links."""
    match = _CORRECTION_LINK.search(url)
    return match[1] if match else None
