"""Fine-tunes the current model on feedback: corrections, preferences and votes, beside original training data.

    captionbot finetune --feedback data/exports/feedback --replay flickr8k/

The encoder is frozen. A run folder holds `recipe.json`, `curves.csv`, `curves.png` and the model folder
`candidate`; nothing in it shows what a person wrote or sent.
"""

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.caption_text import decoding_rules
from model.errors import BadData, CaptionbotError, DamagedModel
from model.model_folder import StoredModel, load_model, save_model
from model.pytorch.decoders import Decoder
from model.vocabulary import Vocabulary
from training.captioning.setup import Echo
from training.data import Dataset, Example
from training.features.decode import decode, load_decoder, words_of
from training.features.encoder_weights import load_encoder
from training.features.feature_cache import FeatureCache, cache_key, compute_features
from training.features.feature_sources import CachedGrids, Grids
from training.feedback.batches import feedback_by_photo
from training.feedback.dataset import Feedback, Rated
from training.feedback.plausibility import plausible
from training.feedback.recipe import FeedbackRecipe
from training.feedback.train_loop import Replay, train_on_feedback
from training.runs import distributed
from training.runs.atomic_file import replacing
from training.runs.run_folder import CANDIDATE, RECIPE, write_curves

CARD = """\
# A captionbot model, fine-tuned on people's feedback

It is model {parent}, fine-tuned on {votes} votes and {corrections} corrections of {photos} photos, whose senders
agreed. What it must not be used for, and the terms of what it was trained on, are those of that model. The report in
the folder of its run says how much better or worse it is.
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
    feedback_features: Path | None = None,
    echo: Echo = print,
) -> Path:
    """Fine-tune in the run folder `out`.

    Args:
        features: folder in which features of replayed photos are cached for the next time.
        feedback_features: folder with cached features of people's photos from this encoder; None: they are not cached.

    Returns:
        The candidate's model folder.

    Raises:
        TooLittleFeedback: nothing is stored then.
        BadData: the feedback or the replayed data set cannot be used.
        DamagedModel: the current model has no encoder.
    """
    _check(recipe, feedback, replay)
    stored = load_model(current)
    if stored.encoder is None:
        raise DamagedModel(f"{current} has no encoder, so features of people's photos cannot be computed")
    device = distributed.setup(recipe.device)
    encoder = load_encoder(stored.config.encoder, str(current))
    decoder = load_decoder(stored, device)

    def features_of(dataset: Dataset, examples: Sequence[Example], folder: Path) -> tuple[list[Example], Grids]:
        unreadable = compute_features(dataset, examples, encoder, folder, device=device.type)
        for reason in unreadable.values():
            echo(f"left out: {reason}")
        return [one for one in examples if one.id not in unreadable], CachedGrids(FeatureCache(folder), device)

    with tempfile.TemporaryDirectory() as folder:
        photos, grids = features_of(
            feedback.photos, feedback.examples(feedback.train), feedback_features or Path(folder) / "features"
        )
        if not photos:
            raise BadData("none of the photos with feedback can be read; export again")
        rated = _filter_corrections(feedback.train, photos, decoder, stored.vocabulary, grids, recipe, echo)
        original = Replay([], grids, stored.vocabulary)
        if recipe.replayed:
            cache, count = features / cache_key(stored.config.encoder, encoder), recipe.steps * recipe.replayed
            originals, kept = features_of(replay, _replay_sample(replay, min(count, recipe.replay_photos)), cache)
            if recipe.replay == "current":
                originals = _with_own_captions(decoder, stored, kept, originals)
            original = Replay(originals, kept, stored.vocabulary)
        by_photo = feedback_by_photo(rated, photos, stored.vocabulary)
        echo(f"learning from {len(rated):,} sentences about {len(by_photo):,} photos")
        curves = train_on_feedback(recipe, decoder, by_photo, grids, original)
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / RECIPE) as partial:
        partial.write_text(json.dumps(recipe.to_json(), indent=2) + "\n")
    write_curves(out, [{"phase": "feedback"} | row for row in curves])
    counts = {"corrections": sum(len(one.corrections) for one in rated), "votes": sum(one.votes for one in rated)}
    _save(out / CANDIDATE, stored, decoder, recipe, {"photos": len(by_photo), "export": feedback.hash} | counts)
    return out / CANDIDATE


def _check(recipe: FeedbackRecipe, feedback: Feedback, replay: Dataset) -> None:
    count = sum(len(one.corrections) for one in feedback.train)
    if count < recipe.min_corrections:
        raise TooLittleFeedback(
            f"there are {count} accepted corrections to learn from; with fewer than {recipe.min_corrections} "
            "training would not help, so nothing was stored"
        )
    if recipe.replayed and not replay.split("train"):
        raise BadData(f"{replay.report.source} has no training photos to replay")


def _replay_sample(dataset: Dataset, count: int) -> list[Example]:
    """Training photos with the lowest hashes of their ids: the same ones each time, so that cached features serve."""
    return sorted(dataset.split("train"), key=lambda example: hashlib.sha256(example.id.encode()).digest())[:count]


def _with_own_captions(
    decoder: Decoder, stored: StoredModel, grids: Grids, examples: Sequence[Example]
) -> list[Example]:
    """These photos with the model's own captions in place of people's."""
    found = decode(decoder, grids, examples, decoding_rules(stored.config, stored.vocabulary), beams=1)
    captions = words_of(found, stored.vocabulary)
    return [dataclasses.replace(example, captions=(tuple(captions[example.id]),)) for example in examples]


def _filter_corrections(
    rated: Sequence[Rated],
    photos: Sequence[Example],
    decoder: Decoder,
    vocabulary: Vocabulary,
    grids: Grids,
    recipe: FeedbackRecipe,
    echo: Echo,
) -> list[Rated]:
    """Feedback about readable photos, without corrections that fit other photos as well as their own."""
    by_id = {example.id: example for example in photos}
    rated = [one for one in rated if one.photo in by_id]
    written = [(by_id[one.photo], words) for one in rated for words in one.corrections]
    fits = iter(plausible(decoder, vocabulary, grids, written, recipe.max_words).tolist())
    kept = [
        dataclasses.replace(one, corrections=tuple(words for words in one.corrections if next(fits))) for one in rated
    ]
    if dropped := len(written) - sum(len(one.corrections) for one in kept):
        echo(f"left out: {dropped} corrections that fit other photos as well as their own")
    return kept


def _save(folder: Path, stored: StoredModel, decoder: Decoder, recipe: FeedbackRecipe, counts: dict[str, Any]) -> None:
    """Write the candidate. Confidence and 8-bit ranges are the current model's, because the encoder has not changed."""
    weights = {
        name: value.cpu().numpy().astype(stored.decoder[name].dtype) for name, value in decoder.state_dict().items()
    }
    metrics = {"training": {"phase": "feedback", "from": stored.version, "learnt": counts, "recipe": recipe.to_json()}}
    card = CARD.format(parent=stored.version, **counts)
    parts = (stored.config, stored.vocabulary, stored.encoder, weights, metrics, card)
    save_model(folder, *parts, confidence=stored.confidence, quantization=stored.quantization)
