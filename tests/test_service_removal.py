"""The caption service: people's preferences, switches of chats, and removing."""

import pytest
from sqlalchemy import select

from bots.errors import NotFound
from db.tables import Caption, Person, Photo, Vote
from tests.support.service_parts import ANN, BEN, CHAT, count, submit

# Preferences and chats


def test_preferences_are_kept(service):
    assert service.people.preferences(ANN).length == "normal"
    service.people.set_preferences(ANN, length="short", language="de")
    assert service.people.set_preferences(ANN, hedging=False).length == "short"
    chosen = service.people.preferences(ANN)
    assert (chosen.length, chosen.language, chosen.hedging, chosen.quality) == ("short", "de", False, "careful")
    assert service.people.preferences(BEN) == service.people.preferences("web:nobody")


@pytest.mark.parametrize("change", [{"length": "endless"}, {"language": "xx"}, {"colour": "red"}, {"hedging": "so"}])
def test_a_preference_that_does_not_exist_is_refused(service, change):
    with pytest.raises(ValueError, match=r"no such|among|short|boolean"):
        service.people.set_preferences(ANN, **change)
    assert service.people.preferences(ANN) == service.people.preferences(BEN)


def test_consent_is_no_preference(service):
    with pytest.raises(ValueError, match="training_consent"):
        service.people.set_preferences(ANN, training_consent=True)


def test_chats_have_switches(service):
    assert not service.chats.get(CHAT).auto
    assert service.chats.change(CHAT, auto=True).auto
    assert service.chats.change(CHAT, remind_alt_text=True).auto
    service.chats.leave(CHAT)
    assert not service.chats.get(CHAT).auto
    with pytest.raises(ValueError, match="no such switch"):
        service.chats.change(CHAT, loud=True)


def test_admins_are_those_of_the_settings(new_service):
    service = new_service(admins=frozenset({"telegram:7"}))
    assert service.people.is_admin("telegram:7")
    assert not service.people.is_admin("telegram:8")


# Removing


def test_the_bin_removes_sentences_and_photo(service, worker, anns, sessions, store):
    second = service.submissions.another(anns, person=ANN)
    worker.caption(second.row)
    service.feedback.vote(second.id, person=ANN, value=1)
    service.captions.remove(second.id, person=ANN)
    assert count(sessions, Caption) == count(sessions, Photo) == count(sessions, Vote) == 0
    assert list(store.names()) == []
    with pytest.raises(NotFound):
        service.captions.get(anns, person=ANN)


def test_the_bin_leaves_a_photo_that_somebody_else_sent_too(service, anns, store):
    bens = submit(service, sender=BEN)
    service.captions.remove(anns, person=ANN)
    assert len(list(store.names())) == 1
    assert service.captions.photo(bens.id, person=BEN)


def test_a_caption_that_was_removed_while_it_waited_is_not_finished(service, sessions):
    submitted = submit(service)
    service.captions.remove(submitted.id, person=ANN)
    assert count(sessions, Caption) == 0


def test_a_message_that_was_deleted_takes_its_captions_along(service, worker, sessions, store):
    asked = [submit(service, number, front_end="discord", source=f"discord:55/{number}") for number in range(2)]
    kept = submit(service, 2, front_end="discord", source="discord:556")
    worker.caption(asked[0].row)
    service.deliveries.delivered([asked[0].row], "discord:1/99")
    assert [view.row for view in service.captions.by_source("discord:55")] == [one.row for one in asked]
    removed = service.captions.remove_source("discord:55")
    assert [view.message for view in removed] == ["discord:1/99", None]
    assert service.captions.by_source("discord:55") == []
    assert service.captions.by_source("discord:556")[0].row == kept.row
    assert len(list(store.names())) == 1


def test_forgetting_removes_all_of_a_person_and_nothing_of_others(service, worker, anns, in_chat, sessions, store):
    other = submit(service, 1)
    worker.caption(other.row)
    bens = submit(service, 1, sender=BEN)
    service.feedback.vote(anns, person=ANN, value=1)
    service.feedback.vote(in_chat, person="telegram:7", value=1)
    service.feedback.correct(other.id, person=ANN, text="a black cat sleeps")
    gone = service.people.forget(ANN)
    assert (gone.captions, gone.votes, gone.corrections) == (2, 1, 1)
    assert service.captions.of_person(ANN, limit=9) == []
    assert service.captions.photo(bens.id, person=BEN)
    assert service.captions.get(in_chat, person="telegram:7").votes.up == 1
    with sessions() as session:
        assert set(session.scalars(select(Person.key))) == {BEN, "telegram:7"}
    assert service.people.forget(ANN).captions == 0
