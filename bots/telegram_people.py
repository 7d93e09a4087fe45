"""What people see and change of their own: /settings, /mine, /forget. In private chats."""

from dataclasses import asdict
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update, User

from bots.telegram_answers import shorten, silent
from bots.telegram_buttons import pressed
from bots.telegram_context import Context, person_key, user_of
from bots.telegram_talk import reply, rewrite, toast
from bots.texts import say
from bots.views import Preferences

AUTO = "auto"  # the language that the person's app is set to
CHOICES: dict[str, tuple[str, ...]] = {  # in the order in which a button goes through them
    "length": ("short", "normal", "long"),
    "quality": ("quick", "careful"),
    "hedging": ("yes", "no"),
    "language": (AUTO, "en", "de"),
    "training_consent": ("yes", "no"),
}
PAGE = 10  # captions that /mine shows at once
SENTENCE = 200  # characters of each


async def on_settings(update: Update, context: Context) -> None:
    """/settings: a button for each."""
    text, markup = await _settings(user_of(update), context)
    await reply(update, text, reply_markup=markup)


async def on_change(update: Update, context: Context) -> None:
    """A button of /settings. Its data says what it changes to, so pressing twice is harmless."""
    tap, service = pressed(update), context.service
    name, _, value = tap.argument.partition("=")
    if name == "training_consent":
        await context.ask(service.consent, tap.person, value == "yes")
    elif value in CHOICES[name]:
        chosen: Any = {"yes": True, "no": False, AUTO: None}.get(value, value)
        await context.ask(service.set_preferences, tap.person, **{name: chosen})
    text, markup = await _settings(tap.query.from_user, context)
    await toast(tap.query)
    await rewrite(tap.query, text, markup)


async def _settings(user: User, context: Context) -> tuple[str, InlineKeyboardMarkup]:
    chosen = await context.ask(context.service.preferences, person_key(user))
    language = await context.language_of(user)
    rows = []
    for name, values in CHOICES.items():
        now = _word(chosen, name)
        following = values[(values.index(now) + 1) % len(values)]
        label = say(language, f"telegram.set_{name}", value=say(language, f"telegram.value_{now}"))
        rows.append([InlineKeyboardButton(label, callback_data=f"set:{name}={following}")])
    return say(language, "telegram.settings"), InlineKeyboardMarkup(rows)


def _word(chosen: Preferences, name: str) -> str:
    value = asdict(chosen)[name]
    if name == "language":
        return str(value or AUTO)
    return value if isinstance(value, str) else "yes" if value else "no"


async def on_mine(update: Update, context: Context) -> None:
    """/mine: the last captions."""
    text, markup = await _mine(user_of(update), None, context)
    await reply(update, text, reply_markup=markup)


async def on_older(update: Update, context: Context) -> None:
    """The button under /mine."""
    tap = pressed(update)
    text, markup = await _mine(tap.query.from_user, tap.argument, context)
    await toast(tap.query)
    await rewrite(tap.query, text, markup)


async def _mine(user: User, before: str | None, context: Context) -> tuple[str, InlineKeyboardMarkup | None]:
    language = await context.language_of(user)
    found = await context.ask(context.service.captions_of, person_key(user), PAGE + 1, before)
    if not found:
        return say(language, "telegram.mine_none"), None
    lines = [say(language, "telegram.mine")]
    for caption in found[:PAGE]:
        sentence = shorten(silent(caption.text or caption.error or "…"), SENTENCE)
        thumb = {1: " 👍", -1: " 👎"}.get(caption.votes.mine, "")
        lines.append(f"{caption.created_at:%d.%m.}  {sentence}{thumb}")
    if len(found) <= PAGE:
        return "\n".join(lines), None
    older = InlineKeyboardButton(say(language, "telegram.older"), callback_data=f"mine:{found[PAGE - 1].id}")
    return "\n".join(lines), InlineKeyboardMarkup([[older]])


async def on_forget(update: Update, context: Context) -> None:
    """/forget: asks once more before anything is removed."""
    language = await context.language_of(user_of(update))
    yes = InlineKeyboardButton(say(language, "telegram.forget_yes"), callback_data="forget:yes")
    no = InlineKeyboardButton(say(language, "telegram.forget_no"), callback_data="forget:no")
    await reply(update, say(language, "telegram.forget_sure"), reply_markup=InlineKeyboardMarkup([[yes], [no]]))


async def on_forget_answer(update: Update, context: Context) -> None:
    """The answer to that question."""
    tap = pressed(update)
    language = await context.language_of(tap.query.from_user)
    if tap.argument == "yes":
        gone = await context.ask(context.service.forget, tap.person)
        said = say(language, "telegram.forgotten", count=gone.captions, photos=gone.photos)
    else:
        said = say(language, "telegram.forget_kept")
    await toast(tap.query)
    await rewrite(tap.query, said)
