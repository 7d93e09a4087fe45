"""OpenVINO's engine agrees with PyTorch's decoders, and its 8-bit integers stay close to float32."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from model.config import DECODERS
from model.errors import DamagedModel
from model.openvino.engine import OpenVinoEngine
from model.pytorch.encoders import normalise
from tests.support.random_models import WORDS, random_model, random_photos
from training.packaging.quantize import measure_ranges


@pytest.fixture(scope="module")
def model():
    """A random attention model with ranges for quantisation."""
    stored, _, _ = random_model()
    measured = measure_ranges(stored.encoder, "resnet50", random_photos(8), quantile=1.0)
    return replace(stored, quantization=measured.to_json())


@pytest.fixture(scope="module")
def engine(model):
    return OpenVinoEngine(model, precision="f32")


@pytest.mark.parametrize("kind", DECODERS)
def test_every_decoder_gives_what_pytorch_gives(kind):
    stored, encoder, decoder = random_model(kind)
    engine, photos = OpenVinoEngine(stored, precision="f32"), random_photos()
    random = np.random.default_rng(0)
    with torch.inference_mode():
        memory, state = engine.encode(photos)
        their_memory, theirs = decoder.start(encoder(normalise(torch.from_numpy(photos))))
        for beams in (1, 3, 3):
            if state[next(iter(state))].shape[1] != beams:
                state = {name: value.repeat(beams, 1) for name, value in state.items()}
                theirs = {name: value.repeat_interleave(beams, 1) for name, value in theirs.items()}
            tokens = random.integers(0, WORDS, (2, beams))
            log_probs, state, attention = engine.step(tokens, memory, state)
            expected, theirs, their_attention = decoder.step(torch.from_numpy(tokens), their_memory, theirs)
            np.testing.assert_allclose(log_probs, expected, atol=1e-4)
            if their_attention is None:
                assert attention is None
            else:
                np.testing.assert_allclose(attention, their_attention, atol=1e-4)


def test_int8_stays_close_to_float32(model, engine):
    quantised, photos = OpenVinoEngine(model), random_photos()
    assert (quantised.precision, engine.precision) == ("int8", "f32")
    (memory, state), (exact, _) = quantised.encode(photos), engine.encode(photos)
    for name, value in exact.items():
        assert 0 < np.square(memory[name] - value).mean() < 0.01 * np.square(value).mean()
    tokens = np.ones((2, 1), np.int64)
    rounded, expected = quantised.step(tokens, exact, state)[0], engine.step(tokens, exact, state)[0]
    assert 0 < np.abs(rounded - expected).mean() < 0.05 * expected.std()


def test_without_ranges_it_runs_in_float32_and_logs_a_warning(model, caplog):
    with caplog.at_level(logging.WARNING):
        engine = OpenVinoEngine(replace(model, quantization=None))
    assert engine.precision == "f32"
    assert "no quantization.json" in caplog.text


def test_int8_without_ranges_is_refused(model):
    with pytest.raises(DamagedModel, match=r"no quantization\.json"):
        OpenVinoEngine(replace(model, quantization=None), precision="int8")


def test_ranges_of_another_network_are_refused(model):
    ranges = dict(model.quantization["ranges"])
    del ranges["layer2.1.conv2"]
    with pytest.raises(DamagedModel, match=r"no range for layer2\.1\.conv2"):
        OpenVinoEngine(replace(model, quantization=model.quantization | {"ranges": ranges}))


def test_scales_of_another_network_are_refused(model):
    scales = {"layer2.1.conv2": [0.01] * 3}
    with pytest.raises(DamagedModel, match=r"do not fit config\.json"):
        OpenVinoEngine(replace(model, quantization=model.quantization | {"scales": scales}))


def test_a_model_without_encoder_is_refused(model):
    with pytest.raises(DamagedModel, match=r"encoder\.safetensors"):
        OpenVinoEngine(replace(model, encoder=None))


def test_arrays_given_and_returned_belong_to_the_caller(engine):
    memory, state = engine.encode(random_photos())
    before = {name: value.copy() for name, value in memory.items()}
    tokens = np.ones((2, 1), np.int64)
    first, after, attention = engine.step(tokens, memory, state)
    kept = [array.copy() for array in (first, attention, *after.values())]
    engine.step(tokens + 1, memory, after)
    assert all(np.array_equal(memory[name], before[name]) for name in memory)
    assert all(np.array_equal(*pair) for pair in zip(kept, (first, attention, *after.values()), strict=True))
    first[:] = 0  # may be overwritten


def test_calls_from_several_threads_do_not_mix(engine):
    photos = random_photos(6)

    def encode(number: int) -> np.ndarray:
        return engine.step(np.ones((1, 1), np.int64), *engine.encode(photos[number : number + 1]))[0]

    alone = [encode(number) for number in range(6)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(encode, range(6)))
    assert all(np.allclose(*pair, atol=1e-5) for pair in zip(alone, together, strict=True))
    assert not np.allclose(alone[0], alone[1], atol=1e-3)


def test_a_batch_gives_what_its_photos_give_alone(engine):
    photos = random_photos(5)
    together, _ = engine.encode(photos)
    alone, _ = engine.encode(photos[3:4])
    for name, value in alone.items():
        np.testing.assert_allclose(together[name][3:4], value, atol=1e-4 * np.abs(value).max())
