"""docs/grafana.json: a dashboard that Grafana accepts, for metrics that captionbot has."""

import json
import re
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families

from db import workers
from tests.support.processes import until
from tests.support.prometheus_server import PrometheusServer

pytestmark = pytest.mark.database("sqlite")

FILE = Path(__file__).resolve().parent.parent / "docs/grafana.json"
DASHBOARD = json.loads(FILE.read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def metrics_in(queries: list[str]) -> set[str]:
    return {name for query in queries for name in re.findall(r"captionbot_\w+", query)}


@pytest.fixture
def beat(sessions):
    """beat(): a worker lives."""

    def beat() -> None:
        with sessions.begin() as session:
            workers.beat(session, "w", "openvino", ["bundled"])

    return beat


@pytest.fixture
def used(client, service, worker, queued, beat):
    """A running site on which a photo was described, described again, and voted for."""
    metrics = client.get("/metrics").text
    assert "captionbot_queue_depth" in metrics
    id = client.send_photo().json()["id"]
    worker.caption(queued[0], milliseconds=12.5, encode_milliseconds=9.0)
    client.put(f"/api/captions/{id}/vote", json={"value": 1})
    service.feedback.correct(id, person=service.captions.get(id, person=None).sender, text="A dog runs on a beach.")
    client.send_photo(client.get(f"/api/captions/{id}/photo").content)  # known: answered with the correction
    beat()
    return client


def exposed(client) -> set[str]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {sample.name for family in families for sample in family.samples}


def lost(before: object, after: object, path: str = "") -> list[str]:
    """What of a JSON value is missing, or differs, in another one."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [one for key, value in before.items() for one in lost(value, after.get(key), f"{path}/{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [one for index, value in enumerate(before) for one in lost(value, after[index], f"{path}/{index}")]
    return [] if before == after else [path]


def read_by_grafanas_schema(dashboard: dict) -> dict:
    register_default_plugins()
    return json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))


def test_grafanas_own_schema_knows_every_field():
    assert lost(DASHBOARD, read_by_grafanas_schema(DASHBOARD)) == []


def test_a_field_that_grafana_does_not_know_would_be_noticed():
    wrong = json.loads(FILE.read_text())
    wrong["panels"][0]["gridPosition"] = wrong["panels"][0].pop("gridPos")
    assert lost(wrong, read_by_grafanas_schema(wrong)) == ["/panels/0/gridPosition"]


def test_panels_do_not_overlap_and_say_what_they_show():
    covered = []
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        x, y, width, height = (panel["gridPos"][name] for name in "xywh")
        assert x + width <= 24
        covered += [(column, row) for column in range(x, x + width) for row in range(y, y + height)]
    assert len(covered) == len(set(covered))


def test_every_metric_that_is_queried_exists_and_none_is_left_out(used):
    until(lambda: "captionbot_cache_hits_total" in exposed(used))
    existing = exposed(used)
    assert metrics_in(QUERIES) - existing == set()
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in existing if not name.endswith("_created")}
    assert families == {re.sub(r"_(bucket|count|sum)$", "", name) for name in metrics_in(QUERIES)}


def test_a_real_prometheus_answers_every_query(used, beat, tmp_path):
    prometheus = PrometheusServer(tmp_path, used.base_url.netloc.decode())
    unanswered = [query.replace("$__rate_interval", "1m") for query in QUERIES]

    def all_answered() -> bool:
        beat()
        unanswered[:] = [query for query in unanswered if not prometheus.query(query)]
        return not unanswered

    try:
        until(all_answered, why=lambda: f"no answer to {unanswered}")
    finally:
        prometheus.stop()
