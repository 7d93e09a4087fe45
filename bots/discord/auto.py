"""/auto: switches automatic captions of all photos in a channel and its threads, or in one thread, on or off."""

import discord
from discord import app_commands
from discord.app_commands import Choice

from bots.discord.command_texts import choices, localized
from bots.discord.context import Interaction
from bots.discord.keys import channel_key
from bots.discord.replies import acknowledge, language_of
from bots.i18n import say
from bots.service.outages import when_available

PERMISSIONS = discord.Permissions(view_channel=True, send_messages=True, read_message_history=True)
PERMISSIONS_IN_THREADS = discord.Permissions(
    view_channel=True, send_messages_in_threads=True, read_message_history=True
)


@app_commands.command(name="auto", description=localized("about_auto"))
@app_commands.describe(mode=localized("about_mode"), remind=localized("about_remind"))
@app_commands.choices(mode=choices("auto", "on", "off"))
@app_commands.default_permissions(manage_channels=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
async def auto(interaction: Interaction, mode: Choice[str], remind: bool = False) -> None:
    """Switch automatic captions in this channel on or off. What is switched in a thread holds there.

    A server can allow the command to more people; here it needs the permission to manage the channel all the same.
    """
    if not await acknowledge(interaction):
        return
    bot, language = interaction.client, await language_of(interaction)
    on, key = mode.value == "on", channel_key(interaction.guild_id, interaction.channel_id)
    needed = PERMISSIONS_IN_THREADS if isinstance(interaction.channel, discord.Thread) else PERMISSIONS
    if not interaction.permissions.manage_channels:
        text = say(language, "discord.auto_not_yours")
    elif on and not bot.settings.discord_message_content:
        text = say(language, "discord.auto_no_intent")
    elif on and not interaction.app_permissions >= needed:
        text = say(language, "discord.auto_no_permission")
    else:
        await when_available(lambda: bot.service.chats.change(key, auto=on, remind_alt_text=on and remind))
        text = say(language, "discord.auto_is_on" if on else "discord.auto_is_off")
        if on and not interaction.app_permissions.send_messages_in_threads:
            text += " " + say(language, "discord.auto_not_in_threads")
    await interaction.edit_original_response(content=text)
