"""Commands about captions: /caption, context menus of messages, /mine; buttons that show or request one."""

from dataclasses import replace

import discord
from discord import app_commands
from discord.app_commands import Choice

from bots.discord.buttons import ActionButton, caption_buttons, view_of
from bots.discord.command_texts import choices, localized
from bots.discord.context import Interaction
from bots.discord.keys import chat_key, person_key, source_key
from bots.discord.media import Kind, Media, image_of, images_of, other_kind
from bots.discord.rendering import MAX_LENGTH, answer_text, sentence, truncate
from bots.discord.replies import acknowledge, language_of
from bots.discord.reply_target import InteractionTarget, read_target
from bots.i18n import say
from bots.service.outages import when_available
from db.caption_options import DEFAULT_OPTIONS, CaptionOptions

MAX_LISTED = 10  # captions in /mine


@app_commands.command(name="caption", description=localized("about_caption"))
@app_commands.describe(
    photo=localized("about_photo"), length=localized("about_length"), visibility=localized("about_visibility")
)
@app_commands.choices(length=choices("length", "short", "normal", "long"), visibility=choices("visible", "all", "me"))
async def caption(
    interaction: Interaction,
    photo: discord.Attachment,
    length: Choice[str] | None = None,
    visibility: Choice[str] | None = None,
) -> None:
    """Describe the photo that is attached to the command."""
    only_me = visibility is not None and visibility.value == "me"
    options = CaptionOptions(length=length.value if length else None)  # type: ignore[arg-type]
    kind = other_kind(photo)
    images = [] if kind == "video" else [image_of(photo)]
    await _submit(interaction, images, ephemeral=only_me, instead=kind, options=options)


@app_commands.context_menu(name=localized("describe"))
async def describe(interaction: Interaction, message: discord.Message) -> None:
    """Context menu: describe the images of a message. Only the person who uses it sees the answer."""
    await _describe(interaction, message, ephemeral=True)


@app_commands.context_menu(name=localized("describe_for_all"))
async def describe_for_all(interaction: Interaction, message: discord.Message) -> None:
    """Context menu: the same, with an answer that everybody can read."""
    await _describe(interaction, message, ephemeral=False)


async def _describe(interaction: Interaction, message: discord.Message, *, ephemeral: bool) -> None:
    images, instead = images_of(message), other_kind(message)
    await _submit(interaction, images, ephemeral=ephemeral, about=message.id, instead=instead)


async def _submit(
    interaction: Interaction,
    images: list[Media],
    *,
    ephemeral: bool,
    about: int | None = None,
    instead: Kind | None = None,
    options: CaptionOptions = DEFAULT_OPTIONS,
) -> None:
    """Acknowledge the interaction and submit the images.

    Args:
        about: id of the message that contains them, if any.
        instead: what there is if there are no images.
    """
    if not await acknowledge(interaction, ephemeral=ephemeral):
        return
    if not images:
        key = f"discord.no_image_but_{instead}" if instead else "discord.no_pictures"
        text = say(await language_of(interaction), key)
        await interaction.edit_original_response(content=text)
        return
    refused = await interaction.client.submissions.submit(
        images,
        InteractionTarget.of(interaction, source_key(interaction.id, about), ephemeral=ephemeral),
        sender=person_key(interaction.user.id),
        chat=None if ephemeral else chat_key(interaction),
        options=options,
    )
    if refused:
        text = answer_text([], await language_of(interaction), refused=refused)
        await interaction.edit_original_response(content=text)


@app_commands.command(name="mine", description=localized("about_mine"))
async def mine(interaction: Interaction) -> None:
    """List the person's latest captions, with a button for each."""
    if not await acknowledge(interaction):
        return
    service, language = interaction.client.service, await language_of(interaction)
    found = await when_available(service.captions.of_person, person_key(interaction.user.id), MAX_LISTED)
    if not found:
        await interaction.edit_original_response(content=say(language, "discord.mine_none"))
        return
    lines = [
        f"**{number}.** {sentence(one, language) or one.error or '…'}" for number, one in enumerate(found, start=1)
    ]
    buttons = [ActionButton("pick", one.id, label=str(number)) for number, one in enumerate(found, start=1) if one.text]
    await interaction.edit_original_response(content=truncate("\n".join(lines), MAX_LENGTH), view=view_of(*buttons))


async def pick(interaction: Interaction, id: str) -> None:
    """Button: show one caption of several, with its own buttons, to the person who pressed it."""
    if await acknowledge(interaction):
        one = await when_available(interaction.client.service.captions.get, id, person=None)
        language = await language_of(interaction)
        buttons = caption_buttons(one.id, one.votes, language)
        await interaction.edit_original_response(content=sentence(one, language) or "…", view=buttons)


async def another(interaction: Interaction, id: str) -> None:
    """Button: request another caption of the same photo, in a new message that is ephemeral if the first one is."""
    assert interaction.message is not None
    ephemeral = interaction.message.flags.ephemeral
    if not await acknowledge(interaction, ephemeral=ephemeral):
        return
    service, source = interaction.client.service, source_key(interaction.id)
    target = InteractionTarget.of(interaction, source, ephemeral=ephemeral)
    person, chat = person_key(interaction.user.id), chat_key(interaction)

    def request() -> bool:
        """Returns False if an earlier press of the button requested it, whose interaction gets the answer."""
        spoiler = read_target(service.captions.get(id, person=None).reply_to).spoiler
        reply_to = replace(target, spoiler=spoiler).to_json()
        submitted = service.submissions.another(id, person=person, source=source, reply_to=reply_to, chat=chat)
        return service.captions.get(submitted.id, person=None).reply_to.get("token") == interaction.token

    if not await when_available(request):
        await interaction.edit_original_response(content=say(await language_of(interaction), "discord.on_its_way"))
