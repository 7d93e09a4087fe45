"""All metrics at once."""

import json

import numpy as np
import pytest

from model.errors import BadData
from training.metrics.bleu import bleu_of_totals
from training.metrics.scores import score
from training.metrics.signature import signature

REFERENCES = {
    "dog.jpg": ["a dog runs on the grass".split(), "the brown dog is running".split()],
    "man.jpg": ["a man sits on a bench".split(), "someone is sitting outside".split()],
    "sea.jpg": ["waves roll onto the beach".split()],
}
HYPOTHESES = {
    "sea.jpg": "a dog runs on the grass".split(),
    "dog.jpg": "a dog runs on the grass".split(),
    "man.jpg": "a man is sitting there".split(),
}
METRICS = ["bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider", "precision", "recall", "f1", "smoothed_bleu"]


def test_every_metric_has_a_value_inside_its_interval():
    scores = score(HYPOTHESES, REFERENCES, meteor=False)
    for name in METRICS:
        value, low, high = scores.figures[name]
        assert low <= value <= high, name


def test_scores_of_photos_are_in_the_order_of_the_captions():
    scores = score(HYPOTHESES, REFERENCES, meteor=False)
    assert scores.photos == ["sea.jpg", "dog.jpg", "man.jpg"]
    assert scores.per_photo["precision"] == pytest.approx([1 / 6, 1, 4 / 5])
    assert bleu_of_totals(scores.per_photo["bleu"].sum(axis=0))[3] == scores["bleu_4"]


def test_repeated_captions_lower_the_diversity():
    scores = score(HYPOTHESES, REFERENCES, meteor=False)
    assert scores["distinct"] == pytest.approx(2 / 3)
    assert scores["most_common"] == pytest.approx(2 / 3)
    assert scores["mean_length"] == pytest.approx(17 / 3)


def test_the_same_seed_gives_the_same_intervals():
    first, again = (score(HYPOTHESES, REFERENCES, meteor=False, seed=5).to_json() for _ in range(2))
    assert first == again


def test_json_holds_plain_values():
    plain = score(HYPOTHESES, REFERENCES, meteor=False).to_json()
    assert json.loads(json.dumps(plain)) == plain
    assert set(plain["figures"]["cider"]) == {"value", "low", "high"}
    assert plain["photos"] == 3


def test_photos_without_a_caption_are_not_scored():
    part = {"dog.jpg": HYPOTHESES["dog.jpg"], "man.jpg": HYPOTHESES["man.jpg"]}
    only_these = {photo: REFERENCES[photo] for photo in part}
    assert score(part, REFERENCES, meteor=False).to_json() == score(part, only_these, meteor=False).to_json()


def test_without_java_meteor_is_missing_with_a_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    scores = score(HYPOTHESES, REFERENCES)
    assert "meteor" not in scores.figures
    assert scores.missing == {"meteor": "Java is not installed"}


@pytest.mark.parametrize("references", [{}, {"dog.jpg": []}])
def test_a_caption_without_references_is_named(references):
    with pytest.raises(BadData, match=r"1 captioned photos have no reference captions, the first is dog\.jpg"):
        score({"dog.jpg": ["a", "dog"]}, references, meteor=False)


def test_nothing_to_score_is_an_error():
    with pytest.raises(BadData, match="no captions to score"):
        score({}, REFERENCES)


def test_an_empty_caption_counts_as_a_bad_one():
    scores = score(HYPOTHESES | {"dog.jpg": []}, REFERENCES, meteor=False)
    assert np.isfinite([figure.value for figure in scores.figures.values()]).all()
    assert scores.per_photo["f1"][1] == 0


def test_a_signature_says_all_that_a_score_depends_on():
    line = signature("dev", 1000, 3, "ptb-1", "1a2b3c", "4d5e6f")
    assert line == "captionbot:dev|n=1000|beam=3|tok=ptb-1|model=1a2b3c|data=4d5e6f"
