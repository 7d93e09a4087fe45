"""Corrections: a button opens a modal, and the sentence submitted in it is stored.

The bot keeps no state in between: the modal's custom id names the caption, so a restart does no harm.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import ui

from bots.discord.context import Interaction
from bots.discord.keys import chat_key, modal_id, parse_modal_id, person_key
from bots.discord.rendering import escape
from bots.discord.replies import acknowledge, language_of, report_error
from bots.discord.votes import ask_consent
from bots.i18n import say
from bots.service.feedback import MAX_LENGTH
from bots.service.outages import when_available

FIELD = "sentence"  # custom id of the text input
TIMEOUT = 3600.0  # seconds until discord.py forgets the modal, which `on_interaction` does not need


async def open_modal(interaction: Interaction, id: str) -> None:
    """Button: open the modal at once, because it must be the first response to an interaction."""
    locale = interaction.locale.value
    modal = ui.Modal(title=say(locale, "discord.correct_title"), custom_id=modal_id(id), timeout=TIMEOUT)
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=FIELD, placeholder=say(locale, "discord.correct_example"), max_length=MAX_LENGTH
    )
    modal.add_item(ui.Label(text=say(locale, "discord.correct_label"), component=field))
    with interaction.client.acknowledgements:
        await interaction.response.send_modal(modal)


async def on_interaction(interaction: Interaction) -> None:
    """Handle modals that are submitted, also those that were opened before a restart. Ignores other interactions."""
    data: Mapping[str, Any] = interaction.data or {}
    id = parse_modal_id(str(data.get("custom_id", "")))
    if interaction.type is not discord.InteractionType.modal_submit or id is None:
        return
    try:
        if await acknowledge(interaction):
            await _correct(interaction, id, _field_value(data["components"]))
    except Exception as error:
        await report_error(interaction, error)


async def _correct(interaction: Interaction, id: str, text: str) -> None:
    service, person = interaction.client.service, person_key(interaction.user.id)
    caption = await when_available(service.feedback.correct, id, person=person, text=text, chat=chat_key(interaction))
    language = await language_of(interaction)
    stored = escape(caption.correction or text)
    await interaction.edit_original_response(content=say(language, "discord.corrected", sentence=stored))
    if caption.ask_consent:
        await ask_consent(interaction)


def _field_value(components: Iterable[Mapping[str, Any]]) -> str:
    """The value of the text input, which may be nested in rows or labels; empty if there is none."""
    for part in components:
        if part.get("custom_id") == FIELD:
            return str(part["value"])
        inner = part.get("components") or ([part["component"]] if "component" in part else [])
        if found := _field_value(inner):
            return found
    return ""
