"""A better sentence: the pencil opens a form, and what is sent from it is kept. Nothing is held between the two."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import ui

from bots.discord_answers import plain
from bots.discord_places import Interaction, chat_of, person_key
from bots.discord_talk import acknowledge, language_of, tell
from bots.discord_votes import ask_consent
from bots.feedback import LONGEST
from bots.texts import say

PREFIX, FIELD = "correct:", "sentence"  # of the form's id, and of the field in it
SECONDS = 3600.0  # for which discord.py remembers a form; we do not need it to


async def open_form(interaction: Interaction, id: str) -> None:
    """Opens at once: a form cannot be preceded by an acknowledgement."""
    locale = interaction.locale.value
    form = ui.Modal(title=say(locale, "discord.correct_title"), custom_id=PREFIX + id, timeout=SECONDS)
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=FIELD, placeholder=say(locale, "discord.correct_example"), max_length=LONGEST
    )
    form.add_item(ui.Label(text=say(locale, "discord.correct_label"), component=field))
    with interaction.client.hurry:
        await interaction.response.send_modal(form)


async def on_interaction(interaction: Interaction) -> None:
    """A form was sent, perhaps one that was opened before a restart."""
    data: Mapping[str, Any] = interaction.data or {}
    id = str(data.get("custom_id", ""))
    if interaction.type is not discord.InteractionType.modal_submit or not id.startswith(PREFIX):
        return
    try:
        if await acknowledge(interaction):
            await _correct(interaction, id.removeprefix(PREFIX), _written(data["components"]))
    except Exception as error:
        await tell(interaction, error)


async def _correct(interaction: Interaction, id: str, text: str) -> None:
    service, person = interaction.client.service, person_key(interaction.user.id)
    caption = await asyncio.to_thread(service.correct, id, person=person, text=text, chat=chat_of(interaction))
    language = await language_of(interaction)
    kept = plain(caption.correction or text)
    await interaction.edit_original_response(content=say(language, "discord.corrected", sentence=kept))
    if caption.ask_consent:
        await ask_consent(interaction)


def _written(components: Iterable[Mapping[str, Any]]) -> str:
    """The text of the field, wherever in the form it stands."""
    for part in components:
        if part.get("custom_id") == FIELD:
            return str(part["value"])
        inner = part.get("components") or ([part["component"]] if "component" in part else [])
        if found := _written(inner):
            return found
    return ""
