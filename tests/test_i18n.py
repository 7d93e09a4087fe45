"""Texts in several languages: both say the same things, with the same placeholders and plural forms."""

import io
import string

import pytest
from babel.messages.pofile import read_po

from bots import errors
from bots.errors import FileTooLarge, NotFound, TooManyRequests, UserError
from bots.i18n import FOLDER, catalogue, fill, language, languages, say, template, translate_stored
from bots.po_files import Text
from db.captions import GAVE_UP, NONE_LEFT
from model.captioner import NO_PHOTO
from worker.photo_reader import MISSING, UNREADABLE


def placeholders(text):
    """{"count:number"}: what the forms of a text want filled in."""
    return {f"{name}:{spec}" for form in text.forms for _, name, spec, _ in string.Formatter().parse(form) if name}


def kinds_of(error):
    return [error, *(kind for below in error.__subclasses__() for kind in kinds_of(below))]


def test_english_and_german_come_with_it():
    assert languages() == ("en", "de")
    assert len(catalogue("en")) > 10


def test_german_is_complete():
    assert [key for key, text in catalogue("de").items() if text.language != "de"] == []
    assert {key: placeholders(text) for key, text in catalogue("de").items()} == {
        key: placeholders(text) for key, text in catalogue("en").items()
    }


def test_no_translation_is_left_of_a_text_that_is_gone():
    entries = [read_po(io.StringIO(file.read_text("utf-8"))) for file in (FOLDER / "de").glob("*.po")]
    assert {message.context for catalog in entries for message in catalog if message.id} <= catalogue("en").keys()


def test_no_text_is_longer_than_there_is_room_for():
    limits = {key: source.max_length for key, source in template().items() if source.max_length}
    assert limits["discord.describe"] == 32
    assert [key for key, limit in limits.items() if len(catalogue("en")[key].forms[0]) > limit] == []


def test_every_error_has_its_text():
    names = {kind.__name__ for kind in kinds_of(UserError)}
    assert names == {key.removeprefix("errors.") for key in catalogue("en") if key.startswith("errors.")}
    assert {name for name in vars(errors) if name in names} == names


def test_an_error_says_itself_in_a_persons_language():
    assert str(NotFound()) == "I can't find that description. It may have been deleted."
    assert NotFound().translated("de") == "Diese Beschreibung finde ich nicht. Vielleicht wurde sie gelöscht."


def test_numbers_are_written_as_the_language_does():
    error = FileTooLarge(1_234_500_000, 20_000_000)
    assert "1,234.5 MB" in error.translated("en")
    assert "1.234,5 MB" in error.translated("de")
    assert "The limit is 20 MB" in error.translated("en")
    assert fill(Text("en", ("{share:percent}",)), share=0.42) == "42%"
    assert fill(Text("de", ("{share:percent}",)), share=0.42) == "42\xa0%"


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (0.2, "in 1 second", "in 1 Sekunde"),
        (45, "in 45 seconds", "in 45 Sekunden"),
        (61, "in 2 minutes", "in 2 Minuten"),
        (3540, "in 59 minutes", "in 59 Minuten"),
        (3700, "in 2 hours", "in 2 Stunden"),
    ],
)
def test_nobody_is_told_to_come_back_too_early(seconds, english, german):
    assert english in TooManyRequests(retry_after=seconds).translated("en")
    assert german in TooManyRequests(retry_after=seconds).translated("de")


@pytest.mark.parametrize(
    ("wanted", "spoken"), [("de", "de"), ("de-AT", "de"), ("de_CH", "de"), ("EN-us", "en"), ("fr", "en"), (None, "en")]
)
def test_an_unknown_language_is_english(wanted, spoken):
    assert language(wanted) == spoken


def test_the_plural_form_goes_with_the_count():
    counts = (0, 1, 2, 1000, 1.5)
    assert [say("en", "web.older_shown", count=count) for count in counts if count != 1] == [
        f"{count} older photos added." for count in counts if count != 1
    ]
    assert say("en", "web.older_shown", count=1) == "One older photo added."


def test_a_key_that_does_not_exist_is_a_mistake():
    with pytest.raises(KeyError):
        say("en", "common.nonsense")


@pytest.mark.parametrize("sentence", [GAVE_UP, MISSING, NONE_LEFT, NO_PHOTO, UNREADABLE])
def test_what_a_worker_writes_into_a_row_is_translated(sentence):
    assert translate_stored("en", sentence) == sentence
    assert (translate_stored("de", sentence),) in {text.forms for text in catalogue("de").values()}
    assert translate_stored("de", sentence) != sentence


def test_a_caption_is_not_translated():
    assert translate_stored("de", "A dog runs.") == "A dog runs."
