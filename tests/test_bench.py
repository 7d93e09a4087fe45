from pathlib import Path

import pytest

from model.bench import bench

ROOT = Path(__file__).resolve().parent.parent


def test_an_engine_is_timed_alone_and_as_a_whole():
    model = ROOT / "models/bundled"
    if not model.is_dir():
        pytest.skip("the bundled model is not in this checkout")
    few = {"photos": 2, "batch": 2, "beams": 1, "turn": 0.0}
    (speed,) = bench(model, [ROOT / "samples/cat.jpg"], **few, contestants=[("openvino", "f32")])
    assert (speed.engine, speed.precision) == ("openvino", "f32")
    assert min(speed.encoder, speed.whole, speed.share, speed.cold_start) > 0


def test_an_engine_that_is_not_installed_is_left_out():
    assert list(bench(ROOT, [], photos=1, batch=1, beams=1, contestants=[("no_such_engine", "auto")])) == []
