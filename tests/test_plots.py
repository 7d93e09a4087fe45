"""Plots of curves and calibration."""

import subprocess
import sys

import pytest
from PIL import Image

from training.runs.plots import plot_curves, plot_reliability

FIRST = [
    {"phase": "cross_entropy", "epoch": n, "loss": 5 - n, "val_loss": 4 - n, "cider": n / 9, "bleu_4": n / 20}
    for n in (1, 2, 3)
]
SECOND = [{**row, "phase": "self_critical", "reward": row["epoch"] / 5} for row in FIRST]


def width(path) -> int:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return picture.width


def test_curves_have_a_panel_for_each_figure(tmp_path):
    plot_curves(FIRST, tmp_path / "first.png")
    plot_curves(FIRST + SECOND, tmp_path / "both.png")
    assert width(tmp_path / "both.png") == pytest.approx(width(tmp_path / "first.png") * 4 / 3, abs=2)


def test_curves_of_a_single_epoch_can_be_drawn(tmp_path):
    plot_curves(FIRST[:1], tmp_path / "curves.png")
    assert width(tmp_path / "curves.png") > 500


def test_the_loss_of_self_critical_training_is_not_drawn(tmp_path):
    plot_curves(FIRST + SECOND, tmp_path / "a.png")
    plot_curves(FIRST + [row | {"loss": -1000} for row in SECOND], tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_picture_is_replaced_and_nothing_else_is_left(tmp_path):
    for rows in (FIRST[:1], FIRST):
        plot_curves(rows, tmp_path / "curves.png")
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_reliability_is_drawn_for_any_bins(tmp_path):
    plot_reliability([(0.1, 0.0, 5), (0.5, 0.6, 50), (0.95, 1.0, 1)], tmp_path / "reliability.png", title="A model")
    assert width(tmp_path / "reliability.png") > 300


def test_matplotlib_is_imported_only_to_draw():
    code = "import training.runs.plots, sys; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
