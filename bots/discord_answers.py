"""The text of answers on Discord. Nothing in it pings or is taken for formatting."""

from collections.abc import Mapping, Sequence

from discord.utils import escape_markdown, escape_mentions

from bots.errors import UserError
from bots.texts import say
from bots.views import CaptionView

LONGEST = 2000  # characters of a message
AROUND = 20  # characters that a number and a block take


def plain(text: str) -> str:
    """Text that Discord shows as it is."""
    return escape_mentions(escape_markdown(text))


def to_copy(text: str) -> str:
    """Text in a block, which people can copy at a click."""
    return f"```\n{text.replace('`', chr(39))}\n```"


def answer_text(
    captions: Sequence[CaptionView],
    language: str,
    *,
    refused: Mapping[int, UserError] | None = None,
    copy: bool = False,
    remind: bool = False,
) -> str:
    """One sentence, or a numbered list.

    refused: photos of the same request that were not taken, by number. copy: sentences in blocks to be copied.
    remind: with a word on alt text.
    """
    refused = refused or {}
    tail = [say(language, "discord.remind_alt_text")] if remind else []
    room = (LONGEST - sum(map(len, tail))) // (len(captions) + len(refused)) - AROUND
    lines = {one.reply_to.get("number", 0): _sentence(one, language, copy, room) for one in captions}
    lines |= {number: error.said(language) for number, error in refused.items()}
    shown = [f"**{number}.** {lines[number]}" if number else lines[number] for number in sorted(lines)]
    return shorten("\n".join(shown + tail), LONGEST)


def _sentence(caption: CaptionView, language: str, copy: bool, room: int) -> str:
    if caption.text is None:
        return caption.error or say(language, "discord.failed")
    return to_copy(shorten(caption.text, room)) if copy else shorten(plain(caption.text), room)


def shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
