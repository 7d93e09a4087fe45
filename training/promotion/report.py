"""The judge's report: a self-contained HTML file with findings, metrics, plots, and photos whose captions changed."""

import base64
import inspect
import io
import tempfile
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from model.preprocessing import read_photo
from training.data import Dataset
from training.feedback.dataset import read_feedback
from training.metrics.bootstrap import Comparison
from training.metrics.scores import TITLES
from training.promotion.judge import JudgeResult, judge
from training.runs.plots import plot_differences, plot_lengths

REPORT = "report.html"
SHOWN = 12  # photos with a better caption, and as many with a worse one
SIDE = 160  # pixels

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Candidate {candidate}: {verdict}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
  table {{ border-collapse: collapse; width: 100% }}
  td, th {{ padding: .3rem .6rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top }}
  td.number {{ text-align: right; font-variant-numeric: tabular-nums }}
  .good {{ color: #1b7837 }} .bad {{ color: #b2182b }}
  figure {{ margin: 1rem 0 }} img {{ max-width: 100% }}
  ul.photos {{ list-style: none; padding: 0 }}
  ul.photos li {{ display: flex; gap: 1rem; padding: .6rem 0; border-bottom: 1px solid #ddd }}
  ul.photos img {{ width: {side}px; height: {side}px; flex: none }}
  ul.photos p {{ margin: 0 }} small {{ color: #666 }}
</style>
<h1>Candidate {candidate}: <span class="{kind}">{verdict}</span></h1>
<p>Compared with the current model {current}.</p>
<h2>What was looked at</h2>
<table>{findings}</table>
<h2>Validation photos</h2>
<p>The candidate less the current model, on {photos:,} photos; 95 % intervals by paired bootstrap.</p>
<table><tr><th>metric</th><th>current</th><th>candidate</th><th>difference</th><th>95 %</th></tr>{metrics}</table>
{plots}
<h2>Where they differ</h2>
<p>{differing:,} of {photos:,} captions are others now. First those that gained most CIDEr:</p>
<ul class="photos">{better}</ul>
<p>And those that lost most:</p>
<ul class="photos">{worse}</ul>
<p><small>{signatures}</small></p>
</html>
"""


def judge_and_report(
    current: Path, candidate: Path, dataset: Dataset, feedback: Path, *, out: Path | None, **options: Any
) -> None:
    """Judge a candidate, print the findings, and write judgement.json and report.html. options: those of `judge`."""
    result = judge(current, candidate, dataset, read_feedback(feedback), **options)
    for finding in result.judgement.findings:
        print(f"{'+' if finding.good else '-'} {finding.what}: {finding.told}")
    print(f"{result.judgement.candidate} {'may' if result.judgement.passed else 'may not'} be promoted")
    folder = out or candidate.parent
    print(f"The report is {write_report(result, folder)}")
    result.judgement.save(folder)


def write_report(result: JudgeResult, folder: Path) -> Path:
    """Write report.html into a folder, which is created if needed. Returns its path."""
    judgement = result.judgement
    change = result.candidate.scores.per_photo["cider"] - result.current.scores.per_photo["cider"]
    examples = result.current.examples
    other = [n for n, example in enumerate(examples) if _captions(result, n)[0] != _captions(result, n)[1]]
    order = sorted(other, key=lambda n: -change[n])
    lengths = [[len(one.words(example.id)) for example in examples] for one in (result.current, result.candidate)]
    texts = {
        "candidate": judgement.candidate,
        "current": judgement.current,
        "verdict": "passed" if judgement.passed else "refused",
        "kind": "good" if judgement.passed else "bad",
    }
    page = PAGE.format(
        **{name: escape(text) for name, text in texts.items()},
        side=SIDE,
        findings="".join(
            f'<tr><td class="{"good" if one.good else "bad"}">{"✓" if one.good else "✗"}</td>'
            f"<td>{escape(one.what)}</td><td>{escape(one.told)}</td></tr>"
            for one in judgement.findings
        ),
        photos=len(examples),
        metrics="".join(_metric(result, name, one) for name, one in result.compared.items()),
        plots=_figure(plot_differences, {TITLES[name]: one for name, one in result.compared.items()})
        + _figure(plot_lengths, lengths),
        differing=len(other),
        better="".join(_photo(result, n, change[n]) for n in order[:SHOWN] if change[n] > 0),
        worse="".join(_photo(result, n, change[n]) for n in order[::-1][:SHOWN] if change[n] < 0),
        signatures="<br>".join(escape(one.signature) for one in (result.current, result.candidate)),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REPORT
    path.write_text(page, encoding="utf-8")
    return path


def _captions(result: JudgeResult, number: int) -> tuple[str, str]:
    """The captions of a photo by the current model and by the candidate."""
    photo = result.current.examples[number].id
    return " ".join(result.current.words(photo)), " ".join(result.candidate.words(photo))


def _metric(result: JudgeResult, name: str, one: Comparison) -> str:
    before, after = result.current.scores[name], result.candidate.scores[name]
    figures = (f"{before:.3f}", f"{after:.3f}", f"{one.difference:+.3f}", f"{one.low:+.3f} to {one.high:+.3f}")
    cells = "".join(f'<td class="number">{figure}</td>' for figure in figures)
    return f"<tr><td>{TITLES[name]}</td>{cells}</tr>"


def _photo(result: JudgeResult, number: int, change: float) -> str:
    """A list item with a photo, both captions and the references."""
    evaluation = result.current
    example = evaluation.examples[number]
    before, after = (escape(text) for text in _captions(result, number))
    references = "<br>".join(escape(" ".join(reference)) for reference in example.captions)
    photo = read_photo(evaluation.dataset.photo_bytes(example), size=evaluation.stored.config.photo_size)
    buffer = io.BytesIO()
    Image.fromarray(photo).resize((SIDE, SIDE)).save(buffer, "JPEG", quality=80)
    return (
        f'<li><img alt="" src="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
        f"<p><b>{after}</b> ({change:+.2f})<br>before: {before}<br><small>{references}</small></p></li>"
    )


def _figure(plot: Callable[[Any, Path], None], values: object) -> str:
    """A plot as HTML; empty if matplotlib is not installed."""
    with tempfile.TemporaryDirectory() as folder, suppress(ModuleNotFoundError):
        path = Path(folder) / "plot.png"
        plot(values, path)
        content = base64.b64encode(path.read_bytes()).decode()
        return (
            f'<figure><img alt="{escape(inspect.getdoc(plot) or "")}" src="data:image/png;base64,{content}"></figure>'
        )
    return ""
