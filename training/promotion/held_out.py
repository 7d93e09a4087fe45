"""Compares two models on held-out feedback: on photos and people that neither was trained on."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.caption_text import decoding_rules
from model.errors import BadData
from model.model_folder import load_model
from model.pytorch.decoders import Decoder
from model.vocabulary import Vocabulary
from training.captioning.losses import as_tensor
from training.data import Example
from training.features.decode import decode, load_decoder, words_of
from training.features.encoder_weights import load_encoder
from training.features.feature_cache import FeatureCache, cache_key, compute_features
from training.features.feature_sources import CachedGrids, Grids, batches, prefetch
from training.feedback.dataset import Feedback, Rated, Words
from training.feedback.losses import log_probs
from training.metrics.bootstrap import Comparison, compare, resample
from training.metrics.cider import CiderD
from training.runs import distributed

BATCH = 32  # photos
MAX_WORDS = 40  # longer sentences are cut
RESAMPLES = 1000


@dataclass(frozen=True)
class HeldOutScores:
    """Scores of one model on the held-out feedback, one for each sentence."""

    corrections: np.ndarray  # mean log-probability of a word of each correction
    cider: np.ndarray  # CIDEr of its caption of each corrected photo, with the corrections as references
    voted: np.ndarray  # mean log-probability of a word of each caption with votes
    repeated: np.ndarray  # 1 for each disliked caption that the model still gives, else 0


@dataclass(frozen=True)
class HeldOut:
    """Candidate minus current model on the same held-out feedback. None where there is nothing to compare."""

    counts: dict[str, int]  # corrections, votes, disliked captions
    corrections: Comparison | None  # of the log-probability of a word of a correction, in nats
    cider: Comparison | None
    thumbs: Comparison | None  # of the log-probability of a word of a caption with votes, times its net votes
    repeated: tuple[float, float] | None  # share of disliked captions that the current model gives, and the candidate

    def to_json(self) -> dict[str, Any]:
        compared = {name: getattr(self, name) for name in ("corrections", "cider", "thumbs")}
        comparisons = {name: one and one._asdict() for name, one in compared.items()}
        return {"counts": self.counts, **comparisons, "again": self.repeated and list(self.repeated)}


def compare_held_out(
    current: Path, candidate: Path, feedback: Feedback, common: Sequence[Sequence[Words]], *, beams: int = 3
) -> HeldOut:
    """Compare two model folders on held-out feedback.

    Args:
        common: captions of many photos, from which CIDEr computes the IDF.

    Raises:
        BadData: a held-out photo cannot be read.
        DamagedModel: a folder is not a whole model folder.
    """
    if not feedback.held_out:
        return HeldOut({"corrections": 0, "votes": 0, "disliked": 0}, None, None, None, None)
    with tempfile.TemporaryDirectory() as cache:  # features of users' photos are not kept
        before, after = (_score_model(folder, feedback, common, beams, Path(cache)) for folder in (current, candidate))
    votes = np.array([one.up - one.down for one in _voted(feedback)])
    counts = {"corrections": len(before.corrections), "votes": sum(one.votes for one in _voted(feedback))}
    return HeldOut(
        counts | {"disliked": len(before.repeated)},
        _compare(after.corrections, before.corrections),
        _compare(after.cider, before.cider),
        _compare(votes * after.voted, votes * before.voted),
        (float(before.repeated.mean()), float(after.repeated.mean())) if len(before.repeated) else None,
    )


def _compare(after: np.ndarray, before: np.ndarray) -> Comparison | None:
    return compare(after, before, resample(len(after), RESAMPLES, 0)) if len(after) else None


def _voted(feedback: Feedback) -> list[Rated]:
    return [one for one in feedback.held_out if one.up != one.down]


def _score_model(
    folder: Path, feedback: Feedback, common: Sequence[Sequence[Words]], beams: int, cache: Path
) -> HeldOutScores:
    """Score a model. cache: folder of features, shared by models that have the same encoder."""
    stored, device = load_model(folder), distributed.setup("auto")
    decoder = load_decoder(stored, device).eval()
    encoder = load_encoder(stored.config.encoder, str(folder))
    photos, features = feedback.examples(feedback.held_out), cache / cache_key(stored.config.encoder, encoder)
    unreadable = compute_features(feedback.photos, photos, encoder, features, device=device.type)
    if unreadable:
        raise BadData(f"{len(unreadable)} held-out photos cannot be read: {next(iter(unreadable.values()))}")
    grids = CachedGrids(FeatureCache(features), device)
    rules = decoding_rules(stored.config, stored.vocabulary)
    captions = words_of(decode(decoder, grids, photos, rules, beams=beams), stored.vocabulary)
    log_probabilities = _log_probabilities(decoder, stored.vocabulary, grids, photos, feedback.held_out)
    corrections: dict[str, list[Words]] = {}
    for one in feedback.held_out:
        corrections.setdefault(one.photo, []).extend(one.corrections)
    references = {photo: lines for photo, lines in corrections.items() if lines}
    metric = CiderD.from_references([*common, *references.values()])
    for photo, lines in references.items():
        metric.add(photo, lines)
    voted = _voted(feedback)
    return HeldOutScores(
        corrections=np.array(
            [log_probabilities[photo, words] for photo, lines in references.items() for words in lines]
        ),
        cider=metric.scores(references, [captions[photo] for photo in references]),
        voted=np.array([log_probabilities[one.photo, one.words] for one in voted]),
        repeated=np.array([tuple(captions[one.photo]) == one.words for one in voted if one.up < one.down], float),
    )


@torch.inference_mode()
def _log_probabilities(
    decoder: Decoder, vocabulary: Vocabulary, grids: Grids, photos: Sequence[Example], rated: Sequence[Rated]
) -> dict[tuple[str, Words], float]:
    """Map (photo, sentence) to the mean log-probability of the sentence's words and END."""
    sentences: dict[str, dict[Words, None]] = {example.id: {} for example in photos}
    for one in rated:
        sentences[one.photo].update(dict.fromkeys((one.words, *one.corrections)))
    found: dict[tuple[str, Words], float] = {}
    for part, grid in prefetch(grids, batches(photos, BATCH, None), None):
        lines = [[*sentences[example.id]] for example in part]
        encoded = [[vocabulary.encode(words) for words in sentence] for sentence in lines]
        inputs, targets = (tokens.to(grid.device) for tokens in as_tensor(encoded, MAX_WORDS))
        total, count = log_probs(decoder, grid, inputs, targets)
        means = (total / count.clamp(min=1)).cpu().tolist()
        for example, theirs, row in zip(part, lines, means, strict=True):
            found |= {(example.id, words): mean for words, mean in zip(theirs, row, strict=False)}
    return found
