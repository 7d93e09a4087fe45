"""The model that ships: sound, small enough for git, honest about itself, and sober before what is no photo."""

import json
import re
from pathlib import Path

import pytest

from model.captioner import Captioner
from model.model_folder import load_model
from model.neutral_wording import neutral
from model.preprocessing import read_photo_file
from tests.support.non_photos import unseen_non_photos

ROOT = Path(__file__).parent.parent
BUNDLED = ROOT / "models" / "bundled"
LARGEST = 80_000_000  # bytes in git


@pytest.fixture(scope="module")
def captioner() -> Captioner:
    return Captioner.load(BUNDLED, "openvino")


def test_the_bundled_model_is_whole_and_runs_on_8_bit_integers():
    stored = load_model(BUNDLED)
    assert stored.encoder is not None
    assert stored.quantization is not None
    assert stored.confidence is not None


def test_the_bundled_model_is_small_enough_for_git():
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) <= LARGEST


def test_the_card_tells_what_it_was_trained_on_how_good_it_is_and_under_which_terms():
    card = (BUNDLED / "README.md").read_text()
    cider = json.loads((BUNDLED / "metrics.json").read_text())["validation"]["figures"]["cider"]["value"]
    assert f"{cider:.3f}" in card
    for statement in ("Flickr8k", "research use only", "MIT", "What it gets wrong", "must not be used for"):
        assert statement in card


def test_nine_in_ten_pictures_that_are_no_photos_are_hedged_or_refused(captioner):
    pictures = unseen_non_photos(200, seed=11)
    captions = [caption for start in range(0, 200, 20) for caption in captioner.caption(pictures[start : start + 20])]
    assert sum(caption.hedged or not caption.is_photo for caption in captions) >= 180


def test_sample_photos_are_described_as_photos(captioner):
    photos = [read_photo_file(path) for path in sorted((ROOT / "samples").glob("*.jpg"))]
    captions = captioner.caption(photos)
    assert all(caption.words for caption in captions)
    assert all(caption.is_photo for caption in captions)


def test_a_cat_is_a_cat_and_an_elephant_is_no_dog(captioner):
    names = ("cat", "elephant", "horse", "zebra", "bus", "teddy_bear")
    captions = captioner.caption([read_photo_file(ROOT / "samples" / f"{name}.jpg") for name in names])
    for name, caption in zip(names, captions, strict=True):
        kind = name.split("_")[0]
        assert {kind, f"{kind}s"} & {*caption.words}, f"{name}: {' '.join(caption.words)}"
        assert not {"dog", "dogs"} & {*caption.words}


def test_no_sentence_about_the_samples_ends_in_mid_phrase(captioner):
    photos = [read_photo_file(path) for path in sorted((ROOT / "samples").glob("*.jpg"))]
    endings = {caption.words[-1] for caption in captioner.caption(photos, beams=5)}
    assert not endings & {"a", "an", "the", "of", "with", "in", "on", "and", "is"}


def test_neutral_wording_guesses_at_nobody(captioner):
    photos = [read_photo_file(path) for path in sorted((ROOT / "samples").glob("*.jpg"))]
    plain = captioner.caption(photos, beams=3, nbest=3)
    wary = Captioner.load(BUNDLED, "openvino", neutral_wording=True).caption(photos, beams=3, nbest=3)
    assert [neutral(caption.words) for caption in plain] == [[*caption.words] for caption in wary]
    assert {"man", "woman", "boy", "girl"} & {word for caption in plain for word in caption.words}
    text = " ".join(" ".join([caption.text, *caption.alternatives]) for caption in wary).lower()
    assert not re.search(r"\b(man|woman|men|women|boy|girl)\b", text)
