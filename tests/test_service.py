"""The caption service: results, votes, corrections, other sentences, people's settings."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from bots.errors import BadText, NotFound, NotReady, PhotoGone
from bots.service.views import VoteCount
from db.caption_requests import CaptionRequest
from db.tables import Caption, Correction, Person, Photo, Review, State, Vote
from tests.support.service_parts import picture

ANN, BEN = "web:ann", "web:ben"
CHAT = "telegram:-1"


def submit(service, number=0, *, sender=ANN, source=None, front_end="web", **more):
    return service.submissions.submit(
        picture(number), CaptionRequest(sender=sender, front_end=front_end, source=source, **more)
    )


@pytest.fixture
def anns(service, worker):
    """The id of a caption that Ann asked for on the web and that is done."""
    submitted = submit(service)
    worker.caption(submitted.row, text="Could be: a dog runs.", hedged=True, words=["a", "dog", "runs"])
    return submitted.id


@pytest.fixture
def in_chat(service, worker):
    """The id of a caption that Ann asked for in a chat and that is done."""
    submitted = submit(service, 9, sender="telegram:7", front_end="telegram", chat=CHAT)
    worker.caption(submitted.row)
    return submitted.id


def count(sessions, table):
    with sessions() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


# Captions out


def test_a_result_is_all_that_is_known_of_a_caption(service, worker):
    submitted = submit(service)
    waiting = service.captions.get(submitted.id, person=ANN)
    assert (waiting.state, waiting.text, waiting.has_photo) == (State.QUEUED, None, True)
    worker.caption(submitted.row, text="a dog runs", confidence=0.7, attention={"rows": 1, "columns": 1, "maps": []})
    view = service.captions.get(submitted.id, person=ANN)
    assert (view.state, view.text, view.confidence, view.model) == (State.DONE, "a dog runs", 0.7, "bundled")
    assert (view.words, view.alternatives) == (("a", "dog", "runs"), ("a brown dog",))
    assert view.attention == {"rows": 1, "columns": 1, "maps": []}
    assert view.votes == VoteCount(0, 0, 0)
    assert view.sender == ANN


def test_a_failure_is_a_sentence(service, worker):
    submitted = submit(service)
    worker.fail(submitted.row, "The photo is gone.")
    view = service.captions.get(submitted.id, person=ANN)
    assert (view.state, view.error) == (State.FAILED, "The photo is gone.")


def test_the_stored_photo_is_for_its_sender(service, anns):
    assert service.captions.photo(anns, person=ANN).startswith(b"\xff\xd8")
    with pytest.raises(NotFound):
        service.captions.photo(anns, person=BEN)


def test_a_photo_whose_file_is_gone_is_said_to_be_gone(service, anns, store):
    for name in store.names():
        store.drop(name)
    with pytest.raises(PhotoGone):
        service.captions.photo(anns, person=ANN)


def test_a_photo_that_the_disk_damaged_is_not_shown_and_is_whole_when_it_is_sent_again(service, anns, store):
    whole = service.captions.photo(anns, person=ANN)
    [file] = Path(store.url).glob("*/*")
    file.write_bytes(whole[:-9] + b"corrupted")
    with pytest.raises(PhotoGone):
        service.captions.photo(anns, person=ANN)
    submit(service, sender=BEN)
    assert service.captions.photo(anns, person=ANN) == whole


def test_ones_own_captions_newest_first_page_by_page(service):
    ids = [submit(service, number).id for number in range(5)]
    submit(service, sender=BEN)
    first = [view.id for view in service.captions.of_person(ANN, limit=3)]
    second = [view.id for view in service.captions.of_person(ANN, limit=3, before=first[-1])]
    assert first + second == ids[::-1]
    assert service.captions.of_person("web:nobody", limit=3) == []


def test_hedged_wording_is_left_out_for_those_who_want_it_plain(service, anns):
    assert service.captions.get(anns, person=ANN).text == "Could be: a dog runs."
    service.people.set_preferences(ANN, hedging=False)
    assert service.captions.get(anns, person=ANN).text == "A dog runs."


# Whose caption it is


def test_to_another_account_a_caption_does_not_exist(service, anns, sessions):
    for attempt in (
        lambda: service.captions.get(anns, person=BEN),
        lambda: service.captions.photo(anns, person=BEN),
        lambda: service.feedback.vote(anns, person=BEN, value=1),
        lambda: service.feedback.unvote(anns, person=BEN),
        lambda: service.feedback.correct(anns, person=BEN, text="a cat sleeps"),
        lambda: service.submissions.another(anns, person=BEN),
        lambda: service.captions.remove(anns, person=BEN),
        lambda: service.captions.of_person(BEN, limit=5, before=anns),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert count(sessions, Vote) == count(sessions, Correction) == 0
    assert service.captions.of_person(BEN, limit=5) == []
    service.people.forget(BEN)
    assert service.captions.get(anns, person=ANN).state is State.DONE


def test_an_id_that_is_not_there_is_not_found_in_the_same_words(service, anns):
    with pytest.raises(NotFound) as unknown:
        service.captions.get("x" * 22, person=BEN)
    with pytest.raises(NotFound) as foreign:
        service.captions.get(anns, person=BEN)
    assert str(unknown.value) == str(foreign.value)


def test_those_in_the_chat_may_vote_and_correct(service, in_chat):
    assert service.feedback.vote(in_chat, person="telegram:8", value=-1, chat=CHAT).down == 1
    assert service.feedback.correct(in_chat, person="telegram:8", text="two cats", chat=CHAT).correction == "two cats"
    with pytest.raises(NotFound):
        service.feedback.vote(in_chat, person="telegram:8", value=-1, chat="telegram:-2")


def test_a_chat_that_is_none_is_no_chat(service, anns):
    with pytest.raises(NotFound):
        service.feedback.vote(anns, person=BEN, value=1, chat=None)


# Feedback


def test_the_last_vote_counts(service, in_chat):
    assert service.feedback.vote(in_chat, person="telegram:7", value=1) == VoteCount(1, 0, 1, ask_consent=True)
    assert service.feedback.vote(in_chat, person="telegram:8", value=1, chat=CHAT) == VoteCount(2, 0, 1)
    assert service.feedback.vote(in_chat, person="telegram:7", value=-1) == VoteCount(1, 1, -1)
    assert service.feedback.unvote(in_chat, person="telegram:7") == VoteCount(1, 0, 0)
    assert service.captions.get(in_chat, person="telegram:7").votes == VoteCount(1, 0, 0)


@pytest.mark.parametrize("value", [0, 2, -5])
def test_a_vote_is_one_up_or_down(service, anns, value):
    with pytest.raises(ValueError, match="neither 1 nor -1"):
        service.feedback.vote(anns, person=ANN, value=value)


def test_what_is_not_done_cannot_be_rated(service, worker):
    submitted = submit(service)
    with pytest.raises(NotReady):
        service.feedback.vote(submitted.id, person=ANN, value=1)
    worker.fail(submitted.row)
    with pytest.raises(NotReady):
        service.feedback.correct(submitted.id, person=ANN, text="a dog")


def test_the_last_correction_counts(service, anns, sessions):
    service.feedback.correct(anns, person=ANN, text="a cat")
    view = service.feedback.correct(anns, person=ANN, text="  a black\n cat\u200b sleeps \x00 ")
    assert view.correction == "a black cat sleeps"
    assert service.captions.get(anns, person=ANN).correction == "a black cat sleeps"
    assert count(sessions, Correction) == 1


@pytest.mark.parametrize("text", ["", " \n ", "\u200b", "x" * 201])
def test_a_correction_has_some_words_and_not_too_many(service, anns, text):
    with pytest.raises(BadText, match="up to 200 characters"):
        service.feedback.correct(anns, person=ANN, text=text)


def test_a_correction_that_is_no_description_is_quarantined(service, anns, sessions):
    service.feedback.correct(anns, person=ANN, text="buy it now at www.example.com")
    with sessions() as session:
        correction = session.scalars(select(Correction)).one()
        assert correction.review is Review.QUARANTINED
        assert correction.reason


def test_what_was_corrected_is_said_right_the_next_time(service, anns, queued):
    service.feedback.correct(anns, person=ANN, text="a black cat sleeps")
    again = submit(service)
    assert again.known
    assert service.captions.get(again.id, person=ANN).text == "A black cat sleeps."
    others = submit(service, sender=BEN)
    assert service.captions.get(others.id, person=BEN).text == "Could be: a dog runs."


def test_figures_count_captions_and_votes(service, anns):
    service.feedback.vote(anns, person=ANN, value=1)
    submit(service)
    (line,) = service.admin.stats().lines
    assert (line.model, line.front_end, line.captions, line.known, line.approval.votes) == ("bundled", "web", 2, 1, 1)


# Consent


def test_the_sender_is_asked_for_consent_once(service, worker, anns):
    assert service.feedback.vote(anns, person=ANN, value=1).ask_consent
    assert not service.feedback.vote(anns, person=ANN, value=-1).ask_consent
    other = submit(service, 1)
    worker.caption(other.row)
    assert not service.feedback.correct(other.id, person=ANN, text="a cat sleeps").ask_consent


def test_a_first_correction_asks_too(service, anns):
    assert service.feedback.correct(anns, person=ANN, text="a black cat sleeps").ask_consent


def test_only_who_sent_the_photo_is_asked(service, in_chat):
    assert not service.feedback.vote(in_chat, person="telegram:8", value=1, chat=CHAT).ask_consent
    assert service.feedback.vote(in_chat, person="telegram:7", value=1).ask_consent


def test_who_has_answered_already_is_not_asked(service, anns):
    service.people.set_consent(ANN, agreed=False)
    assert not service.feedback.vote(anns, person=ANN, value=1).ask_consent


def test_no_answer_is_no_consent_and_an_answer_can_be_changed(service, anns):
    service.feedback.vote(anns, person=ANN, value=1)
    assert service.people.preferences(ANN).training_consent is None
    assert service.people.set_consent(ANN, agreed=True).training_consent is True
    assert service.people.set_consent(ANN, agreed=False).training_consent is False


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
