"""Fine-tuning on feedback: the model takes up what people want, keeps the rest, and refuses what is too little."""

import csv
import json

import numpy as np
import pytest
from learning_parts import RECIPE, WORDINGS, is_wanted

torch = pytest.importorskip("torch")

from model.checkpoint import load_model  # noqa: E402
from model.errors import BadData, BadRecipe  # noqa: E402
from training.data import load_dataset  # noqa: E402
from training.describe import Method, describe  # noqa: E402
from training.feedback import read_feedback  # noqa: E402
from training.finetune import TooLittleFeedback, finetune  # noqa: E402
from training.finetune_recipe import FeedbackRecipe  # noqa: E402


def says(model, dataset, features) -> list[list[str]]:
    stored, method = load_model(model), Method(encoder_weights=str(model), features=features)
    found = describe(model, stored, dataset, dataset.examples, 2, method).found
    return [stored.vocabulary.decode(found[example.id][0].tokens) for example in dataset.examples]


def test_the_candidate_says_what_people_want_on_photos_it_did_not_learn_from(taught, plain_model, plain_data, features):
    photos = load_dataset(plain_data)
    assert sum(map(is_wanted, says(plain_model, photos, features))) == 0
    assert sum(map(is_wanted, says(taught / "candidate", photos, features))) >= 20  # of 24


def test_a_run_folder_tells_how_the_candidate_was_made_and_shows_nobody_s_words(taught, told):
    assert {path.name for path in taught.iterdir()} == {"recipe.json", "curves.csv", "curves.png", "candidate"}
    with (taught / "curves.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert [int(row["step"]) for row in rows] == [*range(10, 151, 10)]
    assert float(rows[-1]["preference"]) < float(rows[0]["preference"])
    learnt = load_model(taught / "candidate").metrics["training"]["learnt"]
    assert learnt["export"] == json.loads((told.folder / "manifest.json").read_text())["hash"]
    assert 60 < learnt["corrections"] <= 20 * 6  # some fit other photos as well as their own


def test_encoder_vocabulary_and_configuration_stay(taught, plain_model):
    before, after = load_model(plain_model), load_model(taught / "candidate")
    assert (after.config, after.vocabulary.words) == (before.config, before.vocabulary.words)
    assert all(np.array_equal(after.encoder[name], value) for name, value in before.encoder.items())
    assert after.version != before.version


def test_too_few_corrections_are_not_learnt_from_and_nothing_is_stored(tmp_path, plain_model, plain_data, told):
    assert FeedbackRecipe().min_corrections == 100
    with pytest.raises(TooLittleFeedback, match="corrections to learn from; with fewer than 130 training would not"):
        finetune(
            FeedbackRecipe.of(RECIPE | {"min_corrections": 130}),
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
    assert max(one.votes for one in feedback.learnt) == len(WORDINGS) - 1  # one voter is held out
    assert sum(one.votes for one in (*feedback.learnt, *feedback.held_out)) == 48 * (len(WORDINGS) - 1) + 16


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
