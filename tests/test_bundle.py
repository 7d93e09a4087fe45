"""A trained run made ready to serve. The model is small; what is measured of it is real."""

import pytest
from conftest import draw
from learning_parts import *  # noqa: F403
from learning_parts import KINDS, SAID

pytest.importorskip("torch")
pytest.importorskip("openvino")

from model.captioner import Captioner
from model.checkpoint import load_model
from model.errors import BadData
from model.photos import read_photo
from training.bundle import bundle
from training.data import load_dataset

VALIDATION = 24


@pytest.fixture(scope="module")
def shapes_to_judge(tmp_path_factory):
    """Eight training photos, and enough others to calibrate on; of a third of them the model must be wrong."""
    folder = tmp_path_factory.mktemp("shapes-to-judge")
    lines = ["photo,caption,split"]
    for number, (shape, colour) in enumerate(KINDS * 4):
        draw(shape, colour, (90 + number, 64)).save(folder / f"{number}.png")
        split = "val" if number < VALIDATION else "train"
        text = SAID.format(shape=shape, colour=colour) if number % 3 else "two men walk beside a dog"
        lines += [f"{number}.png,{text},{split}", f"{number}.png,{text} today,{split}"]
    (folder / "captions.csv").write_text("\n".join(lines) + "\n")
    return load_dataset(folder)


def test_what_ships_runs_on_8_bits_knows_how_sure_it_is_and_has_a_card(plain_model, shapes_to_judge, tmp_path):
    (plain_model.parent / "curves.png").write_bytes(b"curves")
    metrics = bundle(plain_model, shapes_to_judge, tmp_path / "made", notes="Made of circles and squares.")
    stored, card = load_model(tmp_path / "made"), (tmp_path / "made" / "README.md").read_text()
    assert stored.quantization
    assert stored.confidence
    assert metrics["validation"]["photos"] == metrics["confidence"]["photos"] == VALIDATION
    assert f"| CIDEr | {metrics['validation']['figures']['cider']['value']:.3f} |" in card
    assert "Made of circles and squares." in card
    assert (tmp_path / "made" / "curves.png").read_bytes() == b"curves"
    assert "curves.png" in card
    good, bad = metrics["examples"]["good"], metrics["examples"]["bad"]
    assert len(good) == len(bad) == VALIDATION // 4
    assert min(one["cider"] for one in good) >= max(one["cider"] for one in bad)
    assert all(f"| {one['photo']} | {one['says']} | {one['person']} |" in card for one in [*good, *bad])
    assert metrics["guesses"]["sex"] == {"guesses": 0, "wrong": 0, "unsaid": 0}
    example = shapes_to_judge.split("val")[0]
    photo = read_photo(shapes_to_judge.photo_bytes(example))
    [said] = Captioner.load(tmp_path / "made", "openvino").caption([photo])
    assert said.words


def test_a_handful_of_photos_is_too_few_to_calibrate_on(plain_model, plain_data, tmp_path):
    with pytest.raises(BadData, match="too few"):
        bundle(plain_model, load_dataset(plain_data), tmp_path / "made")
    assert not (tmp_path / "made").exists()
