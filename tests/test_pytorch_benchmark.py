"""The table of the PyTorch benchmark."""

import re
from pathlib import Path

import pytest
from PIL import Image

from model.benchmarks.torch_benchmark import HEADINGS, bench_torch
from model.model_folder import save_model
from tests.support.random_models import random_model, random_photos


@pytest.fixture
def model(tmp_path: Path) -> Path:
    stored, _, _ = random_model()
    save_model(tmp_path / "model", stored.config, stored.vocabulary, stored.encoder, stored.decoder, {}, "A card.")
    return tmp_path / "model"


def test_the_table_has_a_line_for_each_batch_and_width_and_the_agreement(model, tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path, photo in zip(paths, random_photos(3), strict=True):
        Image.fromarray(photo).save(path)
    lines = list(bench_torch(model, paths, device="cpu", photos=2, largest=2, widths=(2,)))
    assert "encoder in f32" in lines[0]
    assert "GFLOP" in lines[2]
    table = lines[lines.index(HEADINGS) + 1 : -1]
    assert [line.split()[:2] for line in table] == [["1", "2"], ["2", "2"]]
    for line in table:
        rates = [float(line.split()[column]) for column in (2, 4, 6)]
        assert min(rates) > 0
    assert re.match(r"agreement: 2 of 2 captions", lines[-1])
