"""Tests that Discord's keys, custom ids and reply targets keep the form in which they are stored."""

import re
import time

import pytest

from bots.discord import keys
from bots.discord.reply_target import InteractionTarget, MessageTarget, read_target

CAPTION = "AAAAAAAAAAAAAAAAAAAA-_"
INTERACTION = {  # `reply_to` of a row, as earlier versions stored it for a command
    "application": 900,
    "token": "aW50ZXJhY3Rpb24",
    "until": 1_700_000_000.5,
    "ephemeral": True,
    "channel": 11,
    "user": 5,
    "language": "de",
    "source": "discord:77",
    "number": 2,
}
MESSAGE = {  # the same for a message that mentions the bot
    "channel": 11,
    "message": 12,
    "user": 5,
    "language": "en",
    "source": "discord:12",
    "number": 0,
}


def test_people_servers_and_channels_have_their_ids_as_keys():
    assert keys.person_key(5) == "discord:5"
    assert keys.server_key(3) == "discord:3"
    assert keys.channel_key(3, 11) == "discord:3/11"


def test_a_message_key_is_parsed_into_the_ids_it_was_built_from():
    assert keys.message_key(11, 12) == "discord:11/12"
    assert keys.parse_message_key("discord:11/12") == (11, 12)


@pytest.mark.parametrize("about", [None, 77])
def test_the_source_of_a_request_about_its_own_images_is_its_id(about):
    assert keys.source_key(77, about) == "discord:77"


def test_the_source_of_a_request_about_another_message_starts_with_that_message():
    assert keys.source_key(77, 12) == "discord:12/77"


def test_each_image_of_a_request_has_a_numbered_source():
    assert keys.numbered_source_key("discord:12/77", 3) == "discord:12/77/3"


@pytest.mark.parametrize(("action", "caption"), [("up", CAPTION), ("consent-yes", "")])
def test_the_custom_id_of_a_button_is_parsed_into_action_and_caption(action, caption):
    custom_id = keys.button_id(action, caption)
    assert custom_id == f"do:{action}:{caption}"
    match = re.fullmatch(keys.BUTTON_PATTERN, custom_id)
    assert match is not None
    assert (match["action"], match["caption"]) == (action, caption)


def test_the_custom_id_of_a_modal_is_parsed_into_its_caption():
    assert keys.modal_id(CAPTION) == f"correct:{CAPTION}"
    assert keys.parse_modal_id(f"correct:{CAPTION}") == CAPTION
    assert keys.parse_modal_id(f"do:correct:{CAPTION}") is None


# reply_to


def test_a_target_of_an_interaction_is_stored_under_the_keys_of_earlier_versions():
    target = read_target(INTERACTION)
    assert isinstance(target, InteractionTarget)
    assert target.to_json() == INTERACTION | {"spoiler": False}


def test_a_target_of_a_message_is_stored_under_the_keys_of_earlier_versions():
    target = read_target(MESSAGE)
    assert isinstance(target, MessageTarget)
    assert target.to_json() == MESSAGE | {"auto": False, "remind": False, "spoiler": False}


def test_a_target_of_a_channel_with_auto_keeps_its_switches():
    stored = MESSAGE | {"auto": True, "remind": True, "spoiler": True}
    assert read_target(stored).to_json() == stored


@pytest.mark.parametrize("row", [INTERACTION, MESSAGE])
def test_a_target_is_read_from_rows_with_unknown_keys(row):
    assert read_target(row | {"colour": "red"}) == read_target(row)


def test_a_target_is_read_from_rows_without_a_number():
    """Earlier versions stored none for another caption of the same photo."""
    row = {key: value for key, value in INTERACTION.items() if key != "number"}
    assert read_target(row).number == 0


@pytest.mark.parametrize(("row", "key"), [(INTERACTION, "until"), (MESSAGE, "message"), (MESSAGE, "user")])
def test_a_target_without_a_required_key_is_an_error(row, key):
    with pytest.raises(TypeError, match=key):
        read_target({name: value for name, value in row.items() if name != key})


def test_a_target_expires_with_the_token_of_its_interaction():
    assert InteractionTarget.from_json(INTERACTION).expired
    assert not InteractionTarget.from_json(INTERACTION | {"until": time.time() + 60}).expired
