"""The captioner over a small engine of its own: what people read, and what comes with it."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from model.captioner import ENGINES, NO_PHOTO, Captioner, choose_engine
from model.confidence import Confidence, Logistic
from model.config import ModelConfig
from model.errors import DamagedModel, UnavailableEngine
from model.model_folder import StoredModel
from model.photo_statistics import NAMES
from model.vocabulary import SPECIAL, Vocabulary

VOCABULARY = Vocabulary([*SPECIAL, "a", "dog", "cat", "runs", "sleeps"])
SENTENCES = {"dog": "a dog runs", "cat": "a cat sleeps"}
STORED = StoredModel(
    config=ModelConfig(vocabulary_size=len(VOCABULARY), max_words=6),
    vocabulary=VOCABULARY,
    encoder=None,
    decoder={},
    metrics={},
    version="0123456789ab",
)


class ColourEngine:
    """Captions a light photo with a dog and a dark one with a cat, each word with probability 0.7.

    The other words share the rest, the later in the vocabulary the more. The attention of the n-th word is on region
    n. Follows model.engine.Engine, in NumPy.
    """

    def encode(self, photos):
        light = photos.mean(axis=(1, 2, 3)) > 127
        return {"light": light}, {"words": np.zeros((len(photos), 1), dtype=np.int64)}

    def step(self, tokens, memory, state):
        batch, beams = tokens.shape
        rest = np.arange(1, len(VOCABULARY) + 1, dtype=np.float32)
        probabilities = np.tile(0.3 * rest / rest.sum(), (batch, beams, 1))
        attention = np.zeros((batch, beams, 49), dtype=np.float32)
        for photo, beam in np.ndindex(batch, beams):
            words = int(state["words"][photo, beam])
            sentence = VOCABULARY.encode(SENTENCES["dog" if memory["light"][photo] else "cat"].split())
            probabilities[photo, beam, (sentence + [2] * 9)[words]] = 0.7
            attention[photo, beam, words] = 1
        return np.log(probabilities), {"words": state["words"] + 1}, attention


LIGHT = np.random.default_rng(0).integers(150, 256, (224, 224, 3), dtype=np.uint8)
DARK = LIGHT // 3


def constant(names: tuple[str, ...], probability: float) -> Logistic:
    zeros = (0.0,) * len(names)
    bias = math.log(probability / (1 - probability))
    return Logistic(names, mean=zeros, scale=(1.0,) * len(names), weights=zeros, squares=zeros, bias=bias)


def captioner(*, good: float, photo: float) -> Captioner:
    """One that finds every caption good and every picture a photo with these probabilities."""
    confidence = Confidence(constant(("words",), good), constant(NAMES, photo), hedge_below=0.3, refuse_below=0.5)
    return Captioner(dataclasses.replace(STORED, confidence=confidence.to_json()), ColourEngine())


def test_captions_come_in_the_order_of_the_photos():
    captions = Captioner(STORED, ColourEngine()).caption([LIGHT, DARK, LIGHT])
    assert [caption.text for caption in captions] == ["A dog runs.", "A cat sleeps.", "A dog runs."]


def test_no_photos_give_no_captions():
    assert Captioner(STORED, ColourEngine()).caption([]) == []


def test_words_log_probs_and_attention_belong_together():
    [caption] = Captioner(STORED, ColourEngine()).caption([DARK])
    assert caption.words == ("a", "cat", "sleeps")
    assert caption.word_log_probs == pytest.approx([math.log(0.7)] * 3)
    assert caption.attention.shape == (3, 7, 7)
    assert [int(where) for where in caption.attention.reshape(3, 49).argmax(axis=1)] == [0, 1, 2]


@pytest.mark.parametrize(("nbest", "alternatives"), [(1, 0), (3, 2)])
def test_alternatives_are_the_next_best(nbest, alternatives):
    [caption] = Captioner(STORED, ColourEngine()).caption([LIGHT], beams=3, nbest=nbest)
    assert len(set(caption.alternatives)) == alternatives
    assert caption.text not in caption.alternatives


def test_an_excluded_sentence_is_not_repeated():
    light = Captioner(STORED, ColourEngine())
    earlier: list[tuple[str, ...]] = []
    for _ in range(4):
        earlier.append(light.caption([LIGHT, DARK], beams=5, exclude=[tuple(earlier), ()])[0].words)
    assert earlier[0] == ("a", "dog", "runs")
    assert len(set(earlier)) == 4


def test_a_sentence_excluded_for_one_photo_is_allowed_for_another():
    both = Captioner(STORED, ColourEngine()).caption([LIGHT, LIGHT], exclude=[(("a", "dog", "runs"),), ()])
    assert both[0].text != both[1].text == "A dog runs."


def test_when_every_sentence_found_is_excluded_the_best_is_returned():
    light = Captioner(STORED, ColourEngine())
    [caption] = light.caption([LIGHT], beams=1, exclude=[(("a", "dog", "runs"),)])
    assert caption.text == "A dog runs."


def test_one_beam_is_enough():
    [caption] = Captioner(STORED, ColourEngine()).caption([LIGHT], beams=1)
    assert (caption.text, caption.alternatives) == ("A dog runs.", ())


def test_without_a_fitted_confidence_it_is_the_mean_probability_of_a_word():
    [caption] = Captioner(STORED, ColourEngine()).caption([LIGHT])
    assert caption.confidence == pytest.approx(0.7)
    assert (caption.hedged, caption.is_photo) == (False, True)


def test_a_sure_caption_stands_as_it_is():
    [caption] = captioner(good=0.8, photo=0.9).caption([LIGHT])
    assert (caption.text, caption.hedged, caption.is_photo) == ("A dog runs.", False, True)
    assert caption.confidence == pytest.approx(0.8)


def test_an_unsure_caption_is_hedged():
    [caption] = captioner(good=0.2, photo=0.9).caption([LIGHT])
    assert (caption.text, caption.hedged, caption.is_photo) == ("Could be: a dog runs.", True, True)
    assert caption.confidence == pytest.approx(0.2)


def test_an_image_that_is_no_photo_gets_the_no_photo_text():
    [caption] = captioner(good=0.8, photo=0.1).caption([LIGHT])
    assert (caption.text, caption.hedged, caption.is_photo) == (NO_PHOTO, False, False)
    assert caption.confidence == pytest.approx(0.9)
    assert caption.words == ("a", "dog", "runs")


def test_a_damaged_confidence_is_named():
    with pytest.raises(DamagedModel, match=r"^confidence\.json is damaged \(good: Field required\)$"):
        Captioner(dataclasses.replace(STORED, confidence={"hedge_below": 0.2}), ColourEngine())


def test_an_unknown_engine_is_refused_before_the_model_is_read():
    with pytest.raises(UnavailableEngine, match="there is no engine 'tpu'; choose auto, openvino or torch"):
        Captioner.load(Path("nowhere"), engine="tpu")


def test_auto_takes_an_engine_that_is_installed():
    assert choose_engine("auto") == choose_engine(choose_engine("auto"))
    assert choose_engine("auto") in ENGINES
