from datetime import timedelta

import pytest
from factories import make_caption, make_vote
from prometheus_client.parser import text_string_to_metric_families
from web_client import *  # noqa: F403

from bots.metrics import Metrics
from db import workers
from db.engine import reading
from db.tables import State, now


@pytest.fixture
def metrics(engine):
    return Metrics(reading(engine), settle=timedelta(0))


class Figures:
    """figures("captionbot_votes_total", model="v1"): the sum over all series with these labels, None without any."""

    def __init__(self, metrics):
        families = text_string_to_metric_families(metrics.text().decode())
        self._samples = [sample for family in families for sample in family.samples]

    def __call__(self, name, **labels):
        found = [
            sample.value for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None


def done(session, **columns):
    return make_caption(
        session, text="a dog", worker="w", milliseconds=120.0, encode_milliseconds=90.0, batch_size=3, **columns
    )


def test_captions_are_counted_by_model_front_end_and_state(metrics, sessions):
    with sessions.begin() as session:
        done(session)
        done(session, front_end="telegram", model_version="v2")
        make_caption(session, state=State.FAILED, finished_at=now(), error="It did not work.")
    counted = Figures(metrics)
    assert counted("captionbot_captions_total", model="bundled", front_end="web", state="done") == 1
    assert counted("captionbot_captions_total", model="v2", front_end="telegram", state="done") == 1
    assert counted("captionbot_captions_total", model="none", front_end="web", state="failed") == 1


def test_a_second_look_counts_nothing_twice(metrics, sessions):
    with sessions.begin() as session:
        done(session)
    metrics.text()
    with sessions.begin() as session:
        done(session)
    assert Figures(metrics)("captionbot_captions_total", model="bundled", front_end="web", state="done") == 2


def test_what_is_removed_later_stays_counted(metrics, sessions):
    with sessions.begin() as session:
        caption = done(session)
    metrics.text()
    with sessions.begin() as session:
        session.delete(session.merge(caption))
    assert Figures(metrics)("captionbot_captions_total", model="bundled", front_end="web", state="done") == 1


def test_batches_and_time_in_encoder_and_search_are_histograms(metrics, sessions):
    with sessions.begin() as session:
        done(session)
    counted = Figures(metrics)
    assert counted("captionbot_batch_size_sum", model="bundled") == 3
    assert counted("captionbot_encode_seconds_sum", model="bundled") == pytest.approx(0.09)
    assert counted("captionbot_decode_seconds_sum", model="bundled") == pytest.approx(0.03)
    assert counted("captionbot_encode_seconds_bucket", le="0.05") == 0
    assert counted("captionbot_encode_seconds_bucket", le="0.1") == 1


def test_a_sentence_that_was_known_is_a_cache_hit_and_no_work(metrics, sessions):
    with sessions.begin() as session:
        make_caption(session, text="a dog")
    counted = Figures(metrics)
    assert counted("captionbot_cache_hits_total", model="bundled") == 1
    assert counted("captionbot_batch_size_sum") is None


def test_thumbs_are_counted_by_model(metrics, sessions):
    with sessions.begin() as session:
        caption = done(session)
        make_vote(session, caption, 1)
        make_vote(session, caption, -1)
        make_vote(session, caption, -1)
    counted = Figures(metrics)
    assert counted("captionbot_votes_total", model="bundled", thumb="up") == 1
    assert counted("captionbot_votes_total", model="bundled", thumb="down") == 2


def test_the_queue_has_a_depth_and_an_age(metrics, sessions):
    with sessions.begin() as session:
        make_caption(session, created_at=now() - timedelta(seconds=90))
        make_caption(session)
    counted = Figures(metrics)
    assert counted("captionbot_queue_depth") == 2
    assert 90 <= counted("captionbot_queue_oldest_seconds") < 100


def test_workers_are_counted_by_the_model_they_hold(metrics, sessions):
    with sessions.begin() as session:
        workers.beat(session, "a", "openvino", ["v1"])
        workers.beat(session, "b", "openvino", ["v1", "v2"])
    counted = Figures(metrics)
    assert counted("captionbot_workers", model="v1", engine="openvino") == 2
    assert counted("captionbot_workers", model="v2", engine="openvino") == 1
    with sessions.begin() as session:
        workers.leave(session, "b")
    assert Figures(metrics)("captionbot_workers", model="v2") is None


def test_without_the_database_the_last_figures_stand(metrics, sessions, engine, tmp_path):
    with sessions.begin() as session:
        done(session)
    assert Figures(metrics)("captionbot_database_up") == 1
    engine.dispose()
    (tmp_path / "captionbot.db").write_bytes(b"no database any more" * 1000)
    counted = Figures(metrics)
    assert counted("captionbot_database_up") == 0
    assert counted("captionbot_captions_total", model="bundled", front_end="web", state="done") == 1


def test_metrics_are_served_as_prometheus_wants_them(client, worker, queued):
    client.send_photo()
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "captionbot_queue_depth 1.0" in answer.text
