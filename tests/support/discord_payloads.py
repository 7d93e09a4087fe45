"""Builds Discord's JSON objects, with the fields that the real API sends and discord.py reads."""

import itertools
import time
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
EPOCH = 1_420_070_400_000  # snowflakes count milliseconds from here
_counter = itertools.count()
ALL_PERMISSIONS = str((1 << 50) - 1)


def snowflake() -> str:
    """A new id, larger than all earlier ones, as on Discord."""
    return str((int(time.time() * 1000) - EPOCH << 22) + next(_counter) % (1 << 22))


def timestamp() -> str:
    return datetime.now(UTC).isoformat()


def user(id: str, name: str = "Ada", bot: bool = False) -> Json:
    return {"id": id, "username": name.lower(), "global_name": name, "discriminator": "0", "avatar": None, "bot": bot}


def member(person: Json, permissions: str = "0") -> Json:
    return {
        "user": person,
        "roles": [],
        "joined_at": "2024-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
        "permissions": permissions,
    }


def text_channel(id: str, name: str = "photos") -> Json:
    return {"id": id, "type": 0, "name": name, "position": 0, "permission_overwrites": [], "nsfw": False, "topic": None}


def thread(id: str, parent: str, guild: str, owner: str, name: str = "trip") -> Json:
    """A public thread, or a post of a forum."""
    more = {"thread_metadata": {"archived": False, "auto_archive_duration": 60, "locked": False}, "newly_created": True}
    more["thread_metadata"] |= {"archive_timestamp": timestamp(), "create_timestamp": timestamp()}
    counts = {"message_count": 0, "member_count": 1, "total_message_sent": 0, "rate_limit_per_user": 0, "flags": 0}
    where = {"guild_id": guild, "parent_id": parent, "owner_id": owner, "last_message_id": None}
    return {"id": id, "type": 11, "name": name} | where | counts | more


def direct_channel(id: str, person: Json) -> Json:
    return {"id": id, "type": 1, "recipients": [person], "last_message_id": None}


def guild(id: str, bot: Json, channels: list[Json], permissions: str) -> Json:
    """A server in which everyone has these permissions."""
    everyone = {
        "id": id,
        "name": "@everyone",
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": permissions,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
    return {
        "id": id,
        "name": "Friends",
        "owner_id": "1",
        "roles": [everyone],
        "emojis": [],
        "stickers": [],
        "features": [],
        "channels": channels,
        "threads": [],
        "members": [member(bot)],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "member_count": 2,
        "joined_at": timestamp(),
        "large": False,
        "unavailable": False,
        "preferred_locale": "en-US",
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "system_channel_flags": 0,
        "afk_timeout": 300,
    }


def attachment(url: str, name: str, size: int, content_type: str | None = "image/jpeg", alt: str | None = None) -> Json:
    found: Json = {"id": snowflake(), "filename": name, "size": size, "url": url, "proxy_url": url}
    if content_type:
        found["content_type"] = content_type
    if alt:
        found["description"] = alt
    if content_type and content_type.startswith("image/"):
        found |= {"width": 64, "height": 48}
    return found


def message(channel: str, author: Json, content: str = "", **more: Any) -> Json:
    return {
        "id": snowflake(),
        "channel_id": channel,
        "author": author,
        "content": content,
        "timestamp": timestamp(),
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "pinned": False,
        "type": 0,
        "flags": 0,
    } | more
