"""What rows keep as JSON: written and read back, also as another version wrote it."""

from db.caption_options import CaptionOptions
from db.preferences import Preferences


def test_options_keep_only_what_is_set():
    assert CaptionOptions(beams=3, length="short").to_json() == {"beams": 3, "length": "short"}
    assert CaptionOptions(length="long").to_json() == {"length": "long"}
    assert CaptionOptions().to_json() == {}


def test_options_are_read_as_every_version_wrote_them():
    assert CaptionOptions.from_json({"beams": 3, "length": "normal"}) == CaptionOptions(3, "normal")
    assert CaptionOptions.from_json({}) == CaptionOptions()
    assert CaptionOptions.from_json({"beams": 1, "temperature": 0.5}) == CaptionOptions(beams=1)


def test_preferences_keep_only_what_differs_from_the_defaults():
    assert Preferences().to_json() == {}
    assert Preferences(language="de", hedging=False, length="normal").to_json() == {"language": "de", "hedging": False}


def test_consent_is_a_column_and_not_among_the_stored_preferences():
    assert Preferences(training_consent=True).to_json() == {}
    assert Preferences.from_json({"training_consent": True}).training_consent is None


def test_preferences_of_another_version_are_left_out():
    assert Preferences.from_json({"length": "long", "font": "serif"}) == Preferences(length="long")
