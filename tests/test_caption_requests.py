"""New rows of captions: their state, their public ids, and repeated requests."""

from dataclasses import replace

from sqlalchemy.orm import Session

from db import caption_requests
from db.caption_options import CaptionOptions
from db.caption_requests import CaptionRequest
from db.tables import Caption, Photo, State
from tests.support.factories import make_caption, make_person, make_photo

OPTIONS = CaptionOptions(beams=3, length="normal")


def create(
    session: Session,
    source: str | None = None,
    photo: Photo | None = None,
    known: Caption | None = None,
    **asked: object,
) -> tuple[Caption, bool]:
    request = CaptionRequest(sender="web:ann", front_end="web", source=source, **asked)  # type: ignore[arg-type]
    return caption_requests.create(session, request, photo or make_photo(session), make_person(session), known=known)


# Creating


def test_a_new_row_is_queued_and_keeps_what_it_was_asked_with(session: Session):
    asked = {"chat": "discord:1/2", "album": "a", "position": 3, "options": OPTIONS, "reply_to": {"message": 4}}
    caption, new = create(session, "discord:99", **asked)
    assert new
    assert caption.state == State.QUEUED
    assert {name: getattr(caption, name) for name in asked} == asked


def test_public_ids_are_long_and_differ(session: Session):
    ids = {create(session)[0].public_id for _ in range(10)}
    assert {len(id) for id in ids} == {22}
    assert len(ids) == 10


def test_the_same_source_again_gives_the_row_it_has(session: Session):
    first, _ = create(session, "telegram:1/2", options=CaptionOptions(beams=1))
    again, new = create(session, "telegram:1/2", options=CaptionOptions(beams=5))
    assert (again.id, new) == (first.id, False)
    assert again.options == CaptionOptions(beams=1)


def test_rows_without_a_source_are_all_new(session: Session):
    assert [create(session)[1] for _ in range(3)] == [True] * 3


def test_another_one_knows_what_it_is_another_of(session: Session):
    first = make_caption(session, text="a dog")
    request = CaptionRequest(sender=first.person.key, front_end="web")
    other, _ = caption_requests.create_another(session, request, first, first.person, rank=1)
    assert (other.parent, other.rank) == (first, 1)


# What is known already


def test_a_finished_sentence_is_copied_into_a_new_row(session: Session):
    known = make_caption(session, text="a dog", words=["a", "dog"], alternatives=["a cat"], batch_size=8)
    caption, new = create(session, photo=known.photo, known=known)
    assert new
    assert (caption.state, caption.text, caption.words, caption.alternatives) == (
        State.DONE,
        "a dog",
        ["a", "dog"],
        ["a cat"],
    )
    assert (caption.model_version, caption.confidence) == ("bundled", 0.5)
    assert caption.finished_at is not None
    assert caption.batch_size is None  # no engine ran
    assert (caption.id, caption.public_id) != (known.id, known.public_id)


def test_first_sentences_of_the_same_photo_and_options_are_known_the_newest_first(session: Session):
    photo = make_photo(session)
    versions = "bundled", "v1", "bundled"
    made = [make_caption(session, photo=photo, text="a", model_version=name, options=OPTIONS) for name in versions]
    ids = [caption.id for caption in made]
    assert caption_requests.first_sentences(session, photo.id, OPTIONS) == [*zip(ids, versions, strict=True)][::-1]


def test_what_differs_or_is_not_the_first_sentence_is_not_known(session: Session):
    photo = make_photo(session)
    make_caption(session, text="another photo", options=OPTIONS)
    make_caption(session, photo=photo, text="other options", options=replace(OPTIONS, beams=1))
    make_caption(session, photo=photo, text="another one", options=OPTIONS, rank=1)
    make_caption(session, photo=photo, state=State.FAILED, model_version="bundled", options=OPTIONS)
    assert caption_requests.first_sentences(session, photo.id, OPTIONS) == []


def test_a_sentence_remembered_for_somebody_is_not_known_to_others(session: Session):
    caption = make_caption(session, text="my cat Tom", remembered_from=1)
    assert caption_requests.first_sentences(session, caption.photo_id, {}) == []


# Finding


def test_a_caption_is_found_by_its_public_id(session: Session):
    caption = make_caption(session)
    assert caption_requests.find(session, caption.public_id) == caption
    assert caption_requests.find(session, "x" * 22) is None


def test_the_captions_of_a_message_come_in_the_order_of_the_album(session: Session):
    second = make_caption(session, message="telegram:1/2", position=1)
    first = make_caption(session, message="telegram:1/2", position=0)
    make_caption(session, message="telegram:1/3")
    assert caption_requests.by_message(session, "telegram:1/2") == [first, second]


def test_the_captions_of_a_source_are_itself_and_its_numbered_ones(session: Session):
    names = ["discord:1", "discord:1/1", "discord:1/2", "discord:10", "discord:1-", "discord:1 /1", "discord:1_1"]
    rows = [make_caption(session, source=name) for name in names]
    assert caption_requests.by_source(session, "discord:1") == rows[:3]


def test_a_persons_captions_come_newest_first_page_by_page(session: Session):
    rows = [make_caption(session, person="web:1") for _ in range(5)]
    make_caption(session, person="web:2")
    first = caption_requests.of_person(session, rows[0].person_id, 3)
    assert first == [rows[4], rows[3], rows[2]]
    assert caption_requests.of_person(session, rows[0].person_id, 3, before=first[-1].id) == [rows[1], rows[0]]


def test_a_chain_is_the_same_from_wherever_it_is_asked_for(session: Session):
    first = make_caption(session, text="a dog")
    second = make_caption(session, parent=first, rank=1)
    third = make_caption(session, parent=second, rank=2)
    sibling = make_caption(session, parent=first, rank=3)
    for caption in (first, second, third, sibling):
        assert caption_requests.chain(session, caption) == [first, second, third, sibling]
