"""Texts in several languages: both say the same things, with the same placeholders and plural forms."""

import inspect
import string

import pytest

from bots import errors
from bots.errors import FileTooLarge, NotFound, TooManyRequests, UserError
from bots.i18n import LANGUAGES, catalogue, fill, language, say, translate_stored
from db.captions import GAVE_UP
from model.captioner import NO_PHOTO
from worker.pipeline import MISSING, UNREADABLE


def placeholders(sentence):
    """{"count:number"}: what a sentence, or each of its plural forms, wants filled in."""
    forms = [sentence] if isinstance(sentence, str) else sentence.values()
    return {f"{name}:{spec}" for form in forms for _, name, spec, _ in string.Formatter().parse(form) if name}


def kinds_of(error):
    return [error, *(kind for below in error.__subclasses__() for kind in kinds_of(below))]


def test_there_are_sentences_in_two_languages():
    assert LANGUAGES == ("en", "de")
    assert len(catalogue("en")) > 10


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_says_the_same_things(code):
    ours = {key: placeholders(sentence) for key, sentence in catalogue(code).items() if not key.startswith("errors.")}
    english = {key: placeholders(sentence) for key, sentence in catalogue("en").items()}
    assert ours == english


@pytest.mark.parametrize("code", LANGUAGES)
def test_plural_forms_are_those_of_the_language(code):
    plurals = [sentence for sentence in catalogue(code).values() if not isinstance(sentence, str)]
    assert all(set(sentence) == {"one", "other"} for sentence in plurals)


def test_every_error_has_its_sentence_in_every_language():
    english = {kind.__name__: placeholders(inspect.getdoc(kind)) for kind in kinds_of(UserError)}
    german = {
        key.removeprefix("errors."): placeholders(sentence)
        for key, sentence in catalogue("de").items()
        if key.startswith("errors.")
    }
    assert german == english
    assert all(inspect.getdoc(kind) and kind.__doc__ for kind in kinds_of(UserError))
    assert {name for name in vars(errors) if name in english} == set(english)


def test_an_error_says_itself_in_a_persons_language():
    assert str(NotFound()) == "I cannot find that caption. It may have been removed."
    assert NotFound().translated("de") == "Diese Beschreibung finde ich nicht. Vielleicht wurde sie entfernt."


def test_numbers_are_written_as_the_language_does():
    error = FileTooLarge(1_234_500_000, 20_000_000)
    assert "1,234.5 MB" in error.translated("en")
    assert "1.234,5 MB" in error.translated("de")
    assert "at most 20 MB" in error.translated("en")
    assert fill("en", "{share:percent}", share=0.42) == "42%"
    assert fill("de", "{share:percent}", share=0.42) == "42\xa0%"


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
    sentence = {"one": "{count:number} photo", "other": "{count:number} photos"}
    assert [fill("en", sentence, count=count) for count in (0, 1, 2, 1000)] == [
        "0 photos",
        "1 photo",
        "2 photos",
        "1,000 photos",
    ]


def test_a_key_that_does_not_exist_is_a_mistake():
    with pytest.raises(KeyError):
        say("en", "common.nonsense")


@pytest.mark.parametrize("sentence", [GAVE_UP, MISSING, UNREADABLE, NO_PHOTO])
def test_what_a_worker_writes_into_a_row_is_translated(sentence):
    assert translate_stored("en", sentence) == sentence
    assert translate_stored("de", sentence) in catalogue("de").values()
    assert translate_stored("de", sentence) != sentence


def test_a_caption_is_not_translated():
    assert translate_stored("de", "A dog runs.") == "A dog runs."
