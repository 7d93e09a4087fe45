"""Handlers of the commands for ADMIN_IDS: statistics, models, export. Others get "unknown command"."""

import asyncio

from telegram import MessageEntity, Update
from telegram.constants import FileSizeLimit

from bots.admin_texts import models_text, promoted_text, rolled_back_text, stats_text
from bots.bar_chart import Bar, bar_chart
from bots.i18n import say
from bots.telegram.context import Context, message_of, user_of
from bots.telegram.keys import person_key
from bots.telegram.rendering import truncate
from bots.telegram.replies import reply
from db.statistics import Statistics

MAX_LENGTH = 2000  # characters
MAX_BARS = 10  # models in one chart, the newest ones


async def on_stats(update: Update, context: Context) -> None:
    """/stats: approval, volume and speed, as a table and as a chart."""
    language = await context.language_of(user_of(update))
    statistics = await context.to_thread(context.service.admin.stats)
    text = truncate(stats_text(statistics, language), MAX_LENGTH)
    monospace = [MessageEntity(MessageEntity.PRE, 0, len(text))]
    await reply(update, text, entities=MessageEntity.adjust_message_entities_to_utf_16(text, monospace))
    if bars := _bars(statistics, language):
        chart = await asyncio.to_thread(bar_chart, say(language, "telegram.stats_picture"), bars)
        await message_of(update).reply_photo(chart, do_quote=True)


def _bars(statistics: Statistics, language: str) -> list[Bar]:
    """A bar per model: its approval on all front-ends, with volume and speed as a note."""
    lines = {line.model: line for line in statistics.lines if line.model}  # a model's last line is its total
    bars = []
    for model, line in lines.items():
        wait = "-" if line.speed.seconds is None else f"{line.speed.seconds:.1f} s"
        note = say(language, "telegram.stats_note", captions=line.captions, votes=line.approval.votes, wait=wait)
        low, high = line.approval.interval
        bars.append(Bar(str(model), line.approval.share, low, high, note))
    return bars[-MAX_BARS:]


async def on_models(update: Update, context: Context) -> None:
    """/models: the models in the registry."""
    models = await context.to_thread(context.service.admin.models)
    await reply(update, truncate(models_text(models, await context.language_of(user_of(update))), MAX_LENGTH))


async def on_promote(update: Update, context: Context) -> None:
    """/promote VERSION [PERCENT]: serve a model that the judge has passed, to PERCENT of the chats at first."""
    language, (version, percent) = await context.language_of(user_of(update)), _parse_promote(context.args or [])
    if version is None:
        return await reply(update, say(language, "telegram.promote_how"))
    by = person_key(user_of(update))
    await context.to_thread(context.service.admin.promote, version, by=by, percent=percent % 100)  # 0 means everybody
    await reply(update, promoted_text(version, percent, language))


def _parse_promote(words: list[str]) -> tuple[str | None, int]:
    """Version and percent. The version is None if the arguments are wrong."""
    percent = words[1].removesuffix("%") if len(words) > 1 else "100"
    valid = 1 <= len(words) <= 2 and percent.isdecimal() and 1 <= int(percent) <= 100
    return (words[0], int(percent)) if valid else (None, 0)


async def on_rollback(update: Update, context: Context) -> None:
    """/rollback: serve the previous model again."""
    serving = await context.to_thread(context.service.admin.rollback, by=person_key(user_of(update)))
    await reply(update, rolled_back_text(serving, await context.language_of(user_of(update))))


async def on_export(update: Update, context: Context) -> None:
    """/export: feedback since the admin's last export, with its photos, as a ZIP file. /export all: all feedback."""
    service, by, everything = context.service.admin, person_key(user_of(update)), context.args == ["all"]
    export = await context.to_thread(service.export, int(FileSizeLimit.FILESIZE_UPLOAD), by=by, everything=everything)
    await message_of(update).reply_document(export.data, filename="feedback.zip", do_quote=True)
    await context.to_thread(service.confirm_export, export, by=by)
