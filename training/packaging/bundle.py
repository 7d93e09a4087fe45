"""Makes a trained run ready to serve: 8-bit ranges, calibrated confidence, figures, model card.

    captionbot bundle runs/attention/self_critical --data flickr8k --out models/bundled

Everything is measured with the engine and the precision that serve, on each data set by itself: CIDEr depends on which
words are rare in the set. The confidence is fitted on all validation photos; its own figures come from tenfold
cross-validation.
"""

import dataclasses
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from model.captioner import Captioner, Precision
from model.confidence import Confidence, caption_features
from model.errors import BadData
from model.hypotheses import Hypothesis
from model.model_folder import StoredModel, load_model, save_model
from model.openvino.quantization import fingerprint
from model.photo_statistics import photo_statistics
from model.preprocessing import read_photo
from training.data import Dataset, Example
from training.evaluation.gender_age_errors import gender_age_errors
from training.metrics.cider import cider
from training.metrics.scores import Scores, score
from training.metrics.signature import signature
from training.metrics.tokenizer import VERSION
from training.packaging.calibration import area_under_roc, calibration_error, fit_confidence, fit_logistic, reliability
from training.packaging.card_facts import drawn_examples, inventions, training_data
from training.packaging.model_card import CURVES, RELIABILITY, model_card
from training.packaging.quantize import calibration_photos, quantize
from training.packaging.rare_words import favour_rare_words
from training.runs.plots import plot_reliability

# A caption is good from this CIDEr-D on. Three in four reference captions reach it against the other four of their
# photo (Flickr8k, dev).
GOOD_CIDER = 0.33
FOLDS = 10


def bundle(
    run: Path,
    dataset: Dataset,
    out: Path,
    *,
    notes: str = "",
    beams: int = 3,
    length_penalty: float | None = None,
    rare_words: float = 0.0,
    meteor: bool = True,
) -> dict[str, Any]:
    """Write the model folder `out` from a run's best model.

    Args:
        notes: Markdown for the card: where the encoder comes from, what was tried.
        length_penalty: other than the run's.
        rare_words: how much rare words are favoured, see `favour_rare_words`.
        meteor: measure METEOR too, whose Java program takes several seconds for each of the figures.

    Returns:
        The metrics.

    Raises:
        BadData, DamagedModel: the data set or the model cannot be read.
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
    said = (caption for example in dataset.split("train") for caption in example.captions)
    decoder = favour_rare_words(stored.decoder, stored.vocabulary, said, rare_words)
    weights = {name: value.astype(np.float16) if value.ndim > 1 else value for name, value in decoder.items()}
    encoder, ranges = stored.encoder, stored.quantization  # a decoder that learnt on 8-bit features has them
    if ranges is None:
        encoder, measured = quantize(encoder, stored.config.encoder, training_photos)
        ranges = measured.to_json()
    stored = dataclasses.replace(stored, encoder=encoder, decoder=weights, quantization=ranges)

    photos = [read_photo(dataset.photo_bytes(example)) for example in examples]
    served = _caption(stored, photos, "auto", beams)
    float32 = _caption(stored, photos, "f32", beams)
    references = [example.captions for example in examples]
    captions = [_words(stored, found) for found in served]
    rows_of_sets = _rows_of_sets(examples)
    scores = np.empty(len(examples))
    for rows in rows_of_sets.values():
        scores[rows] = cider([captions[row] for row in rows], [references[row] for row in rows])
    good = scores >= GOOD_CIDER
    features = [caption_features(found) for found in served]
    confidence = fit_confidence(features, good, np.stack(training_photos))
    held_out = _cross_validated_confidence(features, good, examples)

    first, *others = [
        {
            "data_set": name,
            "validation": _scores(stored, served, examples, rows, meteor).to_json(),
            "validation_float32": _scores(stored, float32, examples, rows, meteor).to_json(),
        }
        for name, rows in rows_of_sets.items()
    ]
    metrics = {
        "beams": beams,
        "rare_words": rare_words,
        "signature": signature("val", len(examples), beams, VERSION, _hash(stored), dataset.hash),
        **first,
        "other_data_sets": others,
        "confidence": _confidence_metrics(confidence, held_out, good, photos),
        "guesses": gender_age_errors(captions, references),
        "inventions": inventions(captions, references),
        "examples": drawn_examples(examples, captions, scores),
        "training_data": training_data(dataset.split("train"), stored.metrics),
        "training": stored.metrics,
    }
    stored_confidence = confidence.to_json() | {
        "good_means": f"CIDEr-D of at least {GOOD_CIDER} against the photo's references"
    }
    parts = (stored.config, stored.vocabulary, stored.encoder, stored.decoder, metrics)
    with tempfile.TemporaryDirectory() as folder:
        plot_reliability(reliability(held_out, good), Path(folder) / RELIABILITY)
        pictures = {RELIABILITY: (Path(folder) / RELIABILITY).read_bytes()}
    if (curves := run.parent / CURVES).is_file():
        pictures[CURVES] = curves.read_bytes()
    card = model_card(stored.config, metrics, notes, curves=CURVES in pictures)
    save_model(out, *parts, card, confidence=stored_confidence, quantization=ranges, pictures=pictures)
    return metrics


def _caption(
    stored: StoredModel, photos: Sequence[np.ndarray], precision: Precision, beams: int
) -> list[list[Hypothesis]]:
    """Captions by the OpenVINO engine at this precision, two hypotheses for each photo."""
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
    """A hash of the weights alone; the model folder's version also covers the figures."""
    assert stored.encoder is not None
    return fingerprint(dict(stored.encoder) | {f"decoder.{name}": value for name, value in stored.decoder.items()})[:12]


