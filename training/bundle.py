"""Make a trained run ready to serve: 8-bit ranges, calibrated confidence, figures, model card.

    captionbot bundle runs/attention/self_critical --data flickr8k --out models/bundled

Everything is measured with the engine and the precision that serve. The confidence that ships is fitted on all
validation photos; what is said of it was measured tenfold, each photo judged by a fit on the other nine tenths.
"""

import dataclasses
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from model.beam_search import Hypothesis
from model.captioner import Captioner, Precision
from model.checkpoint import StoredModel, load_model, save_model
from model.confidence import Confidence, caption_features
from model.errors import BadData
from model.photo_statistics import photo_statistics
from model.photos import read_photo
from model.quantization import fingerprint
from model.sentences import sentence
from training.confidence import area_under_roc, calibration_error, fit_confidence, fit_logistic, reliability
from training.data import Dataset, Example
from training.guesses import judge_guesses
from training.metrics.cider import cider
from training.metrics.scores import Scores, score
from training.metrics.signature import signature
from training.metrics.tokenizer import VERSION
from training.model_card import CURVES, RELIABILITY, model_card
from training.plots import plot_reliability
from training.quantize import calibration_photos, measure_ranges

# CIDEr-D that three in four of people's own captions reach against the other four of their photo (Flickr8k, dev).
GOOD = 0.33
FOLDS = 10
SHOWN_EXAMPLES = 10  # of good captions, and of bad ones


def bundle(
    run: Path, dataset: Dataset, out: Path, *, notes: str = "", beams: int = 3, length_penalty: float | None = None
) -> dict[str, Any]:
    """Write the model folder `out` from a run's best model. Returns its metrics. Raises BadData, DamagedModel.

    notes: Markdown for the card: where the encoder comes from, what was tried. length_penalty: other than the run's.
    """
    stored = load_model(run)
    if length_penalty is not None:
        stored = dataclasses.replace(stored, config=dataclasses.replace(stored.config, length_penalty=length_penalty))
    if stored.encoder is None:
        raise BadData(f"{run} has no encoder to serve with: it was trained on features of a teacher")
    examples = dataset.split("val")
    if len(examples) < 20:
        raise BadData(f"{len(examples)} validation photos are too few to calibrate a model on")
    training_photos = calibration_photos(dataset)
    weights = {name: value.astype(np.float16) if value.ndim > 1 else value for name, value in stored.decoder.items()}
    ranges = measure_ranges(stored.encoder, stored.config.encoder, training_photos).to_json()
    stored = dataclasses.replace(stored, decoder=weights, quantization=ranges)

    photos = [read_photo(dataset.photo_bytes(example)) for example in examples]
    served = _caption(stored, photos, "auto", beams)
    exact = _caption(stored, photos, "f32", beams)
    references = [example.captions for example in examples]
    said = [_words(stored, found) for found in served]
    scores = cider(said, references)
    good = scores >= GOOD
    features = [caption_features(found) for found in served]
    confidence = fit_confidence(features, good, np.stack(training_photos))
    unseen = _unseen_confidence(features, good, examples)

    metrics = {
        "beams": beams,
        "signature": signature("val", len(examples), beams, VERSION, _hash(stored), dataset.hash),
        "validation": _scores(stored, served, examples).to_json(),
        "validation_float32": _scores(stored, exact, examples).to_json(),
        "confidence": _judge(confidence, unseen, good, photos),
        "guesses": judge_guesses(said, references),
        "examples": _examples(examples, said, scores),
        "training": stored.metrics,
    }
    described = confidence.to_json() | {"good_means": f"CIDEr-D of at least {GOOD} against the photo's references"}
    parts = (stored.config, stored.vocabulary, stored.encoder, stored.decoder, metrics)
    with tempfile.TemporaryDirectory() as folder:
        plot_reliability(reliability(unseen, good), Path(folder) / RELIABILITY)
        pictures = {RELIABILITY: (Path(folder) / RELIABILITY).read_bytes()}
    if (curves := run.parent / CURVES).is_file():
        pictures[CURVES] = curves.read_bytes()
    card = model_card(stored.config, metrics, notes, curves=CURVES in pictures)
    save_model(out, *parts, card, confidence=described, quantization=ranges, pictures=pictures)
    return metrics


