"""Translations of people's own: a folder of .po files is a language, and what is wrong with one is said."""

import asyncio

import discord
import pytest

from bots import i18n
from bots.discord.command_texts import CommandTranslator, language_choices, localized
from bots.i18n import catalogue, language, language_name, languages, load, say
from bots.po_files import BadTranslation
from bots.telegram import account
from bots.web.app import _render_page
from roles.doctor.diagnosis import diagnose
from settings import Settings
from tests.support.polish import HEADER, entry, write_polish

PHOTOS = ("{count} zdjęcie jest dodawane.", "{count} zdjęcia są dodawane.", "{count} zdjęć jest dodawanych.")
ON_THE_WAY = "web.on_the_way"
THANKS = ("web.thanks", "Thank you!")
GERMAN = '\nmsgctxt "web.thanks"\nmsgid "Thank you!"\nmsgstr "Merci."\n'


@pytest.fixture(autouse=True)
def only_ours_afterwards():
    yield
    load()


def loaded(folder, content, code="pl"):
    (folder / code).mkdir()
    (folder / code / "own.po").write_bytes(content if isinstance(content, bytes) else content.encode())
    load(folder)


def error_of(folder, content):
    with pytest.raises(BadTranslation) as raised:
        loaded(folder, content)
    return str(raised.value).replace(str(folder / "pl" / "own.po"), "FILE")


def test_a_folder_is_a_language(tmp_path):
    write_polish(tmp_path, {ON_THE_WAY: PHOTOS, "errors.EmptyFile": "Ten plik jest pusty."})
    load(tmp_path)
    assert languages() == ("en", "de", "pl")
    assert language("pl-PL") == "pl"
    assert language_name("pl") == "Polski"
    assert say("pl", "errors.EmptyFile") == "Ten plik jest pusty."
    counts = (1, 2, 5, 12, 22, 101, 112, 1002, 1.5)
    assert [say("pl", ON_THE_WAY, count=count).split()[1] for count in counts] == (
        "zdjęcie zdjęcia zdjęć zdjęć zdjęcia zdjęć zdjęć zdjęcia zdjęcia".split()
    )


def test_page_and_bots_speak_the_new_language(tmp_path):
    polish = {ON_THE_WAY: PHOTOS, "web.question": "Co jest na zdjęciu?", "discord.about_caption": "Opisz zdjęcie"}
    write_polish(tmp_path, polish)
    load(tmp_path)
    page = _render_page("pl", "")
    assert '<html lang="pl">' in page
    assert "Co jest na zdjęciu?" in page
    assert PHOTOS[2] in page
    command = asyncio.run(CommandTranslator().translate(localized("about_caption"), discord.Locale.polish, None))
    assert command == "Opisz zdjęcie"
    assert "Polski" in [choice.name for choice in language_choices("discord")]
    assert account.choices()["language"] == ("auto", "en", "de", "pl")


def test_what_is_not_translated_is_english(tmp_path):
    write_polish(tmp_path, {ON_THE_WAY: PHOTOS})
    load(tmp_path)
    assert say("pl", *THANKS[:1]) == THANKS[1]
    assert say("pl", "web.no_pictures", count=22) == "22 files aren't photos, so they were skipped."
    assert catalogue("pl").keys() == catalogue("en").keys()


@pytest.mark.parametrize(
    "wrong",
    [
        entry("web.thanks", "Thanks a lot.", "Dzięki."),  # the English text reads otherwise today
        entry("web.thanks", "Thank you!", ""),
        "\n#, fuzzy" + entry("web.thanks", "Thank you!", "Dzięki."),
        entry("web.thanks", "Thank you!", "Dzięki.").replace("\nm", "\n#~ m"),
        entry("web.nonsense", "Thank you!", "Dzięki."),
        entry("web.on_the_way", i18n.template()[ON_THE_WAY].english.forms, ("a", "b")),
    ],
)
def test_a_text_that_needs_another_look_is_english(tmp_path, wrong):
    loaded(tmp_path, HEADER + wrong)
    assert say("pl", "web.thanks") == "Thank you!"
    assert say("pl", ON_THE_WAY, count=2) == "Adding 2 photos."


def test_ones_own_texts_come_before_ours(tmp_path):
    loaded(tmp_path, b"\xef\xbb\xbf" + GERMAN.replace("\n", "\r\n").encode(), "de")
    assert say("de", "web.thanks") == "Merci."
    assert say("de", "web.removed") == "Gelöscht."
    loaded(tmp_path, GERMAN, "en")
    assert say("fr", "web.thanks") == "Merci."


@pytest.mark.parametrize("name", ["pt_BR", "zh_TW"])
def test_a_region_may_have_its_own(tmp_path, name):
    loaded(tmp_path, HEADER + entry(*THANKS, "Merci."), name)
    assert language(name.replace("_", "-")) == name
    assert language(name[:2]) == "en"


