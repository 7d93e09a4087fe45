"""Fine-tuning on feedback: the model takes up what people want, keeps the rest, and refuses what is too little."""

import csv
import json

import numpy as np
import pytest
from learning_parts import *  # noqa: F403
from learning_parts import RECIPE, is_wanted

torch = pytest.importorskip("torch")

from model.captioner import Captioner  # noqa: E402
from model.checkpoint import load_model  # noqa: E402
from model.errors import BadData, BadRecipe  # noqa: E402
from model.photos import read_photo  # noqa: E402
from training.data import load_dataset  # noqa: E402
from training.feedback import read_feedback  # noqa: E402
from training.finetune import TooLittleFeedback, finetune  # noqa: E402
from training.finetune_recipe import FeedbackRecipe  # noqa: E402


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="module")
def run(plain_model, plain_data, told, features, tmp_path_factory):
    """A run folder."""
    folder, data = tmp_path_factory.mktemp("runs") / "run", load_dataset(plain_data)
    finetune(FeedbackRecipe.of(RECIPE), plain_model, read_feedback(told.folder), data, folder, features=features)
    return folder


def says(model, dataset) -> list[tuple[str, ...]]:
    photos = [read_photo(dataset.photo_bytes(example)) for example in dataset.examples]
    return [caption.words for caption in Captioner.load(model, "torch").caption(photos, beams=2)]


def test_the_candidate_says_what_people_want_on_photos_it_did_not_learn_from(run, plain_model, plain_data):
    photos = load_dataset(plain_data)
    assert sum(map(is_wanted, says(plain_model, photos))) <= 4
    assert sum(map(is_wanted, says(run / "candidate", photos))) >= 18


def test_a_run_folder_tells_how_the_candidate_was_made_and_shows_nobody_s_words(run, told):
    assert {path.name for path in run.iterdir()} == {"recipe.json", "curves.csv", "curves.png", "candidate"}
    with (run / "curves.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert [row["step"] for row in rows] == ["10", "20", "30", "40", "50", "60"]
    assert float(rows[-1]["preference"]) < float(rows[0]["preference"])
    learnt = load_model(run / "candidate").metrics["training"]["learnt"]
    assert learnt["export"] == json.loads((told.folder / "manifest.json").read_text())["hash"]
    assert 0 < learnt["corrections"] <= 48


def test_encoder_vocabulary_and_configuration_stay(run, plain_model):
    before, after = load_model(plain_model), load_model(run / "candidate")
    assert (after.config, after.vocabulary.words) == (before.config, before.vocabulary.words)
    assert all(np.array_equal(after.encoder[name], value) for name, value in before.encoder.items())
    assert after.version != before.version


def test_too_few_corrections_are_not_learnt_from_and_nothing_is_stored(
    teach_it, tmp_path, plain_model, plain_data, told
):
    with pytest.raises(
        TooLittleFeedback, match=r"corrections to learn from; with fewer than 100 training would not help"
    ):
        finetune(
            FeedbackRecipe.of(RECIPE | {"min_corrections": 100}),
            plain_model,
            read_feedback(told.folder),
            load_dataset(plain_data),
            tmp_path / "run",
        )
    assert [*tmp_path.iterdir()] == []


def test_nothing_of_what_is_held_out_is_learnt(told):
    feedback = read_feedback(told.folder)
    people = [json.loads(line) for line in (told.folder / "people.jsonl").read_text().splitlines()]
    assert [person["held_out"] for person in people].count(True) == 1
    out = {
        json.loads(line)["photo"]
        for line in (told.folder / "captions.jsonl").read_text().splitlines()
        if json.loads(line)["held_out"]
    }
    assert out
    assert {one.photo for one in feedback.learnt}.isdisjoint(out)
    assert max(one.votes for one in feedback.learnt) == 2  # the third one is held out
    assert sum(one.votes for one in (*feedback.learnt, *feedback.held_out)) == 48 * 3


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": "other"}, "other 1, this captionbot reads captionbot-feedback 1; export again"),
        ({"version": 2}, "captionbot-feedback 2, this captionbot reads captionbot-feedback 1"),
        ({"tables": "csv"}, "exported as csv; training reads --format jsonl"),
    ],
)
def test_an_export_that_cannot_be_read_is_named(told, tmp_path, change, complaint):
    manifest = json.loads((told.folder / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | change))
    with pytest.raises(BadData, match=complaint):
        read_feedback(tmp_path)


def test_a_folder_that_is_no_export_is_named(tmp_path):
    with pytest.raises(BadData, match="not an export"):
        read_feedback(tmp_path)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"replay": "nothing"}, "replay is 'nothing'; it must be one of current, captions"),
        ({"replay_share": 1.0}, "replay_share is 1.0; it must be from 0 to below 1"),
        ({"batch": 4, "replay_share": 0.75}, "two photos of it must have feedback"),
        ({"device": "abacus"}, "device is 'abacus'"),
        ({"steps": 0}, "steps is 0; it must be at least 1"),
    ],
)
def test_a_wrong_setting_is_named(settings, complaint):
    with pytest.raises(BadRecipe, match=complaint):
        FeedbackRecipe.of(settings)
