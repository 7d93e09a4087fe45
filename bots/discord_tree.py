"""The list of commands, and uploading it: when it has changed or when told to, not at every start."""

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bots.discord_admin import Admin
from bots.discord_auto import auto
from bots.discord_commands import caption, describe, describe_for_all, mine
from bots.discord_people import forget, help_, privacy, settings
from bots.discord_places import Interaction
from bots.discord_talk import UNREACHABLE, tell
from bots.discord_words import Words

if TYPE_CHECKING:
    from settings import Settings

log = logging.getLogger(__name__)

FILE = "discord-commands.json"  # in DATA_DIR: application -> hash of the list that it was given


class Commands(app_commands.CommandTree[Any]):
    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        if not isinstance(error, app_commands.CheckFailure):  # whoever refused has said so
            await tell(interaction, getattr(error, "original", error))


def create_tree(client: discord.Client) -> Commands:
    """All commands. They work in servers, in private and in groups; for servers and for people who install the bot."""
    tree = Commands(
        client,
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
    )
    commands: list[Any] = [caption, describe, describe_for_all, mine, settings, forget, privacy, help_, auto, Admin()]
    for command in commands:
        tree.add_command(command)
    return tree


async def upload(tree: Commands, settings: "Settings") -> int:
    """Give Discord the list. Returns how many commands it has. Raises discord.HTTPException."""
    await tree.set_translator(Words())
    commands = await tree.sync()
    known = _read(settings.data_dir / FILE) | {str(tree.client.application_id): await version(tree)}
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / FILE).write_text(json.dumps(known))
    return len(commands)


async def upload_if_changed(tree: Commands, settings: "Settings") -> None:
    """At start. The bot works without: people then see the old list."""
    try:
        if _read(settings.data_dir / FILE).get(str(tree.client.application_id)) != await version(tree):
            log.info("the list of commands is new: %d are uploaded", await upload(tree, settings))
    except (discord.DiscordException, OSError, *UNREACHABLE) as error:
        log.warning("the list of commands was not uploaded; `captionbot discord --sync` tries again: %s", error)


async def version(tree: Commands) -> str:
    """A hash of what Discord is told."""
    words = Words()
    payload = [await command.get_translated_payload(tree, words) for command in tree.get_commands()]
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}
