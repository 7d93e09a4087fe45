"""Plots as PNG files: curves of a run, reliability diagrams, and comparisons of two models."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training.metrics.bootstrap import Comparison
from training.runs.atomic_file import replacing

if TYPE_CHECKING:  # matplotlib takes half a second to import, and training must run without it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = {  # title -> columns of curves.csv and their labels
    "loss a word": {"loss": "training, labels smoothed", "val_loss": "validation"},
    "CIDEr": {"cider": "validation"},
    "BLEU-4": {"bleu_4": "validation"},
    "reward, training": {"reward": "of samples"},
    # of fine-tuning; see train_loop.py
    "replay": {"replay": "divergence a word"},
    "feedback": {name: name for name in ("corrections", "preference", "thumbs")},
    # of distillation; validated on held-out photos
    "error, all stages weighted": {"error": "training", "val_error": "validation"},
    "error a stage, validation": {
        name: name.replace("_", " ") for name in ("stem", *(f"stage_{n}" for n in range(1, 5)))
    },
    "pooled features": {"cosine": "cosine to the teacher's, validation"},
}
COLOURS = ("#1f5fa8", "#d1662b", "#3a8f4d", "#8a56a8", "#7a6a5a")


def plot_curves(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Plot the rows of curves.csv, a panel for each metric in them; phases after the first one are shaded.

    The loss of self-critical training is left out: it only serves to compute gradients, and is near 0 for any model.

    Raises:
        ImportError: matplotlib is not installed.
    """
    panels = {title: lines for title, lines in PANELS.items() if any(name in row for row in rows for name in lines)}
    figure = _figure(4.2 * len(panels), 3.4)
    axes_of = dict(zip(panels, np.ravel(figure.subplots(1, len(panels))), strict=True))
    for title, axes in axes_of.items():
        lines = panels[title]
        for (name, label), colour in zip(lines.items(), COLOURS, strict=False):
            points = [
                (number, row[name])
                for number, row in enumerate(rows, 1)
                if name in row and not (name == "loss" and row["phase"] == "self_critical")
            ]
            axes.plot(*zip(*points, strict=True), color=colour, label=label, marker="o", markersize=3)
        unit = "epoch" if "epoch" in rows[0] else "tens of steps" if rows[0]["phase"] == "feedback" else "validation"
        axes.set(title=title, xlabel=unit, xlim=(0.5, max(2, len(rows)) + 0.5))
        axes.xaxis.get_major_locator().set_params(integer=True)
        _mark_phases(axes, rows)
        axes.legend(frameon=False)
    _save(figure, path)


def plot_reliability(bins: Sequence[tuple[float, float, int]], path: Path, *, title: str = "Calibration") -> None:
    """Plot a reliability diagram (Niculescu-Mizil and Caruana 2005), with 95 % intervals (Wilson 1927).

    Args:
        bins: mean confidence, share of good captions, number of captions, as from `calibration.reliability`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    confidence, observed, count = (np.array(column, float) for column in zip(*bins, strict=True))
    error = float((count * np.abs(confidence - observed)).sum() / count.sum())
    low, high = _wilson(observed, count)
    figure = _figure(4.4, 4.4)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1, label="perfect")
    bars = np.maximum(0, [observed - low, high - observed])
    axes.errorbar(
        confidence, observed, yerr=bars, color=COLOURS[0], marker="o", markersize=5, capsize=2, label="measured"
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="confidence", ylabel="share of good captions")
    axes.set_title(f"{title}\n{count.sum():,.0f} captions, calibration error {error:.3f}", fontsize=10)
    axes.legend(frameon=False, loc="upper left")
    _save(figure, path)


def plot_differences(compared: Mapping[str, Comparison], path: Path) -> None:
    """Differences between two models with 95 % intervals; right of the line the second one is better."""
    figure = _figure(6.0, 0.8 + 0.32 * len(compared))
    figure.subplots_adjust(left=0.22)
    axes = figure.subplots()
    axes.axvline(0, color="0.6", linestyle="--", linewidth=1)
    for row, (title, (difference, low, high, _)) in enumerate(compared.items()):
        bars = [[max(0.0, difference - low)], [max(0.0, high - difference)]]
        axes.errorbar([difference], [row], xerr=bars, color=COLOURS[0], marker="o", markersize=5, capsize=2)
        axes.text(-0.02, row, title, transform=axes.get_yaxis_transform(), ha="right", va="center")
    axes.set(ylim=(len(compared) - 0.5, -0.5), yticks=[], title="candidate less current model")
    _save(figure, path)


def plot_lengths(lengths: Sequence[Sequence[int]], path: Path) -> None:
    """Histogram of the number of words in captions of the current model and of the candidate."""
    figure = _figure(6.0, 2.6)
    axes = figure.subplots()
    most = max(map(max, lengths))
    for words, label, colour in zip(lengths, ("current", "candidate"), COLOURS, strict=False):
        axes.step(range(most + 2), np.bincount(words, minlength=most + 2), where="mid", color=colour, label=label)
    axes.set(title="captions by their number of words")
    axes.legend(frameon=False)
    _save(figure, path)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # not pyplot, which looks for a display

    figure = Figure(figsize=(width, height), dpi=120)
    # Fixed space for labels, in inches. Automatic layouts take twice as long.
    figure.subplots_adjust(0.6 / width, 0.5 / height, 1 - 0.15 / width, 1 - 0.45 / height, wspace=0.24)
    return figure


def _save(figure: "Figure", path: Path) -> None:
    """Write the file whole, so that a viewer never sees half a picture."""
    for axes in figure.axes:
        axes.grid(color="0.9", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as partial:
        figure.savefig(partial, format="png")


def _mark_phases(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    """Shade all phases but the first, and label them."""
    begin = 0.5
    for number, (phase, part) in enumerate(groupby(rows, key=lambda row: row["phase"])):
        end = begin + len(list(part))
        if number:
            axes.axvspan(begin, end, color="0.94", zorder=0)
            name = phase.replace("_", "-")
            axes.text(end, 0.02, f"{name} ", transform=axes.get_xaxis_transform(), ha="right", color="0.45", fontsize=8)
        begin = end


def _wilson(share: np.ndarray, count: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """95 % score interval of shares (Wilson 1927), which has a width at 0 and 1 too."""
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return middle - half, middle + half
