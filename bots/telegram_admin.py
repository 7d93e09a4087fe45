"""Commands for the people in ADMIN_IDS: figures, models, feedback. For all others these commands do not exist."""

import asyncio

from telegram import MessageEntity, Update
from telegram.constants import FileSizeLimit

from bots.admin_texts import models_text, promoted_text, rolled_back_text, stats_text
from bots.bar_chart import Bar, bar_chart
from bots.telegram_answers import shorten, units
from bots.telegram_context import Context, message_of, person_key, user_of
from bots.telegram_talk import reply
from bots.texts import say
from db.statistics import Statistics

LONGEST = 2000  # characters
MODELS = 10  # in one picture, the newest ones


async def on_stats(update: Update, context: Context) -> None:
    """/stats: approval, volume and speed, in words and as a picture."""
    language = await context.language_of(user_of(update))
    figures = await context.ask(context.service.stats)
    text = shorten(stats_text(figures, language), LONGEST)
    table = MessageEntity(MessageEntity.PRE, 0, units(text))  # in a font of equal width
    await reply(update, text, entities=[table])
    if bars := _bars(figures, language):
        chart = await asyncio.to_thread(bar_chart, say(language, "telegram.stats_picture"), bars)
        await message_of(update).reply_photo(chart, do_quote=True)


def _bars(figures: Statistics, language: str) -> list[Bar]:
    """Approval of each model by all who rated it, on whichever front-end; volume and speed under it."""
    lines = {line.model: line for line in figures.lines if line.model}  # the last one of a model is its total
    bars = []
    for model, line in lines.items():
        wait = "-" if line.speed.seconds is None else f"{line.speed.seconds:.1f} s"
        note = say(language, "telegram.stats_note", captions=line.captions, votes=line.approval.votes, wait=wait)
        low, high = line.approval.interval
        bars.append(Bar(str(model), line.approval.share, low, high, note))
    return bars[-MODELS:]


async def on_models(update: Update, context: Context) -> None:
    """/models: those that the registry knows."""
    models = await context.ask(context.service.models)
    await reply(update, shorten(models_text(models, await context.language_of(user_of(update))), LONGEST))


async def on_promote(update: Update, context: Context) -> None:
    """/promote VERSION [PERCENT]: let a model serve that the judge has passed, perhaps for some chats first."""
    language, (version, percent) = await context.language_of(user_of(update)), _asked_for(context.args or [])
    if version is None:
        return await reply(update, say(language, "telegram.promote_how"))
    by = person_key(user_of(update))
    await context.ask(context.service.promote, version, by=by, percent=percent % 100)  # 0: everybody
    await reply(update, promoted_text(version, percent, language))


def _asked_for(words: list[str]) -> tuple[str | None, int]:
    """Version and percent; None where they make no sense."""
    percent = words[1].removesuffix("%") if len(words) > 1 else "100"
    sensible = 1 <= len(words) <= 2 and percent.isdecimal() and 1 <= int(percent) <= 100
    return (words[0], int(percent)) if sensible else (None, 0)


async def on_rollback(update: Update, context: Context) -> None:
    """/rollback: back to the model that served before."""
    now = await context.ask(context.service.rollback, by=person_key(user_of(update)))
    await reply(update, rolled_back_text(now, await context.language_of(user_of(update))))


async def on_export(update: Update, context: Context) -> None:
    """/export: feedback since the last one with its photos, as a ZIP file. /export all: all of it."""
    service, by, everything = context.service, person_key(user_of(update)), context.args == ["all"]
    export = await context.ask(service.export, int(FileSizeLimit.FILESIZE_UPLOAD), by=by, everything=everything)
    await message_of(update).reply_document(export.data, filename="feedback.zip", do_quote=True)
    await context.ask(service.exported, export, by=by)
