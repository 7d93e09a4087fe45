"""Teach the current model what people told us: corrections, preferences and thumbs, beside original training data.

    captionbot finetune --feedback data/exports/feedback --replay flickr8k/

The encoder stays as it is. A run folder holds `recipe.json`, `curves.csv`, `curves.png` and the model folder
`candidate`; nothing in it shows what a person wrote or sent.
"""

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from model.checkpoint import StoredModel, load_model, save_model
from model.decoders import Decoder, build_decoder
from model.errors import BadData, CaptionbotError, DamagedModel
from model.sentences import decoding_rules
from model.vocabulary import Vocabulary
from training import parallel
from training.data import Dataset, Example
from training.decode import decode, words_of
from training.encoder_weights import load_encoder
from training.features import Features, compute_features, key_of
from training.feedback import Feedback, Rated
from training.finetune_recipe import FeedbackRecipe
from training.grids import CachedGrids, Grids
from training.ingredients import Say
from training.judgement import CANDIDATE
from training.lessons import lessons_from
from training.plausibility import plausible
from training.run_state import RECIPE, replacing, write_curves
from training.teach import Replay, teach

CARD = """\
# A captionbot model, taught by people

It began as model {parent} and learnt from {votes} votes and {corrections} corrections of {photos} photos, whose senders
agreed. What it must not be used for, and the terms of what it was trained on, are those of the model it began as.
How much better or worse it is says the judge's report in the folder of its run.
"""


class TooLittleFeedback(CaptionbotError):
    """There are too few corrections to learn from; training would not help."""


def finetune(
    recipe: FeedbackRecipe,
    current: Path,
    feedback: Feedback,
    replay: Dataset,
    out: Path,
    *,
    features: Path = Path("data/features"),
    seen: Path | None = None,
    say: Say = print,
) -> Path:
    """Carry out a recipe in the run folder `out`. Returns the candidate's model folder.

    features: where those of the replayed photos are kept for the next time. seen: where those of people's photos are,
    which must be features of this encoder; None, and nothing of people is kept. Raises TooLittleFeedback, and nothing
    is stored then; BadData, DamagedModel.
    """
    _check(recipe, feedback, replay)
    stored = load_model(current)
    if stored.encoder is None:
        raise DamagedModel(f"{current} has no encoder, so it cannot look at people's photos")
    device = parallel.begin(recipe.device)
    encoder = load_encoder(stored.config.encoder, str(current))
    decoder = build_decoder(stored.config).to(device)
    decoder.load_state_dict({name: torch.from_numpy(value).float() for name, value in stored.decoder.items()})

    def see(dataset: Dataset, examples: Sequence[Example], folder: Path) -> tuple[list[Example], Grids]:
        broken = compute_features(dataset, examples, encoder, folder, device=device.type)
        for reason in broken.values():
            say(f"left out: {reason}")
        return [one for one in examples if one.id not in broken], CachedGrids(Features(folder), device)

    with tempfile.TemporaryDirectory() as folder:
        photos, grids = see(feedback.photos, feedback.examples(feedback.learnt), seen or Path(folder) / "features")
        if not photos:
            raise BadData("none of the photos with feedback can be read; export again")
        rated = _without_strays(feedback.learnt, photos, decoder, stored.vocabulary, grids, recipe, say)
        original = Replay([], grids, stored.vocabulary)
        if recipe.replayed:
            cache, count = features / key_of(stored.config.encoder, encoder), recipe.steps * recipe.replayed
            originals, kept = see(replay, _some(replay, min(count, recipe.replay_photos)), cache)
            if recipe.replay == "current":
                originals = _as_it_says(decoder, stored, kept, originals)
            original = Replay(originals, kept, stored.vocabulary)
        lessons = lessons_from(rated, photos, stored.vocabulary)
        say(f"learning from {len(rated):,} sentences about {len(lessons):,} photos")
        curves = teach(recipe, decoder, lessons, grids, original)
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / RECIPE) as partial:
        partial.write_text(json.dumps(recipe.to_json(), indent=2) + "\n")
    write_curves(out, [{"phase": "feedback"} | row for row in curves])
    told = {"corrections": sum(len(one.corrections) for one in rated), "votes": sum(one.votes for one in rated)}
    _save(out / CANDIDATE, stored, decoder, recipe, {"photos": len(lessons), "export": feedback.hash} | told)
    return out / CANDIDATE


def _check(recipe: FeedbackRecipe, feedback: Feedback, replay: Dataset) -> None:
    count = sum(len(one.corrections) for one in feedback.learnt)
    if count < recipe.min_corrections:
        raise TooLittleFeedback(
            f"there are {count} accepted corrections to learn from; with fewer than {recipe.min_corrections} "
            "training would not help, so nothing was stored"
        )
    if recipe.replayed and not replay.split("train"):
        raise BadData(f"{replay.report.source} has no training photos to replay")


def _some(dataset: Dataset, count: int) -> list[Example]:
    """So many training photos, drawn by the hash of their ids: the same ones each time, whose features are kept."""
    return sorted(dataset.split("train"), key=lambda example: hashlib.sha256(example.id.encode()).digest())[:count]


def _as_it_says(decoder: Decoder, stored: StoredModel, grids: Grids, examples: Sequence[Example]) -> list[Example]:
    """These photos, each with what the model says of it in place of what people wrote."""
    found = decode(decoder, grids, examples, decoding_rules(stored.config, stored.vocabulary), beams=1)
    said = words_of(found, stored.vocabulary)
    return [dataclasses.replace(example, captions=(tuple(said[example.id]),)) for example in examples]


def _without_strays(
    rated: Sequence[Rated],
    photos: Sequence[Example],
    decoder: Decoder,
    vocabulary: Vocabulary,
    grids: Grids,
    recipe: FeedbackRecipe,
    say: Say,
) -> list[Rated]:
    """What people said, without corrections that fit other photos as well as their own, and of readable photos only."""
    by_id = {example.id: example for example in photos}
    rated = [one for one in rated if one.photo in by_id]
    written = [(by_id[one.photo], words) for one in rated for words in one.corrections]
    fits = iter(plausible(decoder, vocabulary, grids, written, recipe.max_words).tolist())
    kept = [
        dataclasses.replace(one, corrections=tuple(words for words in one.corrections if next(fits))) for one in rated
    ]
    if strays := len(written) - sum(len(one.corrections) for one in kept):
        say(f"left out: {strays} corrections that fit other photos as well as their own")
    return kept


def _save(folder: Path, stored: StoredModel, decoder: Decoder, recipe: FeedbackRecipe, learnt: dict[str, Any]) -> None:
    """Write the candidate. Confidence and 8-bit ranges are the current model's: its encoder has not changed."""
    weights = {
        name: value.cpu().numpy().astype(stored.decoder[name].dtype) for name, value in decoder.state_dict().items()
    }
    metrics = {"training": {"phase": "feedback", "from": stored.version, "learnt": learnt, "recipe": recipe.to_json()}}
    card = CARD.format(parent=stored.version, **learnt)
    parts = (stored.config, stored.vocabulary, stored.encoder, weights, metrics, card)
    save_model(folder, *parts, confidence=stored.confidence, quantization=stored.quantization)
