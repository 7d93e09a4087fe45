"""Where an answer is sent: the JSON that a caption's row stores in `reply_to`."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import discord

from bots.i18n import DEFAULT, language

ORIGINAL: int = "@original"  # type: ignore[assignment]  # Discord's id for the original response to an interaction
TOKEN_SECONDS = 15 * 60 - 15  # an interaction can be answered for 15 minutes; less a margin


@dataclass(frozen=True, kw_only=True)
class ReplyTarget:
    """The fields of both kinds, named as the stored JSON keys. Those with defaults may be missing in old rows."""

    channel: int | None  # None if Discord does not send it, which may be where the bot is no member
    user: int
    language: str = DEFAULT  # of the person's Discord client, or of the server
    source: str = ""  # key of the request, see keys.py
    number: int = 0  # of the image within its request, from 1; 0 if it is the only one
    spoiler: bool = False  # the image is hidden until somebody wants to see it, so its caption is too

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Ignores unknown keys. Raises TypeError if a required key is missing."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in stored.items() if key in known})


@dataclass(frozen=True, kw_only=True)
class InteractionTarget(ReplyTarget):
    """The answer edits the response to an interaction. After the token expires, a public answer goes to the channel."""

    application: int
    token: str
    until: float  # Unix time at which the token expires
    ephemeral: bool = False  # only the person who used the command may read the answer

    @classmethod
    def of(cls, interaction: discord.Interaction[Any], source: str, *, ephemeral: bool) -> Self:
        return cls(
            channel=interaction.channel_id,
            user=interaction.user.id,
            language=language(interaction.locale.value),
            source=source,
            application=interaction.application_id,
            token=interaction.token,
            until=time.time() + TOKEN_SECONDS,
            ephemeral=ephemeral,
        )

    @property
    def expired(self) -> bool:
        return self.until <= time.time()

    def webhook(self, client: discord.Client) -> discord.Webhook:
        """The webhook that edits the response, which has the id ORIGINAL. It also works after a restart."""
        webhook = discord.Webhook.partial(self.application, self.token, client=client)
        webhook.proxy = client.http.proxy  # which `partial` leaves out
        return webhook


@dataclass(frozen=True, kw_only=True)
class MessageTarget(ReplyTarget):
    """The answer replies to a message that contains the image or asks for its caption."""

    message: int
    auto: bool = False  # the channel has /auto, so nobody asked for this caption
    remind: bool = False  # add a reminder to write alt text

    @classmethod
    def of(cls, message: discord.Message, source: str, *, auto: bool = False, remind: bool = False) -> Self:
        locale = message.guild.preferred_locale.value if message.guild else None
        return cls(
            channel=message.channel.id,
            user=message.author.id,
            language=language(locale),
            source=source,
            message=message.id,
            auto=auto,
            remind=remind,
        )


def read_target(stored: Mapping[str, Any]) -> InteractionTarget | MessageTarget:
    """The reply target that a caption's row stores."""
    return InteractionTarget.from_json(stored) if "token" in stored else MessageTarget.from_json(stored)
