"""Commands for everyone: /caption and the message menus; /mine, /settings, /forget, /privacy, /help."""

import asyncio
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice

from bots.discord_answers import answer_text, plain, shorten
from bots.discord_buttons import ActionButton, caption_buttons, view_of
from bots.discord_pictures import Picture, picture_of, pictures_of
from bots.discord_places import Interaction, person_key
from bots.discord_talk import acknowledge, language_of
from bots.discord_words import choices, told
from bots.texts import say
from bots.views import Options

SHOWN = 10  # captions in /mine


@app_commands.command(name="caption", description=told("about_caption"))
@app_commands.describe(photo=told("about_photo"), length=told("about_length"), visibility=told("about_visibility"))
@app_commands.choices(length=choices("length", "short", "normal", "long"), visibility=choices("visible", "all", "me"))
async def caption(
    interaction: Interaction,
    photo: discord.Attachment,
    length: Choice[str] | None = None,
    visibility: Choice[str] | None = None,
) -> None:
    """A photo that is handed over with the command."""
    only_me = visibility is not None and visibility.value == "me"
    options = Options(length=length.value if length else None)  # type: ignore[arg-type]
    await _ask(interaction, [picture_of(photo)], ephemeral=only_me, options=options)


@app_commands.context_menu(name=told("describe"))
async def describe(interaction: Interaction, message: discord.Message) -> None:
    """The pictures of any message; only who asks sees the answer."""
    await _ask(interaction, pictures_of(message), ephemeral=True, about=message.id)


@app_commands.context_menu(name=told("describe_for_all"))
async def describe_for_all(interaction: Interaction, message: discord.Message) -> None:
    """The same as an answer that all can read."""
    await _ask(interaction, pictures_of(message), ephemeral=False, about=message.id)


async def _ask(interaction: Interaction, pictures: list[Picture], *, ephemeral: bool, **request: Any) -> None:
    if not await acknowledge(interaction, ephemeral=ephemeral):
        return
    if not pictures:
        said = say(await language_of(interaction), "discord.no_pictures")
        await interaction.edit_original_response(content=said)
        return
    refused = await interaction.client.intake.ask(interaction, pictures, ephemeral=ephemeral, **request)
    if refused:
        await interaction.edit_original_response(
            content=answer_text([], await language_of(interaction), refused=refused)
        )


@app_commands.command(name="mine", description=told("about_mine"))
async def mine(interaction: Interaction) -> None:
    """The person's last captions, and a button for each."""
    if not await acknowledge(interaction):
        return
    service, language = interaction.client.service, await language_of(interaction)
    found = await asyncio.to_thread(service.captions_of, person_key(interaction.user.id), SHOWN)
    if not found:
        await interaction.edit_original_response(content=say(language, "discord.mine_none"))
        return
    lines = [f"**{number}.** {plain(one.text or one.error or '…')}" for number, one in enumerate(found, start=1)]
    buttons = [ActionButton("pick", one.id, label=str(number)) for number, one in enumerate(found, start=1) if one.text]
    await interaction.edit_original_response(content=shorten("\n".join(lines), 2000), view=view_of(*buttons))


async def pick(interaction: Interaction, id: str) -> None:
    """One caption of several, with its own buttons, for who asked."""
    if await acknowledge(interaction):
        one = await asyncio.to_thread(interaction.client.service.result, id, person=None)
        await interaction.edit_original_response(
            content=plain(one.text or "…"), view=caption_buttons(one.id, one.votes)
        )
