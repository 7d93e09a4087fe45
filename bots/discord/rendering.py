"""Renders the text of answers. Mentions and Markdown in captions are escaped."""

from collections.abc import Mapping, Sequence

from discord.utils import escape_markdown, escape_mentions

from bots.ai_label import labelled_text
from bots.discord.reply_target import read_target
from bots.errors import UserError
from bots.i18n import say
from bots.service.views import CaptionView

MAX_LENGTH = 2000  # characters of a message
OVERHEAD = 24  # characters for the number, the code block and the spoiler of a caption


def escape(text: str) -> str:
    """Text that Discord shows as it is: it mentions nobody and is not formatted."""
    return escape_mentions(escape_markdown(text))


def code_block(text: str) -> str:
    """Text in a code block, which people can copy with one click. Backticks in it become apostrophes."""
    return f"```\n{text.replace('`', chr(39))}\n```"


def answer_text(
    captions: Sequence[CaptionView],
    language: str,
    *,
    refused: Mapping[int, UserError] | None = None,
    copy: bool = False,
    remind: bool = False,
) -> str:
    """The text of an answer: one caption, or a numbered list, of at most MAX_LENGTH characters.

    Args:
        refused: the errors of images of the same request that were refused, by number.
        copy: put captions into code blocks, so that people can copy them.
        remind: add a reminder to write alt text.
    """
    refused = refused or {}
    suffix = [say(language, "discord.remind_alt_text")] if remind else []
    max_length = (MAX_LENGTH - sum(map(len, suffix))) // (len(captions) + len(refused)) - OVERHEAD
    lines = {
        read_target(caption.reply_to).number: _caption_text(caption, language, copy, max_length) for caption in captions
    }
    lines |= {number: error.translated(language) for number, error in refused.items()}
    shown = [f"**{number}.** {lines[number]}" if number else lines[number] for number in sorted(lines)]
    return truncate("\n".join(shown + suffix), MAX_LENGTH)


def _caption_text(caption: CaptionView, language: str, copy: bool, max_length: int) -> str:
    return sentence(caption, language, max_length, copy=copy) or caption.error or say(language, "discord.failed")


def sentence(caption: CaptionView, language: str, max_length: int = MAX_LENGTH, *, copy: bool = False) -> str | None:
    """The caption's sentence; that of an image that is a spoiler is hidden too. None if there is none."""
    text = labelled_text(caption, language)
    if text is None:
        return None
    text = code_block(truncate(text, max_length)) if copy else truncate(escape(text), max_length)
    return f"||{text}||" if read_target(caption.reply_to).spoiler else text


def truncate(text: str, length: int) -> str:
    """Text of at most `length` characters, with an ellipsis if it was longer."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