def test_a_folder_that_is_named_after_no_language(tmp_path):
    with pytest.raises(BadTranslation, match=r"polski is named after no language.*: pl, or pt_BR\.$"):
        loaded(tmp_path, HEADER, "polski")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(BadTranslation, match=r"^LANGUAGES_DIR is .*nowhere, which cannot be read: No such file"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEADER + 'msgstr "x"\n', "line 7: msgstr cannot follow msgstr."),
        ('msgstr "x"\n', "line 1: msgstr cannot follow nothing."),
        ('"x"\n', "line 1: this text belongs to no msgid or msgstr."),
        (HEADER + 'msgid "x"\nmsgid "y"\n', "line 8: msgid cannot follow msgid."),
        (HEADER + 'msgctxt "web.thanks"\nmsgid "x"\n', "line 8: missing msgstr for msgid 'x'."),
        (HEADER + 1_000_000 * "#", "FILE has more than 1 MB, which is no translation of captionbot."),
    ],
)
def test_a_file_that_is_no_po_file(tmp_path, content, reason):
    assert error_of(tmp_path, content).endswith(reason)


def test_a_quote_that_is_missing(tmp_path):
    reason = 'line 10: a line is a # comment, or msgctxt, msgid or msgstr with a text in "quotes".'
    assert error_of(tmp_path, HEADER + entry(*THANKS, "Dzięki.")[:-2]) == f"FILE, {reason}"


def test_a_file_in_an_older_encoding(tmp_path):
    content = (HEADER + entry(*THANKS, "Dzięki.")).encode("iso-8859-2")
    assert error_of(tmp_path, content) == "FILE, line 10: this is not UTF-8; save the file as UTF-8."


@pytest.mark.parametrize(
    ("key", "polish", "reason"),
    [
        ("web.thanks", "{nobody}", "{nobody} is no placeholder of this text; it has none."),
        ("web.thanks", "a { b", "a { or } is left over in this text (expected '}' before end of string)."),
        ("errors.BadText", "{limit}", "{limit} is no placeholder of this text; it has {limit:number}."),
        ("errors.BadText", "{limit.real}", "{limit.real} is no placeholder of this text; it has {limit:number}."),
        (
            "errors.BadText",
            "{limit!r:number}",
            "{limit!r:number} is no placeholder of this text; it has {limit:number}.",
        ),
        ("discord.describe", 33 * "x", "this text has 33 characters; there is room for 32."),
    ],
)
def test_a_text_that_cannot_be_filled_in(tmp_path, key, polish, reason):
    content = HEADER + entry(key, i18n.template()[key].english.forms[0], polish)
    assert error_of(tmp_path, content) == f"FILE, line 9: {reason}"


def test_more_forms_than_announced(tmp_path):
    content = HEADER + entry(ON_THE_WAY, i18n.template()[ON_THE_WAY].english.forms, "abcd")
    assert error_of(tmp_path, content) == "FILE, line 9: msg has more translations than num_plurals of catalog."


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ("nplurals=3;", "nplurals=999999999;", "line 6: nplurals should be 1 to 6."),
        ("nplurals=3;", 'nplu"\n"rals=99999;', "line 1: nplurals should be 1 to 6."),
        ("nplurals=3;", "nplurals=2;", "line 6: Plural-Forms announces 2 forms, but its formula gives 0 to 2."),
        ("n==1 ?", "n%0 ?", "line 6: Plural-Forms has no valid formula (integer modulo by zero)."),
        ("n==1 ?", "quit() ?", "line 6: Plural-Forms has no valid formula (invalid token in plural form: quit)."),
        ("n==1 ?", 999 * "(", "line 6: Plural-Forms has no valid formula (plural form expression is too long)."),
        ("Language: pl", "PO-Revision-Date: never", "line 1: the header, which is the first entry, cannot be read ("),
    ],
)
def test_a_header_that_cannot_be_used(tmp_path, right, wrong, reason):
    assert error_of(tmp_path, HEADER.replace(right, wrong)).startswith(f"FILE, {reason}")


def test_doctor_says_how_much_is_translated(tmp_path):
    write_polish(tmp_path, {ON_THE_WAY: PHOTOS})
    findings = {finding.check: finding for finding in diagnose(Settings(_env_file=None, languages_dir=tmp_path))}
    total = len(catalogue("en"))
    assert findings["languages"].message == f"English, de ({total} of {total} texts), pl (1 of {total} texts)"


def test_doctor_says_what_is_wrong(tmp_path):
    (tmp_path / "pl").mkdir()
    (tmp_path / "pl" / "own.po").write_text("nonsense")
    findings = {finding.check: finding for finding in diagnose(Settings(_env_file=None, languages_dir=tmp_path))}
    assert not findings["languages"].ok
    assert "own.po, line 1: a line is a # comment" in findings["languages"].message