def _examples(examples: Sequence[Example], said: Sequence[list[str]], scores: np.ndarray) -> dict[str, Any]:
    """From the best quarter and the worst, drawn and not picked."""
    order, draw = np.argsort(scores), np.random.default_rng(0)
    quarter = len(order) // 4
    return {
        name: [
            {
                "photo": examples[at].id,
                "says": sentence(said[at]),
                "person": sentence(examples[at].captions[0]),
                "cider": float(scores[at]),
            }
            for at in sorted(draw.choice(part, min(SHOWN_EXAMPLES, quarter), replace=False), key=lambda at: -scores[at])
        ]
        for name, part in (("good", order[len(order) - quarter :]), ("bad", order[:quarter]))
    }


def _caption(
    stored: StoredModel, photos: Sequence[np.ndarray], precision: Precision, beams: int
) -> list[list[Hypothesis]]:
    """What the OpenVINO engine decodes at this precision, two sentences a photo."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft"
        parts = (stored.config, stored.vocabulary, stored.encoder, stored.decoder, stored.metrics, "A draft.\n")
        save_model(draft, *parts, quantization=stored.quantization)
        captioner = Captioner.load(draft, "openvino", precision=precision)
    found: list[list[Hypothesis]] = []
    for start in tqdm(range(0, len(photos), 16), desc=f"captioning, {precision}", unit="batch", disable=None):
        found += captioner.search(photos[start : start + 16], beams=beams, nbest=min(2, beams))
    return found


def _hash(stored: StoredModel) -> str:
    """Of the weights alone: the model folder's version also covers the figures that are made with it."""
    assert stored.encoder is not None
    return fingerprint(dict(stored.encoder) | {f"decoder.{name}": value for name, value in stored.decoder.items()})[:12]


def _words(stored: StoredModel, found: list[Hypothesis]) -> list[str]:
    return stored.vocabulary.decode(found[0].tokens)


def _scores(stored: StoredModel, found: list[list[Hypothesis]], examples: Sequence[Example]) -> Scores:
    said = {example.id: _words(stored, sentences) for example, sentences in zip(examples, found, strict=True)}
    return score(said, {example.id: example.captions for example in examples})


def _unseen_confidence(
    features: Sequence[dict[str, float]], good: np.ndarray, examples: Sequence[Example]
) -> np.ndarray:
    """The confidence of each caption by a fit on the photos of the other folds; folds by the hash of the photo's id."""
    folds = np.array([int(hashlib.sha256(example.id.encode()).hexdigest()[:8], 16) % FOLDS for example in examples])
    unseen = np.empty(len(examples))
    for fold in np.unique(folds):
        known = [feature for feature, other in zip(features, folds != fold, strict=True) if other]
        fitted = fit_logistic(known, good[folds != fold])
        unseen[folds == fold] = [fitted(f) for f, mine in zip(features, folds == fold, strict=True) if mine]
    return unseen


def _judge(
    confidence: Confidence, unseen: np.ndarray, good: np.ndarray, photos: Sequence[np.ndarray]
) -> dict[str, float]:
    """How well the confidence keeps its word, and what it does to photos."""
    likely = np.array([confidence.photo(photo_statistics(photo)) for photo in photos])
    refused = likely < confidence.refuse_below
    hedged = ~refused & (unseen < confidence.hedge_below)
    return {
        "good_from_cider": GOOD,
        "photos": len(good),
        "folds": FOLDS,
        "good": float(good.mean()),
        "calibration_error": calibration_error(unseen, good),
        "area_under_roc": area_under_roc(unseen, good),
        "hedged": float(hedged.mean()),
        "refused": float(refused.mean()),
        "good_when_hedged": float(good[hedged].mean()) if hedged.any() else float("nan"),
    }
