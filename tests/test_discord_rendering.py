"""The text and the buttons of answers on Discord, within Discord's limits."""

import dataclasses

from bots.discord.buttons import answer_buttons
from bots.discord.rendering import MAX_LENGTH, answer_text, escape
from bots.errors import EmptyFile
from bots.service.views import CaptionView, VoteCount
from db.tables import State, now


def caption(text: str | None, number: int = 0, **more: object) -> CaptionView:
    view = CaptionView(
        id=f"{number:022}",
        row=number,
        state=State.DONE,
        text=text,
        error=None,
        confidence=0.5,
        hedged=False,
        is_photo=True,
        words=(),
        alternatives=(),
        attention=None,
        model="m",
        rank=0,
        parent=None,
        album=None,
        file_name=None,
        position=0,
        votes=VoteCount(0, 0, 0),
        correction=None,
        created_at=now(),
        finished_at=None,
        has_photo=True,
        front_end="discord",
        sender="discord:1",
        chat=None,
        reply_to={"channel": 1, "user": 2, "message": 3, "number": number},
        message=None,
    )
    return dataclasses.replace(view, **more)  # type: ignore[arg-type]


def test_formatting_and_mentions_are_escaped():
    person = "900000000000000001"
    shown = escape(f"*loud* `code` @everyone <@{person}>")
    assert shown == f"\\*loud\\* \\`code\\` @\u200beveryone <@\u200b{person}>"


def test_the_answer_with_one_caption_is_its_text():
    assert answer_text([caption("A dog.")], "en") == "A dog."


def test_several_captions_are_numbered_with_refusals_in_their_places():
    captions = [caption("A dog.", 1), caption("A cat.", 3)]
    lines = answer_text(captions, "de", refused={2: EmptyFile()}).splitlines()
    assert lines == ["**1.** A dog.", "**2.** Diese Datei ist leer.", "**3.** A cat."]


def test_a_caption_cannot_close_its_code_block():
    assert answer_text([caption("A ``` dog.")], "en", copy=True) == "```\nA ''' dog.\n```"


def test_a_failed_caption_says_why_or_that_it_failed():
    assert answer_text([caption(None, error="I gave up.")], "en") == "I gave up."
    assert answer_text([caption(None)], "en") == "Sorry, I couldn't describe this photo."


def test_ten_long_sentences_fit_into_a_message_each_with_its_number():
    captions = [caption("word " * 200, number) for number in range(1, 11)]
    for copy in (False, True):
        text = answer_text(captions, "de", copy=copy, remind=True)
        assert len(text) <= MAX_LENGTH
        assert all(f"**{number}.**" in text for number in range(1, 11))
        assert text.count("```") == (20 if copy else 0)


def test_one_caption_has_its_buttons_and_vote_counts():
    view = answer_buttons([caption("A dog.", votes=VoteCount(2, 0, 0))], "en")
    assert view is not None
    assert [(item.item.emoji.name, item.item.label) for item in view.children] == [
        ("👍", "Good 2"),
        ("👎", "Bad"),
        ("🔁", "Another"),
        ("✏️", "Edit"),
        ("🗑️", "Delete"),
    ]


def test_several_captions_have_a_button_each_and_failed_ones_none():
    view = answer_buttons([caption("A dog.", 1), caption(None, 2), caption("A cat.", 3)], "en")
    assert view is not None
    assert [item.item.label for item in view.children] == ["1", "3"]


def test_an_answer_without_captions_has_no_buttons():
    assert answer_buttons([caption(None)], "en") is None
