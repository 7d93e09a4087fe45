"""Answers on Telegram: sentences and the buttons under them. All that a button needs is in its data: VERB:CAPTION."""

from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.texts import say
from bots.views import CaptionView, VoteCount

LONGEST = 4096  # UTF-16 units in a message; a character has two at most
IN_A_ROW = 5
KINDS = {"animation", "video", "sticker"}  # what is no photo is called by its name


def answer(captions: Sequence[CaptionView], language: str, *, private: bool) -> tuple[str, InlineKeyboardMarkup | None]:
    """One sentence, or a numbered list for an album; and its buttons."""
    if len(captions) == 1:
        caption = captions[0]
        markup = buttons(caption.id, caption.votes, private=private) if caption.text else None
        return sentence(caption, language), markup
    lines = [f"{number}. {sentence(caption, language)}" for number, caption in enumerate(captions, start=1)]
    return shorten("\n".join(lines), LONGEST // 2), album_buttons(captions)


def sentence(caption: CaptionView, language: str) -> str:
    text = caption.text or caption.error or say(language, "telegram.failed")
    kind = caption.reply_to.get("kind")
    text = say(language, f"telegram.kind_{kind}", text=text) if kind in KINDS else text
    return shorten(silent(text), LONGEST // 2)


def buttons(id: str, votes: VoteCount, *, private: bool, album: bool = False) -> InlineKeyboardMarkup:
    """Of one caption. album: with a way back to its other photos.

    In private a thumb that is one's own takes itself back; in groups all see the same buttons.
    """
    mine = votes.mine if private else 0
    up, down = ("undo" if mine == value else verb for verb, value in (("up", 1), ("down", -1)))
    rows = [
        [
            InlineKeyboardButton(f"👍 {votes.up or ''}".strip(), callback_data=f"{up}:{id}"),
            InlineKeyboardButton(f"👎 {votes.down or ''}".strip(), callback_data=f"{down}:{id}"),
            InlineKeyboardButton("🔁", callback_data=f"more:{id}"),
            InlineKeyboardButton("✏️", callback_data=f"fix:{id}"),
            InlineKeyboardButton("🗑", callback_data=f"bin:{id}"),
        ]
    ]
    if album:
        rows.append([InlineKeyboardButton("◀️", callback_data=f"all:{id}")])
    return InlineKeyboardMarkup(rows)


def album_buttons(captions: Sequence[CaptionView]) -> InlineKeyboardMarkup | None:
    """A number for each photo, with its thumbs: it opens the buttons of that one."""
    numbers = [
        InlineKeyboardButton(_number(number, caption.votes), callback_data=f"pick:{caption.id}")
        for number, caption in enumerate(captions, start=1)
        if caption.text
    ]
    rows = [numbers[start : start + IN_A_ROW] for start in range(0, len(numbers), IN_A_ROW)]
    return InlineKeyboardMarkup(rows) if rows else None


def _number(number: int, votes: VoteCount) -> str:
    return " ".join([str(number), *(["👍"] if votes.up else []), *(["👎"] if votes.down else [])])


def silent(text: str) -> str:
    """Text that pings nobody: a sign without width keeps @names from being names."""
    return text.replace("@", "@\u200b")


def shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def units(text: str) -> int:
    """Its length as Telegram counts it, in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2
