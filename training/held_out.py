"""What two models make of feedback that neither was trained on: held-out photos and people."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.checkpoint import load_model
from model.decoders import Decoder, build_decoder
from model.errors import BadData
from model.sentences import decoding_rules
from model.vocabulary import Vocabulary
from training import parallel
from training.data import Example
from training.decode import decode, words_of
from training.encoder_weights import load_encoder
from training.features import Features, compute_features, key_of
from training.feedback import Feedback, Rated, Words
from training.grids import CachedGrids, Grids, ahead, batches
from training.metrics.bootstrap import Comparison, compare, resample
from training.metrics.cider import CiderD
from training.objectives import as_tensor
from training.preferences import log_probs

BATCH = 32  # photos
MAX_WORDS = 40  # longer sentences are cut
RESAMPLES = 1000


@dataclass(frozen=True)
class Heard:
    """What one model makes of the held-out feedback, sentence by sentence."""

    corrections: np.ndarray  # mean log-probability of a word of each correction
    cider: np.ndarray  # of its caption of each corrected photo, against the corrections
    shown: np.ndarray  # mean log-probability of a word of each sentence that was voted on
    again: np.ndarray  # whether it says each disliked sentence, 1 or 0


@dataclass(frozen=True)
class HeldOut:
    """Two models on the same held-out feedback. The comparisons are None where there is nothing to compare."""

    counts: dict[str, int]  # corrections, votes, disliked sentences
    corrections: Comparison | None  # candidate less current: how likely a word of a correction is, in nats
    cider: Comparison | None
    thumbs: Comparison | None  # the same of sentences that were voted on; of those voted down, the other way round
    again: tuple[float, float] | None  # share of disliked sentences that the current model says, and the candidate

    def to_json(self) -> dict[str, Any]:
        compared = {name: getattr(self, name) for name in ("corrections", "cider", "thumbs")}
        told = {name: one and one._asdict() for name, one in compared.items()}
        return {"counts": self.counts, **told, "again": self.again and list(self.again)}


def compare_held_out(
    current: Path, candidate: Path, feedback: Feedback, common: Sequence[Sequence[Words]], *, beams: int = 3
) -> HeldOut:
    """common: captions of many photos, by which CIDEr tells rare words from common ones."""
    if not feedback.held_out:
        return HeldOut({"corrections": 0, "votes": 0, "disliked": 0}, None, None, None, None)
    with tempfile.TemporaryDirectory() as cache:  # the features of people's photos are not kept
        before, after = (_hear(folder, feedback, common, beams, Path(cache)) for folder in (current, candidate))
    votes = np.array([one.up - one.down for one in _voted(feedback)])
    counts = {"corrections": len(before.corrections), "votes": sum(one.votes for one in _voted(feedback))}
    return HeldOut(
        counts | {"disliked": len(before.again)},
        _compare(after.corrections, before.corrections),
        _compare(after.cider, before.cider),
        _compare(votes * after.shown, votes * before.shown),
        (float(before.again.mean()), float(after.again.mean())) if len(before.again) else None,
    )


def _compare(after: np.ndarray, before: np.ndarray) -> Comparison | None:
    return compare(after, before, resample(len(after), RESAMPLES, 0)) if len(after) else None


def _voted(feedback: Feedback) -> list[Rated]:
    return [one for one in feedback.held_out if one.up != one.down]


def _hear(folder: Path, feedback: Feedback, common: Sequence[Sequence[Words]], beams: int, cache: Path) -> Heard:
    """cache: where features are shared by models that have the same encoder, as a candidate and its origin have."""
    stored, device = load_model(folder), parallel.begin("auto")
    decoder = build_decoder(stored.config).to(device).eval()
    decoder.load_state_dict({name: torch.from_numpy(value).float() for name, value in stored.decoder.items()})
    encoder = load_encoder(stored.config.encoder, str(folder))
    photos, features = feedback.examples(feedback.held_out), cache / key_of(stored.config.encoder, encoder)
    broken = compute_features(feedback.photos, photos, encoder, features, device=device.type)
    if broken:
        raise BadData(f"{len(broken)} held-out photos cannot be read: {next(iter(broken.values()))}")
    grids = CachedGrids(Features(features), device)
    rules = decoding_rules(stored.config, stored.vocabulary)
    said = words_of(decode(decoder, grids, photos, rules, beams=beams), stored.vocabulary)
    likely = _likelihoods(decoder, stored.vocabulary, grids, photos, feedback.held_out)
    written: dict[str, list[Words]] = {}
    for one in feedback.held_out:
        written.setdefault(one.photo, []).extend(one.corrections)
    references = {photo: lines for photo, lines in written.items() if lines}
    metric = CiderD.from_references([*common, *references.values()])
    for photo, lines in references.items():
        metric.add(photo, lines)
    voted = _voted(feedback)
    return Heard(
        corrections=np.array([likely[photo, words] for photo, lines in references.items() for words in lines]),
        cider=metric.scores(references, [said[photo] for photo in references]),
        shown=np.array([likely[one.photo, one.words] for one in voted]),
        again=np.array([tuple(said[one.photo]) == one.words for one in voted if one.up < one.down], float),
    )


@torch.inference_mode()
def _likelihoods(
    decoder: Decoder, vocabulary: Vocabulary, grids: Grids, photos: Sequence[Example], rated: Sequence[Rated]
) -> dict[tuple[str, Words], float]:
    """Photo and sentence -> mean log-probability of its words and its end."""
    sentences: dict[str, dict[Words, None]] = {example.id: {} for example in photos}
    for one in rated:
        sentences[one.photo].update(dict.fromkeys((one.words, *one.corrections)))
    found: dict[tuple[str, Words], float] = {}
    for part, grid in ahead(grids, batches(photos, BATCH, None), None):
        lines = [[*sentences[example.id]] for example in part]
        encoded = [[vocabulary.encode(words) for words in sentence] for sentence in lines]
        given, wanted = (tokens.to(grid.device) for tokens in as_tensor(encoded, MAX_WORDS))
        total, count = log_probs(decoder, grid, given, wanted)
        means = (total / count.clamp(min=1)).cpu().tolist()
        for example, theirs, row in zip(part, lines, means, strict=True):
            found |= {(example.id, words): mean for words, mean in zip(theirs, row, strict=False)}
    return found
