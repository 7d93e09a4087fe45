"""The /admin commands: statistics, models and export of feedback, for the people in ADMIN_IDS.

Discord cannot show a command to selected people only. It shows /admin to the administrators of a server, and the bot
refuses everybody who is not in ADMIN_IDS.
"""

import io

import discord
from discord import app_commands
from discord.app_commands import Range

from bots.admin_texts import models_text, promoted_text, rolled_back_text, stats_text
from bots.discord.command_texts import localized
from bots.discord.context import Interaction
from bots.discord.keys import person_key
from bots.discord.rendering import code_block, truncate
from bots.discord.replies import acknowledge, language_of
from bots.i18n import say
from bots.service.outages import when_available

MAX_LENGTH = 1990  # characters; the code block takes the rest of Discord's 2000


@app_commands.default_permissions()
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class Admin(app_commands.Group):
    def __init__(self) -> None:
        super().__init__(name="admin", description=localized("about_admin"))

    async def interaction_check(self, interaction: Interaction, /) -> bool:  # type: ignore[override]
        """Called before each subcommand. Acknowledges the interaction and refuses people who are not admins."""
        if not await acknowledge(interaction):
            return False
        allowed = interaction.client.service.people.is_admin(person_key(interaction.user.id))
        if not allowed:
            text = say(await language_of(interaction), "discord.not_admin")
            await interaction.edit_original_response(content=text)
        return allowed

    @app_commands.command(description=localized("about_stats"))
    async def stats(self, interaction: Interaction) -> None:
        statistics = await when_available(interaction.client.service.admin.stats)
        await _show(interaction, stats_text(statistics, await language_of(interaction)))

    @app_commands.command(description=localized("about_models"))
    async def models(self, interaction: Interaction) -> None:
        models = await when_available(interaction.client.service.admin.models)
        await _show(interaction, models_text(models, await language_of(interaction)))

    @app_commands.command(description=localized("about_promote"))
    @app_commands.describe(version=localized("about_version"), percent=localized("about_percent"))
    async def promote(self, interaction: Interaction, version: str, percent: Range[int, 1, 100] = 100) -> None:
        service, by = interaction.client.service, person_key(interaction.user.id)
        await when_available(lambda: service.admin.promote(version, by=by, percent=percent % 100))
        await _show(interaction, promoted_text(version, percent, await language_of(interaction)))

    @app_commands.command(description=localized("about_rollback"))
    async def rollback(self, interaction: Interaction) -> None:
        service, by = interaction.client.service, person_key(interaction.user.id)
        version = await when_available(lambda: service.admin.rollback(by=by))
        await _show(interaction, rolled_back_text(version, await language_of(interaction)))

    @app_commands.command(description=localized("about_export"))
    @app_commands.describe(everything=localized("about_everything"))
    async def export(self, interaction: Interaction, everything: bool = False) -> None:
        service, by = interaction.client.service, person_key(interaction.user.id)
        limit = interaction.filesize_limit
        export = await when_available(lambda: service.admin.export(limit, by=by, everything=everything))
        await interaction.edit_original_response(attachments=[discord.File(io.BytesIO(export.data), "feedback.zip")])
        await when_available(lambda: service.admin.confirm_export(export, by=by))


async def _show(interaction: Interaction, text: str) -> None:
    await interaction.edit_original_response(content=code_block(truncate(text, MAX_LENGTH)))
