"""The worker's pipeline: from a queued row to its caption."""

import numpy as np
import pytest

from db.caption_options import CaptionOptions
from db.captions import NONE_LEFT
from db.model_registry import ServedModel, Serving, uses_canary
from db.tables import Caption, State
from tests.support.factories import make_caption, make_photo
from tests.support.pipeline_bench import Bench
from tests.support.worker_parts import jpeg, queue_photos, rows_of
from worker.inference import attention_maps


def test_a_photo_gets_its_sentence_and_all_that_is_known_of_it(bench, store):
    [row] = queue_photos(bench.sessions, store, 1)
    bench.handle(row)
    done = bench.row(row)
    assert (done.state, done.error, done.attempts, done.worker) == (State.DONE, None, 0, "here")
    assert done.text == f"{' '.join(done.words).capitalize()}."
    assert len(done.alternatives) == 2
    assert 0 <= done.confidence <= 1
    assert (done.batch_size, done.model_version) == (1, bench.models.versions[0])
    assert done.milliseconds > 0
    assert done.finished_at >= done.started_at
    assert done.attention["rows"] == done.attention["columns"] == 2
    assert [len(grid) for grid in done.attention["maps"]] == [4] * len(done.words)
    assert all(max(grid) == 255 and min(grid) >= 0 for grid in done.attention["maps"])


def test_photos_that_come_together_are_all_captioned_and_their_front_end_is_woken(bench, store):
    rows = queue_photos(bench.sessions, store, 20)
    bench.handle(*rows)
    assert {row.state for row in rows_of(bench.sessions)} == {State.DONE}
    assert max(row.batch_size for row in rows_of(bench.sessions)) <= 4
    assert sorted(bench.woken) == rows


def test_the_same_photo_gets_the_same_sentence_in_any_batch(bench, sessions, store, captioner):
    data = jpeg(3)
    with sessions.begin() as session:
        photo = make_photo(session, store, data)
        alone, together = (make_caption(session, photo=photo).id for _ in range(2))
    others = queue_photos(sessions, store, 3)
    bench.handle(alone)
    bench.handle(together, *others)
    assert bench.row(alone).words == bench.row(together).words


def test_a_message_that_comes_twice_makes_one_caption(bench, store):
    [row] = queue_photos(bench.sessions, store, 1)
    bench.handle(row, row)
    first = bench.row(row).finished_at
    bench.handle(row)
    assert bench.row(row).finished_at == first
    assert bench.woken == [row]


def test_a_message_without_a_row_is_harmless(bench):
    bench.handle(12345)
    assert bench.woken == []


def test_another_one_is_a_sentence_that_was_not_shown_yet(bench, sessions, store):
    [parent] = queue_photos(sessions, store, 1)
    bench.handle(parent)
    for rank in (1, 2, 3, 4):
        with sessions.begin() as session:
            photo = session.get_one(Caption, parent).photo
            parent = make_caption(session, "web:someone", photo=photo, parent_id=parent, rank=rank).id
        bench.handle(parent)
    said = [tuple(row.words) for row in rows_of(sessions)]
    assert len(set(said)) == 5


def test_another_one_that_would_repeat_a_sentence_says_that_there_is_none_left(bench, sessions, store, monkeypatch):
    [first] = queue_photos(sessions, store, 1, options=CaptionOptions(beams=1))
    bench.handle(first)
    monkeypatch.setattr("worker.photo_reader.MAX_BEAMS", 1)  # the search finds the first sentence alone
    with sessions.begin() as session:
        row = session.get_one(Caption, first)
        again = make_caption(session, photo=row.photo, parent_id=first, rank=1, options=row.options).id
    bench.handle(again)
    assert (bench.row(again).state, bench.row(again).error) == (State.FAILED, NONE_LEFT)


@pytest.mark.parametrize(("length", "most"), [("short", 8), ("long", 20)])
def test_a_sentence_is_as_long_as_was_asked(bench, store, length, most):
    rows = queue_photos(bench.sessions, store, 3, options=CaptionOptions(length=length))
    bench.handle(*rows)
    assert {row.state for row in rows_of(bench.sessions)} == {State.DONE}
    assert all(len(row.words) <= most for row in rows_of(bench.sessions))


def test_jobs_of_different_kinds_do_not_share_a_batch(bench, sessions, store):
    rows = queue_photos(sessions, store, 4, options=CaptionOptions(beams=1)) + queue_photos(
        sessions, store, 4, options=CaptionOptions()
    )
    bench.handle(*rows)
    assert {row.state for row in rows_of(sessions)} == {State.DONE}
    assert {len(row.alternatives) for row in rows_of(sessions) if row.options.beams} == {0}
    assert {len(row.alternatives) for row in rows_of(sessions) if not row.options.beams} == {2}


def test_a_canary_captions_for_its_share_of_the_chats(sessions, store, captioner):
    serving = Serving(ServedModel("v1", "one"), ServedModel("v2", "two"), 50)
    bench = Bench(sessions, store, captioner, serving)
    chats = [f"telegram:{number}" for number in range(12)]
    rows = [queue_photos(sessions, store, 1, chat=chat)[0] for chat in chats]
    bench.handle(*rows)
    for row, chat in zip(rows, chats, strict=True):
        assert bench.row(row).model_version == ("v2" if uses_canary(chat, 50) else "v1")
    bench.pipeline.close(90)


def test_attention_is_kept_in_whole_numbers_by_the_strongest_region_of_a_word():
    attention = np.array([[[0.5, 0.25], [0.25, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert attention_maps(attention) == {"rows": 2, "columns": 2, "maps": [[255, 128, 128, 0], [0, 0, 0, 0]]}


def test_log_messages_about_a_caption_carry_its_id(bench, sessions, store, caplog):
    caplog.set_level("INFO", logger="worker.pipeline")
    rows = queue_photos(sessions, store, 2)
    with sessions.begin() as session:
        missing = make_caption(session).id
    bench.handle(missing, *rows)
    about = {record.caption: record.getMessage() for record in caplog.records if hasattr(record, "caption")}
    assert set(about) == {missing, *rows}
    assert "not in the store" in about[missing]
    assert about[rows[0]].startswith(f"caption {rows[0]}: model ")
