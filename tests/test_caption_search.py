"""Search over the captions of a person: what is found, in which order, and that nothing deleted stays in the index."""

import pytest
from sqlalchemy import select, text, update

from db import caption_search, corrections, erasure
from db.caption_requests import CaptionRequest, create
from db.engine import checkpoint
from db.tables import Caption
from tests.support.factories import make_caption, make_correction, make_person, make_photo

ANN, ZOE = "web:ann", "web:zoe"


@pytest.fixture
def found(sessions):
    """found("dog"): the sentences of Ann's captions that a search finds."""

    def search(query, person=ANN, limit=24, before=None):
        with sessions() as session:
            owner = make_person(session, person)
            ids = caption_search.find(session, owner.id, query, limit, before)
            return [session.get(Caption, id).text for id in ids]

    return search


@pytest.fixture
def captions(sessions):
    """captions("A dog.", "A cat."): captions of Ann. Returns their row ids."""

    def make(*sentences, person=ANN):
        with sessions.begin() as session:
            return [make_caption(session, person, text=sentence).id for sentence in sentences]

    return make


def test_each_word_is_the_beginning_of_one_in_the_caption(captions, found):
    captions("Two dogs on a beach.", "A dog in the snow.", "Could be: a cat on a beach.")
    assert found("dog") == ["A dog in the snow.", "Two dogs on a beach."]  # newest first
    assert found("DOGS") == ["Two dogs on a beach."]
    assert found("be do") == ["Two dogs on a beach."]
    assert found("ogs") == []
    assert found("dog cat") == []


@pytest.mark.parametrize("query", ["", "  ", "!?", '"', "'", "\\", "-", "*", ":*", "&", "\x00", "😀"])
def test_a_query_without_a_word_finds_nothing(captions, found, query):
    captions("A dog.")
    assert found(query) == []


@pytest.mark.parametrize(
    "query", ['dog"', "dog'", "dog*", "dog:*", "dog & !snow", "(dog", "words:dog", "dog OR cat", "dog\x00", "a" * 5000]
)
def test_what_a_database_takes_for_an_operator_is_no_error(captions, found, query):
    captions("A dog.")
    assert found(query) in (["A dog."], [])


def test_accents_and_case_do_not_matter_in_any_alphabet(captions, found):
    captions("Ein Hündchen läuft über die Straße.", "Собака бежит по снегу.")
    assert found("hundchen") == found("HÜNDCHEN") == found("Hu\u0308ndchen") == ["Ein Hündchen läuft über die Straße."]
    assert found("straße") == ["Ein Hündchen läuft über die Straße."]
    assert found("собака СНЕГ") == ["Собака бежит по снегу."]


def test_pages_go_on_where_the_last_one_ended(captions, found):
    rows = captions(*(f"Dog number {number}." for number in range(5)))
    assert found("dog", limit=2) == ["Dog number 4.", "Dog number 3."]
    assert found("dog", limit=2, before=rows[3]) == ["Dog number 2.", "Dog number 1."]


def test_nobody_finds_anothers(captions, found):
    captions("A dog.", person=ZOE)
    assert found("dog") == []
    assert found("dog", person=ZOE) == ["A dog."]
    assert found(f"p{1}") == []  # the word by which SQLite's index knows a person


def test_what_a_person_wrote_is_found_instead_of_what_they_wrote_before(sessions, captions, found):
    (row,) = captions("A dog.")
    with sessions.begin() as session:
        make_correction(session, session.get(Caption, row), "a fox in the snow", ANN)
    assert found("fox") == found("dog") == ["A dog."]
    with sessions.begin() as session:
        corrections.correct(session, row, make_person(session, ANN).id, "a wolf")
    assert found("fox") == []
    assert found("wolf dog") == ["A dog."]


def test_what_others_wrote_is_not_found(sessions, captions, found):
    (row,) = captions("A dog.")
    with sessions.begin() as session:
        make_correction(session, session.get(Caption, row), "a fox in the snow", ZOE)
    assert found("fox") == []
    assert found("fox", person=ZOE) == []


def test_a_caption_is_found_when_it_is_done_or_repeats_another(sessions, captions, found):
    (row,) = captions("A dog.")
    with sessions.begin() as session:
        waiting = make_caption(session, ANN).id
        known = session.get(Caption, row)
        request = CaptionRequest(sender=ANN, front_end="web")
        create(session, request, make_photo(session), make_person(session, ANN), known=known)
    assert found("dog") == ["A dog.", "A dog."]
    with sessions.begin() as session:
        session.execute(update(Caption).where(Caption.id == waiting).values(text="A second dog."))
    assert found("second") == ["A second dog."]


def test_a_caption_that_gets_another_owner_is_theirs_alone(sessions, captions, found):
    (row,) = captions("A dog.")
    with sessions.begin() as session:
        session.get(Caption, row).person = make_person(session, ZOE)
    assert found("dog") == []
    assert found("dog", person=ZOE) == ["A dog."]


def test_deleted_captions_are_not_found_and_leave_nothing_in_the_index(sessions, engine, captions, found, store):
    first, _ = captions("An aardvark.", "A zebra.")
    with sessions.begin() as session:
        erasure.delete_captions(session, [first])
    assert found("aardvark") == []
    assert found("zebra") == ["A zebra."]
    erasure.forget(sessions, store, ANN)
    with sessions() as session:
        assert session.scalar(select(text("count(*)")).select_from(text("caption_search"))) == 0


@pytest.mark.database("sqlite")
def test_fts5_keeps_no_deleted_word_in_its_files(sessions, engine, captions, tmp_path, service):
    def is_on_disk(word: bytes) -> bool:
        assert checkpoint(engine)
        return word in (tmp_path / "test.db").read_bytes()

    removed, corrected, _ = captions("An aardvark.", "A dog.", "A zebra.")
    with sessions.begin() as session:
        make_correction(session, session.get(Caption, corrected), "A pangolin.", ANN)
        corrections.correct(session, corrected, make_person(session, ANN).id, "A wolverine.")
        erasure.delete_captions(session, [removed])
    assert is_on_disk(b"wolverine")
    service.maintenance().clear()
    assert [is_on_disk(word) for word in (b"ardvark", b"angolin", b"olverine", b"ebra")] == [False, False, True, True]


@pytest.mark.database("sqlite")
def test_forgetting_cleans_the_index_at_once(sessions, engine, captions, tmp_path, store):
    captions("An aardvark.")
    captions("A zebra.", person=ZOE)
    erasure.forget(sessions, store, ANN)
    assert b"ardvark" not in (tmp_path / "test.db").read_bytes()
    assert not any(b"ardvark" in path.read_bytes() for path in tmp_path.glob("test.db*"))
