"""Statistics of captions, votes and corrections by model and front-end."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from db import model_registry
from db.approval import Approval
from db.statistics import statistics
from db.tables import Caption, State, now
from tests.support.factories import make_caption, make_correction, make_model, make_vote


def made(session: Session, model: str = "v1", **columns: Any) -> Caption:
    """A caption that a worker made."""
    return make_caption(
        session, **{"text": "a dog", "model_version": model, "worker": "w1", "milliseconds": 9.0} | columns
    )


def test_without_captions_there_are_no_lines(session: Session):
    assert statistics(session).lines == ()
    assert "Since the beginning" in str(statistics(session))


def test_captions_votes_and_corrections_are_counted_by_model_and_front_end(session: Session):
    rated = made(session, front_end="telegram")
    make_vote(session, rated, 1)
    make_vote(session, rated, 1)
    make_vote(session, rated, -1)
    make_correction(session, rated)
    made(session, front_end="telegram", worker=None)  # it was known
    made(session, front_end="telegram", state=State.FAILED)
    made(session, model="v2", front_end="telegram")
    first, second = statistics(session).lines
    assert (first.model, first.front_end) == ("v1", "telegram")
    assert (first.captions, first.known, first.failed, first.corrections) == (2, 1, 1, 1)
    assert first.approval == Approval(up=2, down=1)
    assert (second.model, second.captions, second.approval) == ("v2", 1, Approval())


def test_several_front_ends_of_a_model_are_added_up(session: Session):
    for front_end, value in (("web", 1), ("web", -1), ("discord", 1)):
        make_vote(session, made(session, front_end=front_end), value)
    web, discord, together = statistics(session).lines
    assert [line.front_end for line in (web, discord, together)] == ["web", "discord", "all"]
    assert (together.captions, together.approval) == (3, Approval(up=2, down=1))


def test_only_captions_since_a_time_are_counted(session: Session):
    made(session, created_at=now() - timedelta(days=2))
    recent = made(session, model="v2")
    make_vote(session, recent)
    (line,) = statistics(session, since=now() - timedelta(days=1)).lines
    assert (line.model, line.captions, line.approval.up) == ("v2", 1, 1)


def test_speeds_are_those_of_captions_that_a_worker_made(session: Session):
    at = now()
    for seconds in range(1, 21):
        made(session, created_at=at - timedelta(seconds=seconds), finished_at=at, milliseconds=10.0 * seconds)
    made(session, created_at=at - timedelta(hours=1), finished_at=at, worker=None)
    (line,) = statistics(session).lines
    assert line.speed == pytest.approx((10.0, 19.0, 100.0), abs=0.01)


def test_what_waits_is_in_no_line_and_what_no_model_made_comes_last(session: Session):
    make_caption(session, state=State.FAILED)
    make_caption(session)
    made(session)
    assert [(line.model, line.captions, line.failed) for line in statistics(session).lines] == [
        ("v1", 1, 0),
        (None, 0, 1),
    ]


def test_versions_are_compared_with_the_one_before(session: Session):
    for model, up, down in (("v1", 1, 30), ("v2", 30, 1), ("v3", 29, 2)):
        caption = made(session, model)
        for number in range(up + down):
            make_vote(session, caption, 1 if number < up else -1)
    first, second = statistics(session).comparisons
    assert (first.older, first.newer, first.needed) == ("v1", "v2", 0)
    assert second.needed is not None
    assert second.needed > 100
    assert "v1 and v2: the difference is real" in str(statistics(session))


def test_the_table_shows_approval_with_its_interval(session: Session):
    for value in (1,) * 8 + (-1,) * 2:
        make_vote(session, made(session), value)
    table = str(statistics(session)).splitlines()
    assert table[2].split()[:3] == ["model", "front-end", "captions"]
    assert table[3].split()[:2] + table[3].split()[6:9] == ["v1", "web", "10", "80%", "49-94"]


def test_what_was_done_to_the_registry_is_shown(session: Session):
    make_model(session, "v1")
    model_registry.promote(session, "v1", by="telegram:7")
    figures = statistics(session)
    assert [event.kind for event in figures.events] == ["promoted"]
    assert str(figures).endswith("promoted v1 by telegram:7")
