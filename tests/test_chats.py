"""The settings of chats and servers, and chats that get another key."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import chat_moves, chats, people
from db.tables import Chat
from tests.support.factories import make_caption, make_correction, make_vote


def left(session: Session) -> set[str]:
    session.expire_all()
    return set(session.scalars(select(Chat.key).where(Chat.left_at.is_not(None))))


def test_what_is_switched_on_in_a_new_chat_leaves_the_rest_off(session: Session):
    chat = chats.change(session, "telegram:-1", auto=True)
    assert (chat.auto, chat.remind_alt_text) == (True, False)
    assert chats.find(session, "telegram:-1") == chat


def test_a_change_leaves_what_was_set_before(session: Session):
    chats.change(session, "telegram:-1", auto=True)
    chat = chats.change(session, "telegram:-1", remind_alt_text=True)
    assert (chat.auto, chat.remind_alt_text) == (True, True)


def test_leaving_a_server_leaves_its_channels_and_switches_them_off(session: Session):
    for key in ("discord:1/5", "discord:1/6", "discord:12/5"):
        chats.change(session, key, auto=True)
    chats.leave(session, "discord:1")
    assert left(session) == {"discord:1", "discord:1/5", "discord:1/6"}
    assert not chats.change(session, "discord:1/5").auto


def test_leaving_twice_keeps_the_first_time(session: Session):
    chats.leave(session, "telegram:-1")
    first = session.scalars(select(Chat.left_at)).one()
    chats.leave(session, "telegram:-1")
    session.expire_all()
    assert session.scalars(select(Chat.left_at)).one() == first


def test_a_chat_that_is_set_again_is_no_longer_left_nor_is_its_server(session: Session):
    chats.change(session, "discord:1/6")
    chats.leave(session, "discord:1")
    chats.change(session, "discord:1/5", auto=True)
    assert left(session) == {"discord:1/6"}


# Chats that get another key

OLD, NEW = "telegram:-5", "telegram:-1005"


def test_captions_and_switches_move_once_and_keys_of_messages_stay(session: Session):
    chats.change(session, OLD, auto=True)
    caption = make_caption(session, chat=OLD, source=f"{OLD}/7", message=f"{OLD}/8", album=f"{OLD}/album1")
    elsewhere = make_caption(session, chat="telegram:-51")
    chat_moves.move(session, OLD, NEW)
    chats.change(session, OLD, auto=False)  # an update of the old chat that comes late
    chat_moves.move(session, OLD, NEW)
    session.expire_all()
    assert (caption.chat, caption.source, caption.message) == (NEW, f"{OLD}/7", f"{OLD}/8")
    assert elsewhere.chat == "telegram:-51"
    assert not chats.find(session, NEW).auto
    assert chats.find(session, OLD) == chats.find(session, NEW)


def test_what_was_set_under_both_keys_is_kept(session: Session):
    chats.change(session, OLD, auto=True)
    chats.change(session, NEW, remind_alt_text=True)
    chat_moves.move(session, OLD, NEW)
    session.expire_all()
    chat = chats.find(session, NEW)
    assert (chat.auto, chat.remind_alt_text) == (True, True)


def test_a_caption_that_was_written_under_the_old_key_meanwhile_moves_too(session: Session):
    chat_moves.move(session, OLD, NEW)
    caption = make_caption(session, chat=OLD)
    chat_moves.move(session, OLD, NEW)
    session.expire_all()
    assert caption.chat == NEW


def test_leaving_the_old_chat_leaves_nothing(session: Session):
    chat_moves.move(session, OLD, NEW)
    chats.leave(session, OLD)
    assert left(session) == set()


def test_what_anonymous_administrators_gave_moves_and_is_not_doubled(session: Session):
    both, before = make_caption(session, person=OLD), make_caption(session)
    for key, value in ((OLD, 1), (NEW, -1)):
        make_vote(session, both, value, person=key)
    vote, correction = make_vote(session, before, person=OLD), make_correction(session, before, person=OLD)
    session.flush()
    chat_moves.move(session, OLD, NEW)
    session.expire_all()
    after = people.find(session, NEW)
    assert people.find(session, OLD) is None
    assert (both.person, vote.person, correction.person) == (after, after, after)
    assert [one.value for one in both.votes] == [-1]
