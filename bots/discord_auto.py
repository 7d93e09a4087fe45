"""/auto: captions under the photos of a channel without being asked, for those who manage the channel."""

import asyncio

import discord
from discord import app_commands
from discord.app_commands import Choice

from bots.discord_places import Interaction
from bots.discord_talk import acknowledge, language_of
from bots.discord_words import choices, told
from bots.texts import say

NEEDED = discord.Permissions(view_channel=True, send_messages=True, read_message_history=True)
NEEDED_IN_THREADS = discord.Permissions(view_channel=True, send_messages_in_threads=True, read_message_history=True)


@app_commands.command(name="auto", description=told("about_auto"))
@app_commands.describe(mode=told("about_mode"), remind=told("about_remind"))
@app_commands.choices(mode=choices("auto", "on", "off"))
@app_commands.default_permissions(manage_channels=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
async def auto(interaction: Interaction, mode: Choice[str], remind: bool = False) -> None:
    """Switch captions in this channel on or off. Only for those who manage it, whoever else was given the command."""
    if not await acknowledge(interaction):
        return
    bot, language = interaction.client, await language_of(interaction)
    on, key = mode.value == "on", f"discord:{interaction.guild_id}/{interaction.channel_id}"
    needed = NEEDED_IN_THREADS if isinstance(interaction.channel, discord.Thread) else NEEDED
    if not interaction.permissions.manage_channels:
        said = say(language, "discord.auto_not_yours")
    elif on and not bot.settings.discord_message_content:
        said = say(language, "discord.auto_no_intent")
    elif on and not interaction.app_permissions >= needed:
        said = say(language, "discord.auto_no_permission")
    else:
        await asyncio.to_thread(lambda: bot.service.set_chat(key, auto=on, remind_alt_text=on and remind))
        said = say(language, "discord.auto_is_on" if on else "discord.auto_is_off")
    await interaction.edit_original_response(content=said)
