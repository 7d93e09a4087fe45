"""Builds and parses the keys of people, chats, messages and requests on Discord, and the custom ids of components.

    discord:USER              a person
    discord:SERVER            a server, as the beginning of the keys of its channels
    discord:SERVER/CHANNEL    a channel or thread of a server
    discord:@me/CHANNEL       a private channel with several people
    discord:CHANNEL/MESSAGE   a message that shows captions
    discord:REQUEST           a request: the id of a message or interaction
    discord:MESSAGE/REQUEST   the same for the images of another message
    discord:.../NUMBER        one image of a request

    do:ACTION:CAPTION         custom id of a button; CAPTION is a public id, or empty
    correct:CAPTION           custom id of the modal for a correction

They are stored in the database and in messages that were already sent, so their form must not change.
"""

import discord

FRONT_END = "discord"
BUTTON_PATTERN = r"do:(?P<action>[a-z-]+):(?P<caption>[\w-]{0,22})"
_PREFIX = f"{FRONT_END}:"
_MODAL_PREFIX = "correct:"


def person_key(user_id: int) -> str:
    return f"{_PREFIX}{user_id}"


# Chats


def server_key(guild_id: int) -> str:
    """The key of a server. The keys of its channels begin with it and a slash."""
    return f"{_PREFIX}{guild_id}"


def channel_key(guild_id: int | None, channel_id: int | None) -> str:
    """The key of a server's channel or thread."""
    return f"{_PREFIX}{guild_id}/{channel_id}"


def chat_key(interaction: discord.Interaction) -> str | None:
    """The chat whose members share captions; None in a direct message with the bot."""
    if interaction.guild_id:
        return channel_key(interaction.guild_id, interaction.channel_id)
    return f"{_PREFIX}@me/{interaction.channel_id}" if interaction.context.private_channel else None


# Messages and requests


def message_key(channel_id: int, message_id: int) -> str:
    """The key by which reactions and deletions find the captions in a message."""
    return f"{_PREFIX}{channel_id}/{message_id}"


def parse_message_key(key: str) -> tuple[int, int]:
    """The ids of the channel and of the message."""
    channel, message = key.removeprefix(_PREFIX).split("/")
    return int(channel), int(message)


def source_key(request_id: int, about: int | None = None) -> str:
    """The unique key of a request.

    Args:
        request_id: of the message or interaction that asks.
        about: the message that contains the images, if it is another one. Deleting it removes the captions.
    """
    return f"{_PREFIX}{request_id}" if about in (None, request_id) else f"{_PREFIX}{about}/{request_id}"


def numbered_source_key(source: str, number: int) -> str:
    """The key of one image of a request."""
    return f"{source}/{number}"


# Custom ids


def button_id(action: str, caption: str) -> str:
    return f"do:{action}:{caption}"


def modal_id(caption: str) -> str:
    return f"{_MODAL_PREFIX}{caption}"


def parse_modal_id(custom_id: str) -> str | None:
    """The public id of the caption that a modal corrects; None for any other custom id."""
    return custom_id.removeprefix(_MODAL_PREFIX) if custom_id.startswith(_MODAL_PREFIX) else None
