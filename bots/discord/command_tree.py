"""The command tree. It is uploaded to Discord when it has changed or on request, not at every start."""

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bots.discord.account import forget, help_, privacy, settings_command
from bots.discord.admin import Admin
from bots.discord.auto import auto
from bots.discord.command_texts import CommandTranslator
from bots.discord.commands import caption, describe, describe_for_all, mine
from bots.discord.context import Interaction
from bots.discord.failures import UNREACHABLE
from bots.discord.replies import report_error

if TYPE_CHECKING:
    from settings import Settings

log = logging.getLogger(__name__)

FILE = "discord-commands.json"  # in DATA_DIR: application id -> version of the commands that were uploaded for it


class CaptionCommandTree(app_commands.CommandTree[Any]):
    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        if not isinstance(error, app_commands.CheckFailure):  # a failed check has responded already
            await report_error(interaction, getattr(error, "original", error))


def create_tree(client: discord.Client) -> CaptionCommandTree:
    """All commands. Unless one says otherwise, servers and people can install it, and it works in any chat."""
    tree = CaptionCommandTree(
        client,
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
    )
    commands: list[Any] = [caption, describe, describe_for_all, mine, settings_command()]
    commands += [forget, privacy, help_, auto, Admin()]
    for command in commands:
        tree.add_command(command)
    return tree


async def upload(tree: CaptionCommandTree, settings: "Settings") -> int:
    """Upload all commands. Returns their number. Raises discord.HTTPException."""
    await tree.set_translator(CommandTranslator())
    commands = await tree.sync()
    versions = _read(settings.data_dir / FILE) | {str(tree.client.application_id): await version(tree)}
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / FILE).write_text(json.dumps(versions))
    return len(commands)


async def upload_if_changed(tree: CaptionCommandTree, settings: "Settings") -> None:
    """Upload the commands if they have changed. Best effort: after a failure people see the old commands."""
    try:
        if _read(settings.data_dir / FILE).get(str(tree.client.application_id)) != await version(tree):
            log.info("the commands have changed: %d uploaded", await upload(tree, settings))
    except (discord.DiscordException, OSError, *UNREACHABLE) as error:
        log.warning("the commands were not uploaded; `captionbot discord --sync` tries again: %s", error)


async def version(tree: CaptionCommandTree) -> str:
    """A hash of the commands as they are uploaded."""
    translator = CommandTranslator()
    payload = [await command.get_translated_payload(tree, translator) for command in tree.get_commands()]
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, str]:
    """The versions that were uploaded; empty if the file is missing or damaged, which only causes another upload."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}
