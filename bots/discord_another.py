"""Another sentence about the same photo: a new caption, in a new message, with votes of its own."""

import asyncio

from bots.discord_places import Interaction, chat_of, person_key, reply_to_interaction
from bots.discord_talk import acknowledge, language_of
from bots.texts import say


async def another(interaction: Interaction, id: str) -> None:
    """Seen by as many as the first one was. The delivery answers."""
    assert interaction.message is not None
    ephemeral = interaction.message.flags.ephemeral
    if not await acknowledge(interaction, ephemeral=ephemeral):
        return
    service, source = interaction.client.service, f"discord:{interaction.id}"
    reply_to = reply_to_interaction(interaction, ephemeral=ephemeral) | {"source": source}
    person, chat = person_key(interaction.user.id), chat_of(interaction)

    def ask() -> bool:
        """Whether it is ours, and not one that somebody asked for a moment ago."""
        asked = service.another(id, person=person, source=source, reply_to=reply_to, chat=chat)
        return service.result(asked.id, person=None).reply_to.get("token") == interaction.token

    if not await asyncio.to_thread(ask):
        await interaction.edit_original_response(content=say(await language_of(interaction), "discord.on_its_way"))
