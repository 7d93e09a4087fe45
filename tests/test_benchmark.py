"""The benchmark of engines on a CPU."""

from pathlib import Path

from model.benchmarks.benchmark import bench

ROOT = Path(__file__).resolve().parent.parent


def test_an_engine_is_timed_alone_and_as_a_whole(bundled):
    few = {"photos": 2, "batch": 2, "beams": 1, "turn": 0.0}
    (speed,) = bench(bundled, [ROOT / "samples/cat.jpg"], **few, contestants=[("openvino", "f32")])
    assert (speed.engine, speed.precision) == ("openvino", "f32")
    assert min(speed.encoder, speed.whole, speed.share, speed.cold_start) > 0


def test_an_engine_that_is_not_installed_is_left_out():
    assert list(bench(ROOT, [], photos=1, batch=1, beams=1, contestants=[("no_such_engine", "auto")])) == []
