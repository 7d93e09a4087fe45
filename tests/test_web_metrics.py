"""/metrics for Prometheus."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bots.web.metrics import Metrics
from db import workers
from db.engine import reading
from db.tables import State, now
from tests.support.factories import make_caption, make_vote

pytestmark = pytest.mark.database("sqlite")


@pytest.fixture
def metrics(engine):
    return Metrics(reading(engine), settle=timedelta(0))


class Samples:
    """samples("captionbot_votes_total", model="v1"): the sum of all series with these labels; None without any."""

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
    samples = Samples(metrics)
    assert samples("captionbot_captions_total", model="bundled", front_end="web", state="done") == 1
    assert samples("captionbot_captions_total", model="v2", front_end="telegram", state="done") == 1
    assert samples("captionbot_captions_total", model="none", front_end="web", state="failed") == 1


def test_a_second_scrape_counts_nothing_twice(metrics, sessions):
    with sessions.begin() as session:
        done(session)
    metrics.text()
    with sessions.begin() as session:
        done(session)
    assert Samples(metrics)("captionbot_captions_total", model="bundled", front_end="web", state="done") == 2


def test_captions_that_are_deleted_later_stay_samples(metrics, sessions):
    with sessions.begin() as session:
        caption = done(session)
    metrics.text()
    with sessions.begin() as session:
        session.delete(session.merge(caption))
    assert Samples(metrics)("captionbot_captions_total", model="bundled", front_end="web", state="done") == 1


def test_batch_sizes_and_encode_and_decode_times_are_histograms(metrics, sessions):
    with sessions.begin() as session:
        done(session)
    samples = Samples(metrics)
    assert samples("captionbot_batch_size_sum", model="bundled") == 3
    assert samples("captionbot_encode_seconds_sum", model="bundled") == pytest.approx(0.09)
    assert samples("captionbot_decode_seconds_sum", model="bundled") == pytest.approx(0.03)
    assert samples("captionbot_encode_seconds_bucket", le="0.05") == 0
    assert samples("captionbot_encode_seconds_bucket", le="0.1") == 1


def test_a_known_sentence_counts_as_a_cache_hit(metrics, sessions):
    with sessions.begin() as session:
        make_caption(session, text="a dog")
    samples = Samples(metrics)
    assert samples("captionbot_cache_hits_total", model="bundled") == 1
    assert samples("captionbot_batch_size_sum") is None


def test_votes_are_counted_by_model(metrics, sessions):
    with sessions.begin() as session:
        caption = done(session)
        make_vote(session, caption, 1)
        make_vote(session, caption, -1)
        make_vote(session, caption, -1)
    samples = Samples(metrics)
    assert samples("captionbot_votes_total", model="bundled", thumb="up") == 1
    assert samples("captionbot_votes_total", model="bundled", thumb="down") == 2


def test_the_queue_has_a_depth_and_an_age(metrics, sessions):
    with sessions.begin() as session:
        make_caption(session, created_at=now() - timedelta(seconds=90))
        make_caption(session)
    samples = Samples(metrics)
    assert samples("captionbot_queue_depth") == 2
    assert 90 <= samples("captionbot_queue_oldest_seconds") < 300


def test_workers_are_counted_by_loaded_model(metrics, sessions):
    with sessions.begin() as session:
        workers.beat(session, "a", "openvino", ["v1"])
        workers.beat(session, "b", "openvino", ["v1", "v2"])
    samples = Samples(metrics)
    assert samples("captionbot_workers", model="v1", engine="openvino") == 2
    assert samples("captionbot_workers", model="v2", engine="openvino") == 1
    with sessions.begin() as session:
        workers.leave(session, "b")
    assert Samples(metrics)("captionbot_workers", model="v2") is None


def test_without_the_database_the_last_metrics_are_served(metrics, sessions, engine, tmp_path):
    with sessions.begin() as session:
        done(session)
    assert Samples(metrics)("captionbot_database_up") == 1
    engine.dispose()
    (tmp_path / "test.db").write_bytes(b"no database any more" * 1000)
    samples = Samples(metrics)
    assert samples("captionbot_database_up") == 0
    assert samples("captionbot_captions_total", model="bundled", front_end="web", state="done") == 1


def test_metrics_are_served_in_the_format_of_prometheus(client, worker, queued):
    client.send_photo()
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "captionbot_queue_depth 1.0" in answer.text
