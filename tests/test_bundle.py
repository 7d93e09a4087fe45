"""Bundling a trained run: the model is small, but its metrics are real."""

import numpy as np
import pytest
from PIL import Image

from model.captioner import Captioner
from model.errors import BadData
from model.model_folder import load_model, save_model
from model.preprocessing import read_photo
from tests.support.learning_parts import KINDS, SAID
from tests.support.shapes import draw
from training.data import Example, load_dataset, load_mixture
from training.packaging.bundle import bundle
from training.packaging.card_facts import inventions, training_data
from training.packaging.rare_words import BIAS

VALIDATION, OTHERS = 24, 8  # photos


@pytest.fixture(scope="module")
def shapes_to_judge(tmp_path_factory):
    """Eight training photos, and enough others to calibrate on; of a third of them the model must be wrong."""
    folder, other = (tmp_path_factory.mktemp(name) for name in ("shapes-to-judge", "noise"))
    lines = ["photo,caption,split"]
    for number, (shape, colour) in enumerate(KINDS * 4):
        draw(shape, colour, (90 + number, 64)).save(folder / f"{number}.png")
        split = "val" if number < VALIDATION else "train"
        text = SAID.format(shape=shape, colour=colour) if number % 3 else "two men walk beside a dog"
        lines += [f"{number}.png,{text},{split}", f"{number}.png,{text} today,{split}"]
    (folder / "captions.csv").write_text("\n".join(lines) + "\n")
    random = np.random.default_rng(1)
    for number in range(OTHERS):
        Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((64, 64)).save(
            other / f"n{number}.png"
        )
    rows = [f"n{number}.png,a wall of {number % 3} tiles,val" for number in range(OTHERS)]
    (other / "captions.csv").write_text("\n".join(["photo,caption,split", *rows]) + "\n")
    return load_mixture([folder, other])


def test_a_bundled_model_is_quantised_calibrated_and_has_a_card(plain_model, shapes_to_judge, tmp_path):
    (plain_model.parent / "curves.png").write_bytes(b"curves")
    notes = "Made of circles and squares."
    metrics = bundle(plain_model, shapes_to_judge, tmp_path / "made", notes=notes, rare_words=0.1, meteor=False)
    stored, card = load_model(tmp_path / "made"), (tmp_path / "made" / "README.md").read_text()
    assert stored.quantization
    assert stored.confidence
    [noise] = metrics["other_data_sets"]
    assert metrics["data_set"].startswith("shapes-to-judge")
    assert noise["data_set"].startswith("noise")
    assert (metrics["validation"]["photos"], noise["validation"]["photos"]) == (VALIDATION, OTHERS)
    assert metrics["confidence"]["photos"] == VALIDATION + OTHERS
    assert f"| {OTHERS} photos of {noise['data_set']} |" in card
    assert f"| CIDEr | {metrics['validation']['figures']['cider']['value']:.3f} |" in card
    assert notes in card
    assert "captionbot bundle --rare-words 0.1" in card
    before = load_model(plain_model).decoder[BIAS]
    [circle] = stored.vocabulary.encode(["circle"])
    [article] = stored.vocabulary.encode(["a"])
    assert stored.decoder[BIAS][circle] - stored.decoder[BIAS][article] > before[circle] - before[article]
    assert (tmp_path / "made" / "curves.png").read_bytes() == b"curves"
    assert "curves.png" in card
    good, bad = metrics["examples"]["good"], metrics["examples"]["bad"]
    assert len(good) == len(bad) == (VALIDATION + OTHERS) // 4
    assert min(one["cider"] for one in good) >= max(one["cider"] for one in bad)
    assert all(f"| {one['photo']} | {one['says']} | {one['person']} |" in card for one in [*good, *bad])
    assert metrics["guesses"]["sex"] == {"guesses": 0, "wrong": 0, "unsaid": 0}
    example = shapes_to_judge.split("val")[0]
    photo = read_photo(shapes_to_judge.photo_bytes(example))
    [said] = Captioner.load(tmp_path / "made", "openvino").caption([photo])
    assert said.words


def test_the_card_tells_who_wrote_the_captions(plain_model, tmp_path):
    examples = [
        Example("a", "a.png", "train", (("a", "cat"), ("one", "cat")), ("human", "machine"), dataset="mine"),
        Example("b", "b.png", "train", (("a", "dog"),), ("derived",), dataset="others"),
    ]
    recipe = {"data": ["mine", "others"], "machine": 1.0, "derived": 0.25}
    found = training_data(examples, {"recipe": recipe})
    assert found == {
        "data_sets": ["mine", "others"],
        "photos": 2,
        "captions": 3,
        "sources": {"human": 1, "machine": 1, "derived": 1},
    }
    assert training_data(examples, {"recipe": recipe | {"derived": 0}})["captions"] == 2
    mean = {"averaged": [{"recipe": recipe | {"derived": 0}}] * 2}
    assert training_data(examples, mean)["captions"] == 2


def test_inventions_are_what_a_caption_names_and_no_reference():
    said = ["a dog on a sofa".split(), "a dog in the snow".split(), "a cat".split()]
    there = [["a cat on a couch".split()], ["a dog".split(), "snow".split()], ["a cat".split()]]
    [dog] = inventions(said, there)
    assert dog == {"object": "dog", "there": 1, "named_there": 1, "elsewhere": 2, "named_elsewhere": 1}


def test_a_handful_of_photos_is_too_few_to_calibrate_on(plain_model, plain_data, tmp_path):
    with pytest.raises(BadData, match="too few"):
        bundle(plain_model, load_dataset(plain_data), tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_the_card_of_a_mean_tells_each_run_once_and_how_often_it_counts(plain_model, shapes_to_judge, tmp_path):
    stored = load_model(plain_model)
    first, other = ({"phase": "self_critical", "epoch": epoch, "recipe": {"seed": 1}} for epoch in (3, 4))
    parts = (stored.config, stored.vocabulary, stored.encoder, stored.decoder)
    mean = {"averaged": [first, first, other]}
    save_model(tmp_path / "mean", *parts, mean, "A mean.\n")
    bundle(tmp_path / "mean", shapes_to_judge, tmp_path / "made", meteor=False)
    card = (tmp_path / "made" / "README.md").read_text()
    assert "mean of 3" in card
    assert card.count("Counted 2 times") == 1
    assert [card.count(f"best after epoch {epoch}:") for epoch in (3, 4)] == [1, 1]
