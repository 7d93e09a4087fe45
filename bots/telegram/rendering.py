"""Renders answers: the text of captions, what of it is hidden as a spoiler, and the inline keyboards under them."""

from collections.abc import Iterable, Sequence
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity
from telegram.constants import MessageLimit

from bots.ai_label import labelled_text
from bots.i18n import say
from bots.service.views import CaptionView, VoteCount
from bots.telegram.keys import callback_data
from bots.telegram.reply_target import ReplyTarget

MAX_CHARACTERS = MessageLimit.MAX_TEXT_LENGTH // 2  # Telegram counts UTF-16 units, of which a character has up to two
NUMBERS_PER_ROW = 5
LABELLED_KINDS = {"animation", "video", "sticker"}


def render_answer(captions: Sequence[CaptionView], language: str, *, private: bool) -> dict[str, Any]:
    """The answer with a single caption, or with those of an album as a numbered list.

    Args:
        private: whether it is shown in a private chat.

    Returns:
        The arguments `text`, `entities` and `reply_markup` of a call that sends or edits a message.
    """
    text, hidden = "", []
    for number, caption in enumerate(captions, start=1):
        if len(captions) > 1:
            text += f"{text and chr(10)}{number}. "
        start, text = len(text), text + caption_text(caption, language)
        if caption.text and is_hidden(caption):
            hidden.append((start, len(text)))
    text = truncate(text, MAX_CHARACTERS)
    if len(captions) > 1:
        keyboard = album_keyboard(captions)
    else:
        (caption,) = captions
        keyboard = caption_keyboard(caption.id, caption.votes, language, private=private) if caption.text else None
    return {"text": text, "entities": spoilers(text, hidden), "reply_markup": keyboard}


def spoilers(text: str, spans: Iterable[tuple[int, int]]) -> Sequence[MessageEntity]:
    """Entities that hide parts of a text. spans: where each starts and ends, in characters."""
    ends = [(start, min(end, len(text))) for start, end in spans if start < len(text)]
    entities = [MessageEntity(MessageEntity.SPOILER, start, end - start) for start, end in ends]
    return MessageEntity.adjust_message_entities_to_utf_16(text, entities)


def is_hidden(caption: CaptionView) -> bool:
    """Whether the photo is hidden until somebody taps it."""
    return ReplyTarget.from_json(caption.reply_to).spoiler


def caption_text(caption: CaptionView, language: str) -> str:
    """The caption, or why it failed. What is no photo is labelled, such as "Sticker: ..."."""
    text = labelled_text(caption, language) or caption.error or say(language, "telegram.failed")
    kind = ReplyTarget.from_json(caption.reply_to).kind
    if kind in LABELLED_KINDS:
        text = say(language, f"telegram.kind_{kind}", text=text)
    return truncate(without_mentions(text), MAX_CHARACTERS)


def caption_keyboard(
    id: str, votes: VoteCount, language: str, *, private: bool, in_album: bool = False
) -> InlineKeyboardMarkup:
    """The buttons of one caption. in_album: with a row that leads back to the album's numbers.

    In a private chat, the thumb that the person has given takes itself back. In a group everybody sees the same
    keyboard, so there both thumbs always vote.
    """
    own_vote = votes.mine if private else 0
    up, down = ("undo" if own_vote == value else action for action, value in (("up", 1), ("down", -1)))
    thumbs = [(up, "up", votes.up), (down, "down", votes.down)]
    others = [("more", "another", 0), ("fix", "fix", 0), ("bin", "remove", 0)]
    rows = [thumbs, others, *([[("all", "all", 0)]] if in_album else [])]
    return InlineKeyboardMarkup(
        [
            [
                _button(f"{say(language, f'telegram.button_{name}')} {count or ''}".strip(), action, id)
                for action, name, count in row
            ]
            for row in rows
        ]
    )


def album_keyboard(captions: Sequence[CaptionView]) -> InlineKeyboardMarkup | None:
    """A number for each photo, with its thumbs. Pressing it shows the buttons of that photo."""
    numbers = [
        _button(_number_label(number, caption.votes), "pick", caption.id)
        for number, caption in enumerate(captions, start=1)
        if caption.text
    ]
    rows = [numbers[start : start + NUMBERS_PER_ROW] for start in range(0, len(numbers), NUMBERS_PER_ROW)]
    return InlineKeyboardMarkup(rows) if rows else None


def _button(label: str, action: str, argument: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(label, callback_data=callback_data(action, argument))


def _number_label(number: int, votes: VoteCount) -> str:
    return " ".join([str(number), *(["👍"] if votes.up else []), *(["👎"] if votes.down else [])])


def without_mentions(text: str) -> str:
    """The text with a zero-width space after each @, so that it notifies nobody."""
    return text.replace("@", "@\u200b")


def truncate(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
