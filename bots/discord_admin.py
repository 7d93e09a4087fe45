"""/admin: figures, feedback and models, for the people in ADMIN_IDS.

Discord cannot show a command to single people. It is shown to those who administer a server, and refused to all but
the people in ADMIN_IDS.
"""

import asyncio
import io

import discord
from discord import app_commands
from discord.app_commands import Range

from bots.admin_texts import models_text, promoted_text, rolled_back_text, stats_text
from bots.discord_answers import shorten, to_copy
from bots.discord_places import Interaction, person_key
from bots.discord_talk import acknowledge, language_of
from bots.discord_words import told
from bots.texts import say

LONGEST = 1990  # characters, with the block around them


@app_commands.default_permissions()
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class Admin(app_commands.Group):
    def __init__(self) -> None:
        super().__init__(name="admin", description=told("about_admin"))

    async def interaction_check(self, interaction: Interaction, /) -> bool:  # type: ignore[override]
        """Before each of them: who asks is acknowledged, and if they may not do that, told so."""
        if not await acknowledge(interaction):
            return False
        allowed = interaction.client.service.is_admin(person_key(interaction.user.id))
        if not allowed:
            said = say(await language_of(interaction), "discord.not_admin")
            await interaction.edit_original_response(content=said)
        return allowed

    @app_commands.command(description=told("about_stats"))
    async def stats(self, interaction: Interaction) -> None:
        figures = await asyncio.to_thread(interaction.client.service.stats)
        await _show(interaction, stats_text(figures, await language_of(interaction)))

    @app_commands.command(description=told("about_models"))
    async def models(self, interaction: Interaction) -> None:
        models = await asyncio.to_thread(interaction.client.service.models)
        await _show(interaction, models_text(models, await language_of(interaction)))

    @app_commands.command(description=told("about_promote"))
    @app_commands.describe(version=told("about_version"), percent=told("about_percent"))
    async def promote(self, interaction: Interaction, version: str, percent: Range[int, 1, 100] = 100) -> None:
        service, by = interaction.client.service, person_key(interaction.user.id)
        await asyncio.to_thread(lambda: service.promote(version, by=by, percent=percent % 100))
        await _show(interaction, promoted_text(version, percent, await language_of(interaction)))

    @app_commands.command(description=told("about_rollback"))
    async def rollback(self, interaction: Interaction) -> None:
        service, by = interaction.client.service, person_key(interaction.user.id)
        now = await asyncio.to_thread(lambda: service.rollback(by=by))
        await _show(interaction, rolled_back_text(now, await language_of(interaction)))

    @app_commands.command(description=told("about_export"))
    @app_commands.describe(everything=told("about_everything"))
    async def export(self, interaction: Interaction, everything: bool = False) -> None:
        service, by = interaction.client.service, person_key(interaction.user.id)
        limit = interaction.filesize_limit
        export = await asyncio.to_thread(lambda: service.export(limit, by=by, everything=everything))
        await interaction.edit_original_response(attachments=[discord.File(io.BytesIO(export.data), "feedback.zip")])
        await asyncio.to_thread(lambda: service.exported(export, by=by))


async def _show(interaction: Interaction, text: str) -> None:
    await interaction.edit_original_response(content=to_copy(shorten(text, LONGEST)))
