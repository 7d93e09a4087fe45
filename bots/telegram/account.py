"""Handlers of /settings, /mine and /forget, in private chats: what people choose, and what is stored about them."""

from dataclasses import asdict
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update, User

from bots.ai_label import labelled_text
from bots.i18n import language_name, languages, say
from bots.telegram.buttons import button_press
from bots.telegram.context import Context, user_of
from bots.telegram.keys import callback_data, parse_setting, person_key, setting_data
from bots.telegram.rendering import truncate, without_mentions
from bots.telegram.replies import answer_query, edit_text, reply
from db.preferences import Preferences

AUTO = "auto"  # the language of the person's app
PAGE_SIZE = 10  # captions
CAPTION_LENGTH = 200  # characters of each


def choices() -> dict[str, tuple[str, ...]]:
    """The values of each preference, in the order in which pressing its button goes through them."""
    return {
        "length": ("short", "normal", "long"),
        "quality": ("quick", "careful"),
        "hedging": ("yes", "no"),
        "language": (AUTO, *languages()),
        "training_consent": ("yes", "no"),
    }


async def on_settings(update: Update, context: Context) -> None:
    """/settings: a button for each preference."""
    text, keyboard = await _render_settings(user_of(update), context)
    await reply(update, text, reply_markup=keyboard)


async def on_setting_button(update: Update, context: Context) -> None:
    """A button under /settings. It names the new value, so that processing it twice is harmless."""
    press, service = button_press(update), context.service
    name, value = parse_setting(press.argument)
    if name == "training_consent":
        await context.to_thread(service.people.set_consent, press.person, value == "yes")
    elif value in choices()[name]:
        preference: Any = {"yes": True, "no": False, AUTO: None}.get(value, value)
        await context.to_thread(service.people.set_preferences, press.person, **{name: preference})
    text, keyboard = await _render_settings(press.query.from_user, context)
    await answer_query(press.query)
    await edit_text(press.query, text, keyboard)


async def _render_settings(user: User, context: Context) -> tuple[str, InlineKeyboardMarkup]:
    preferences = await context.to_thread(context.service.people.preferences, person_key(user))
    language = await context.language_of(user)
    rows = []
    for name, values in choices().items():
        value = _choice(preferences, name)
        next_value = values[(values.index(value) + 1) % len(values)]
        shown = language_name(value) if value in languages() else say(language, f"telegram.value_{value}")
        label = say(language, f"telegram.set_{name}", value=shown)
        rows.append([InlineKeyboardButton(label, callback_data=setting_data(name, next_value))])
    return say(language, "telegram.settings"), InlineKeyboardMarkup(rows)


def _choice(preferences: Preferences, name: str) -> str:
    """The value of a preference as it is written in `choices`."""
    value = asdict(preferences)[name]
    if name == "language":
        return value if value in languages() else AUTO
    return value if isinstance(value, str) else "yes" if value else "no"


async def on_mine(update: Update, context: Context) -> None:
    """/mine: the person's latest captions."""
    text, keyboard = await _render_captions(user_of(update), None, context)
    await reply(update, text, reply_markup=keyboard)


async def on_older_captions(update: Update, context: Context) -> None:
    """The button under /mine that shows the next page."""
    press = button_press(update)
    text, keyboard = await _render_captions(press.query.from_user, press.argument, context)
    await answer_query(press.query)
    await edit_text(press.query, text, keyboard)


async def _render_captions(user: User, before: str | None, context: Context) -> tuple[str, InlineKeyboardMarkup | None]:
    """One page. before: public id of the last caption on the page before."""
    language = await context.language_of(user)
    found = await context.to_thread(context.service.captions.of_person, person_key(user), PAGE_SIZE + 1, before)
    if not found:
        return say(language, "telegram.mine_none"), None
    lines = [say(language, "telegram.mine")]
    for caption in found[:PAGE_SIZE]:
        text = truncate(without_mentions(labelled_text(caption, language) or caption.error or "…"), CAPTION_LENGTH)
        thumb = {1: " 👍", -1: " 👎"}.get(caption.votes.mine, "")
        lines.append(f"{caption.created_at:%d.%m.}  {text}{thumb}")
    if len(found) <= PAGE_SIZE:
        return "\n".join(lines), None
    last = found[PAGE_SIZE - 1].id
    older = InlineKeyboardButton(say(language, "telegram.older"), callback_data=callback_data("mine", last))
    return "\n".join(lines), InlineKeyboardMarkup([[older]])


async def on_forget(update: Update, context: Context) -> None:
    """/forget: ask for confirmation."""
    language = await context.language_of(user_of(update))
    yes = InlineKeyboardButton(say(language, "telegram.forget_yes"), callback_data=callback_data("forget", "yes"))
    no = InlineKeyboardButton(say(language, "telegram.forget_no"), callback_data=callback_data("forget", "no"))
    await reply(update, say(language, "telegram.forget_sure"), reply_markup=InlineKeyboardMarkup([[yes], [no]]))


async def on_forget_answer(update: Update, context: Context) -> None:
    """The answer to that question: remove all data of the person, or nothing."""
    press = button_press(update)
    language = await context.language_of(press.query.from_user)
    if press.argument == "yes":
        removed = await context.to_thread(context.service.people.forget, press.person)
        text = say(language, "telegram.forgotten", count=removed.captions, photos=removed.photos)
        if removed.left:
            text += " " + say(language, "telegram.forgotten_left", count=removed.left)
    else:
        text = say(language, "telegram.forget_kept")
    await answer_query(press.query)
    await edit_text(press.query, text)
