"""Fine-tuning on feedback: the model learns what people want, keeps the rest, and needs enough corrections."""

import csv
import json

import numpy as np
import pytest

from model.errors import BadData, BadRecipe
from model.model_folder import load_model
from tests.support.learning_parts import RECIPE, WORDINGS, is_wanted
from training.data import load_dataset
from training.evaluation.predict import InferenceOptions, predict
from training.feedback.dataset import read_feedback
from training.feedback.finetune import TooLittleFeedback, finetune
from training.feedback.recipe import FeedbackRecipe


def says(model, dataset, features) -> list[list[str]]:
    stored, inference = load_model(model), InferenceOptions(encoder_weights=str(model), features=features)
    found = predict(model, stored, dataset, dataset.examples, 2, inference).hypotheses
    return [stored.vocabulary.decode(found[example.id][0].tokens) for example in dataset.examples]


def test_the_candidate_gives_the_wanted_captions_on_photos_it_was_not_trained_on(
    finetuned_run, plain_model, plain_data, features
):
    photos = load_dataset(plain_data)
    assert sum(map(is_wanted, says(plain_model, photos, features))) == 0
    assert sum(map(is_wanted, says(finetuned_run / "candidate", photos, features))) >= 20  # of 24


def test_a_run_folder_describes_the_training_without_what_people_wrote(finetuned_run, recorded_feedback):
    assert {path.name for path in finetuned_run.iterdir()} == {"recipe.json", "curves.csv", "curves.png", "candidate"}
    with (finetuned_run / "curves.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert [int(row["step"]) for row in rows] == [*range(10, 151, 10)]
    assert float(rows[-1]["preference"]) < float(rows[0]["preference"])
    learnt = load_model(finetuned_run / "candidate").metrics["training"]["learnt"]
    assert learnt["export"] == json.loads((recorded_feedback.folder / "manifest.json").read_text())["hash"]
    assert 60 < learnt["corrections"] <= 20 * 6  # some fit other photos as well as their own


def test_encoder_vocabulary_and_configuration_stay(finetuned_run, plain_model):
    before, after = load_model(plain_model), load_model(finetuned_run / "candidate")
    assert (after.config, after.vocabulary.words) == (before.config, before.vocabulary.words)
    assert all(np.array_equal(after.encoder[name], value) for name, value in before.encoder.items())
    assert after.version != before.version


def test_with_too_few_corrections_nothing_is_trained_or_stored(tmp_path, plain_model, plain_data, recorded_feedback):
    assert FeedbackRecipe().min_corrections == 100
    with pytest.raises(TooLittleFeedback, match="corrections to learn from; with fewer than 130 training would not"):
        finetune(
            FeedbackRecipe.of(RECIPE | {"min_corrections": 130}),
            plain_model,
            read_feedback(recorded_feedback.folder),
            load_dataset(plain_data),
            tmp_path / "run",
        )
    assert [*tmp_path.iterdir()] == []


def test_held_out_feedback_is_not_trained_on(recorded_feedback):
    feedback = read_feedback(recorded_feedback.folder)
    people = [json.loads(line) for line in (recorded_feedback.folder / "people.jsonl").read_text().splitlines()]
    assert [person["held_out"] for person in people].count(True) == 1
    out = {
        json.loads(line)["photo"]
        for line in (recorded_feedback.folder / "captions.jsonl").read_text().splitlines()
        if json.loads(line)["held_out"]
    }
    assert out
    assert {one.photo for one in feedback.train}.isdisjoint(out)
    assert max(one.votes for one in feedback.train) == len(WORDINGS) - 1  # one voter is held out
    assert sum(one.votes for one in (*feedback.train, *feedback.held_out)) == 48 * (len(WORDINGS) - 1) + 16


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": "other"}, "other 1, this captionbot reads captionbot-feedback 1; export again"),
        ({"version": 2}, "captionbot-feedback 2, this captionbot reads captionbot-feedback 1"),
        ({"tables": "csv"}, "exported as csv; training reads --format jsonl"),
    ],
)
def test_an_export_that_cannot_be_read_is_named(recorded_feedback, tmp_path, change, complaint):
    manifest = json.loads((recorded_feedback.folder / "manifest.json").read_text())
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
