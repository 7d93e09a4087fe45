"""Tests that Telegram's keys, callback data and reply targets keep the form in which they are stored."""

from datetime import UTC, datetime

import pytest
from telegram import Chat, Message, User

from bots.telegram import keys
from bots.telegram.reply_target import ReplyTarget

GROUP = Chat(-100, Chat.SUPERGROUP)
CAPTION = "AAAAAAAAAAAAAAAAAAAA-_"


def message(**content) -> Message:
    return Message(7, datetime.now(UTC), GROUP, **content)


def test_people_and_chats_have_their_id_as_key():
    assert keys.person_key(User(5, "Ada", False)) == "telegram:5"
    assert keys.person_key(GROUP) == keys.chat_key(-100) == keys.group_key(GROUP) == "telegram:-100"
    assert keys.group_key(Chat(5, Chat.PRIVATE)) is None


def test_only_telegram_users_are_taken_from_the_admin_ids():
    assert keys.user_ids(["telegram:5", "discord:6", "telegram:7"]) == [5, 7]


def test_a_message_key_is_parsed_into_the_ids_it_was_built_from():
    assert keys.message_key(-100, 7) == "telegram:-100/7"
    assert keys.parse_message_key("telegram:-100/7") == (-100, 7)


def test_the_source_of_a_photo_starts_with_the_key_of_its_album():
    assert keys.source_key(message()) == "telegram:-100/7"
    photo = message(media_group_id="12")
    assert keys.album_key(photo) == "telegram:-100/album12"
    assert keys.source_key(photo) == "telegram:-100/album12/7"


def test_further_requests_for_a_photo_have_sources_of_their_own():
    assert keys.edited_source_key(message(), "xyz") == "telegram:-100/7/xyz"
    assert keys.another_source_key("telegram:-100/7", "99") == "telegram:-100/7/again99"


def test_callback_data_is_parsed_into_action_and_argument():
    assert keys.callback_data("up", CAPTION) == f"up:{CAPTION}"
    assert keys.parse_callback_data(f"up:{CAPTION}") == ("up", CAPTION)
    assert keys.parse_callback_data("nonsense") == ("nonsense", "")


def test_the_data_of_a_setting_names_its_new_value():
    assert keys.setting_data("language", "de") == "set:language=de"
    assert keys.parse_setting("language=de") == ("language", "de")


def test_the_link_to_a_correction_names_its_caption():
    payload = keys.correction_payload(CAPTION)
    assert payload == f"fix_{CAPTION}"
    assert keys.parse_correction_payload(payload) == CAPTION
    assert keys.parse_correction_link(f"https://t.me/captionbot?start={payload}") == CAPTION


@pytest.mark.parametrize("payload", ["", "settings"])
def test_other_links_are_about_no_correction(payload):
    assert keys.parse_correction_payload(payload) is None
    assert keys.parse_correction_link(f"https://t.me/captionbot?start={payload}") is None


# reply_to


def test_a_reply_target_is_stored_under_the_keys_of_earlier_versions():
    target = ReplyTarget(-100, 7, thread=3, language="de", kind="sticker", file="xyz", source="telegram:-100/7")
    assert target.to_json() == {
        "chat": -100,
        "message": 7,
        "thread": 3,
        "language": "de",
        "kind": "sticker",
        "file": "xyz",
        "source": "telegram:-100/7",
        "album": None,
        "spoiler": False,
    }
    assert ReplyTarget.from_json(target.to_json()) == target


def test_a_reply_target_is_read_from_rows_with_missing_and_unknown_keys():
    assert ReplyTarget.from_json({"chat": 5, "message": 7, "colour": "red"}) == ReplyTarget(5, 7)


def test_a_reply_target_without_a_message_is_an_error():
    with pytest.raises(TypeError, match="message"):
        ReplyTarget.from_json({"chat": 5})