def _words(stored: StoredModel, found: list[Hypothesis]) -> list[str]:
    return stored.vocabulary.decode(found[0].tokens)


def _rows_of_sets(examples: Sequence[Example]) -> dict[str, list[int]]:
    """Name of each data set -> the rows of its examples."""
    rows: dict[str, list[int]] = {}
    for row, example in enumerate(examples):
        rows.setdefault(example.dataset, []).append(row)
    return rows


def _scores(
    stored: StoredModel,
    found: list[list[Hypothesis]],
    examples: Sequence[Example],
    rows: Sequence[int],
    meteor: bool,
) -> Scores:
    """The scores of the examples in these rows."""
    captions = {examples[row].id: _words(stored, found[row]) for row in rows}
    return score(captions, {examples[row].id: examples[row].captions for row in rows}, meteor=meteor)


def _cross_validated_confidence(
    features: Sequence[dict[str, float]], good: np.ndarray, examples: Sequence[Example]
) -> np.ndarray:
    """The confidence of each caption by a fit on the other folds; a photo's fold is the hash of its id."""
    folds = np.array([int(hashlib.sha256(example.id.encode()).hexdigest()[:8], 16) % FOLDS for example in examples])
    held_out = np.empty(len(examples))
    for fold in np.unique(folds):
        known = [feature for feature, other in zip(features, folds != fold, strict=True) if other]
        fitted = fit_logistic(known, good[folds != fold])
        held_out[folds == fold] = [fitted(f) for f, mine in zip(features, folds == fold, strict=True) if mine]
    return held_out


def _confidence_metrics(
    confidence: Confidence, held_out: np.ndarray, good: np.ndarray, photos: Sequence[np.ndarray]
) -> dict[str, float]:
    """Calibration and discrimination of the confidence, and the shares of photos that are hedged and refused.

    Args:
        held_out: cross-validated confidence of each caption.
        good: whether each caption is good.
    """
    photo_probability = np.array([confidence.photo(photo_statistics(photo)) for photo in photos])
    refused = photo_probability < confidence.refuse_below
    hedged = ~refused & (held_out < confidence.hedge_below)
    return {
        "good_from_cider": GOOD_CIDER,
        "photos": len(good),
        "folds": FOLDS,
        "good": float(good.mean()),
        "calibration_error": calibration_error(held_out, good),
        "area_under_roc": area_under_roc(held_out, good),
        "hedged": float(hedged.mean()),
        "refused": float(refused.mean()),
        "good_when_hedged": float(good[hedged].mean()) if hedged.any() else float("nan"),
    }
