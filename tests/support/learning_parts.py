"""A model that says "a red circle on a grey wall", and people who would rather hear "there is a red circle on grey".

conftest.py names this file as a plugin: imported into several files, its fixtures would be made anew in each.
"""

import io
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.feedback_export import export
from db.photo_store import PhotoStore
from db.schema import migrate
from tests.support.factories import make_caption, make_correction, make_person, make_photo, make_vote
from tests.support.shapes import COLOURS, SHAPES, draw

BUNDLED = Path(__file__).resolve().parents[2] / "models/bundled"
SAID, WANTED = "a {colour} {shape} on a grey wall", "there is a {colour} {shape} on grey"
WORDINGS = {  # of corrections, by whom
    "web:1": WANTED,
    "web:2": "there is a {colour} {shape} on a wall",
    "web:3": "there is a {colour} {shape}",
    "web:4": "there is a {shape} and it is {colour}",
    "web:5": "there is a {colour} {shape} on a grey wall",
    "web:6": "there is a {shape} in {colour}",
    "web:17": WANTED,
}
HELD_OUT = "web:17"  # always, see db/feedback_records.py
KINDS = list(itertools.product(SHAPES, COLOURS))
STEPS = 250  # of the first training
RECIPE: dict[str, Any] = {
    "steps": 150,  # with 60 the winner of "a" and "there" depended on how the first training began
    "batch": 8,
    "replay_share": 0.5,
    "replay_weight": 0.1,
    "thumbs": 1.0,
    "preference": 1.0,
    "taught": (),  # a model so small has nothing to lose
    "corrections": 3.0,
    "learning_rate": 0.003,
    "warmup": 2,
    "min_corrections": 10,
    "beams": 2,
    "device": "cpu",
}


@dataclass(frozen=True)
class RecordedFeedback:
    """A database with feedback on coloured shapes, and what was exported of it."""

    url: str
    sessions: sessionmaker[Session]
    store: PhotoStore
    folder: Path


@pytest.fixture(scope="session")
def plain_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen training photos with plain captions; eight to validate on, with all kinds."""
    folder = tmp_path_factory.mktemp("plain-data")
    lines = ["photo,caption,split"]
    for number, (shape, colour) in enumerate(KINDS * 3):
        name, split = f"{number}.png", "val" if number < len(KINDS) else "train"
        draw(shape, colour, (64 + number, 48)).save(folder / name)
        kinds = [SAID, *dict.fromkeys(WORDINGS.values())] if split == "val" else [SAID]
        lines += [f"{name},{text.format(shape=shape, colour=colour)},{split}" for text in kinds]
    (folder / "captions.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where features of the plain data are kept, so that they are computed once."""
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="session")
def plain_model(plain_data: Path, features: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder: the bundled model's encoder, and a tiny decoder that learnt the training captions."""
    pytest.importorskip("torch")
    if not BUNDLED.is_dir():
        pytest.skip("the bundled model, whose encoder is needed, is not in this checkout")
    import torch

    from model.config import ModelConfig
    from model.model_folder import save_model
    from model.pytorch.decoders import build_decoder
    from model.vocabulary import Vocabulary
    from training.captioning.losses import as_tensor, cross_entropy
    from training.data import load_dataset
    from training.features.encoder_weights import load_encoder, stored_weights
    from training.features.feature_cache import FeatureCache, cache_key, compute_features

    folder = tmp_path_factory.mktemp("plain-model")
    dataset, encoder = load_dataset(plain_data), load_encoder("resnet50", str(BUNDLED))
    examples, cache = dataset.split("train"), features / cache_key("resnet50", encoder)
    compute_features(dataset, dataset.examples, encoder, cache)
    grid = torch.from_numpy(FeatureCache(cache).batch([example.id for example in examples])).float()
    vocabulary = Vocabulary.build((line for example in dataset.examples for line in example.captions), 1)
    sizes = {"embedding": 24, "hidden": 48, "heads": 4, "dropout": 0.0, "max_words": 10}
    torch.manual_seed(1)
    decoder = build_decoder(ModelConfig(len(vocabulary), "pooled", "resnet50", **sizes))
    captions = [[vocabulary.encode(line) for line in example.captions] for example in examples]
    given, wanted = as_tensor(captions, 10)
    optimiser = torch.optim.Adam(decoder.parameters(), lr=0.003)
    for _ in range(STEPS):
        loss, words = cross_entropy(decoder, grid, given, wanted, 0.0)
        optimiser.zero_grad()
        (loss / words).backward()
        optimiser.step()
    assert loss.item() / words < 0.15
    weights = {name: value.numpy() for name, value in decoder.state_dict().items()}
    save_model(folder / "model", decoder.config, vocabulary, stored_weights(encoder), weights, {}, "For tests.\n")
    return folder / "model"


@pytest.fixture(scope="session")
def recorded_feedback(tmp_path_factory: pytest.TempPathFactory) -> RecordedFeedback:
    """People dislike every plain caption, like every other one, and correct the plain ones."""
    folder = tmp_path_factory.mktemp("feedback")
    url = f"sqlite:///{folder}/captionbot.db"
    engine = create_engine(url)
    migrate(engine)
    sessions, store = sessions_of(engine), PhotoStore(str(folder / "photos"))
    with sessions.begin() as session:
        for number, (shape, colour) in enumerate(KINDS * 3):
            rate(session, store, number, shape, colour)
    exported = export(sessions, store, folder / "exports/feedback")
    engine.dispose()  # the last connection that closes writes the log into the file, which tests copy
    return RecordedFeedback(url, sessions, store, exported.folder)


@pytest.fixture(scope="session")
def finetuned_run(
    plain_model: Path, plain_data: Path, recorded_feedback: RecordedFeedback, features: Path, tmp_path_factory: Any
) -> Path:
    """A run folder: the plain model learnt from what people said."""
    from training.data import load_dataset
    from training.feedback.dataset import read_feedback
    from training.feedback.finetune import finetune
    from training.feedback.recipe import FeedbackRecipe

    folder = tmp_path_factory.mktemp("runs") / "finetuned"
    recipe, feedback = FeedbackRecipe.of(RECIPE), read_feedback(recorded_feedback.folder)
    finetune(recipe, plain_model, feedback, load_dataset(plain_data), folder, features=features)
    return folder


def rate(session: Session, store: PhotoStore, number: int, shape: str, colour: str) -> None:
    """One photo, shown with both kinds of caption. Votes are an hour apart, or they would be taken for a burst."""
    buffer = io.BytesIO()
    draw(shape, colour, (80 + number, 60)).save(buffer, "JPEG", quality=92)
    make_person(session, "web:ann", training_consent=True)
    photo = make_photo(session, store, buffer.getvalue())
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=2 * number)
    for kind, value in ((SAID, -1), (WANTED, 1)):
        text = kind.format(shape=shape, colour=colour)
        caption = make_caption(session, "web:ann", photo=photo, text=text, words=text.split(), created_at=at)
        for rater, wording in WORDINGS.items():
            if rater == HELD_OUT and number >= len(KINDS):
                continue  # that is enough to judge by
            make_vote(session, caption, value, rater, voted_at=at + timedelta(hours=value > 0))
            if value < 0:
                make_correction(session, caption, wording.format(shape=shape, colour=colour), rater, written_at=at)


def is_wanted(words: Any) -> bool:
    return [*words][:2] == ["there", "is"]
