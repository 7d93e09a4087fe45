"""PyTorch's engine gives the captions of the reference search, in parts and after running out of memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from model.beam_search import beam_search
from model.caption_text import decoding_rules
from model.captioner import Captioner
from model.config import DECODERS
from model.engine import Searcher
from model.errors import DamagedModel, UnavailableEngine
from model.pytorch.engine import TorchEngine
from tests.support.random_models import random_model, random_photos

ROOT = Path(__file__).resolve().parent.parent


def searched(engine: TorchEngine, photos: np.ndarray, stored, beams: int = 3):
    return engine.search(photos, beams=beams, rules=decoding_rules(stored.config, stored.vocabulary), nbest=beams)


def reference(engine: TorchEngine, photos: np.ndarray, stored, beams: int = 3):
    """Beam search as it is written for any engine."""
    rules = decoding_rules(stored.config, stored.vocabulary)
    memory, state = engine.encode(photos)
    return beam_search(
        lambda tokens, state: engine.step(tokens, memory, state), state, beams=beams, rules=rules, nbest=beams
    )


def tokens(found) -> list[list[tuple[int, ...]]]:
    return [[one.tokens for one in sentences] for sentences in found]


@pytest.mark.parametrize("kind", DECODERS)
def test_it_finds_what_the_reference_finds(kind):
    stored, _, _ = random_model(kind)
    engine, photos = TorchEngine(stored, device="cpu"), random_photos(5)
    assert tokens(searched(engine, photos, stored)) == tokens(reference(engine, photos, stored))


def test_parts_of_a_large_batch_come_in_order():
    stored, _, _ = random_model()
    photos = random_photos(7)
    whole, parts = (TorchEngine(stored, device="cpu", max_batch=size) for size in (7, 3))
    assert tokens(searched(parts, photos, stored)) == tokens(searched(whole, photos, stored))
    assert len({sentences[0] for sentences in tokens(searched(whole, photos, stored))}) > 1


def test_buckets_change_no_sentence():
    stored, _, _ = random_model()
    engine, photos = TorchEngine(stored, device="cpu"), random_photos(5)
    expected = tokens(searched(engine, photos, stored))
    engine.batches.padded = True
    memory, _ = engine.encode(photos)
    assert {len(value) for value in memory.values()} == {5}
    assert tokens(searched(engine, photos, stored)) == expected


def test_the_captioner_uses_the_search_of_the_engine():
    stored, _, _ = random_model()
    engine = TorchEngine(stored, device="cpu")
    captioner, photos = Captioner(stored, engine), [*random_photos(2)]
    assert isinstance(engine, Searcher)
    captioner.warm_up(2, beams=2)
    captions = captioner.caption(photos, beams=2, nbest=2)
    assert [caption.words for caption in captions] == [
        tuple(stored.vocabulary.decode(found[0].tokens)) for found in searched(engine, np.stack(photos), stored, 2)
    ]
    assert captions[0].encode_seconds > 0


def test_precision_is_float32_on_a_cpu_and_may_be_chosen():
    stored, _, _ = random_model()
    full, half = TorchEngine(stored, device="cpu"), TorchEngine(stored, device="cpu", precision="bf16")
    assert (full.precision, half.precision) == ("f32", "bf16")
    assert half.weights < full.weights
    (memory, _), (rounded, _) = full.encode(random_photos()), half.encode(random_photos())
    for name, value in memory.items():
        assert 0 < (rounded[name] - value).norm() < 0.05 * value.norm()


def test_a_model_without_encoder_is_refused():
    stored, _, _ = random_model()
    with pytest.raises(DamagedModel, match="no encoder"):
        TorchEngine(type(stored)(**{**vars(stored), "encoder": None}), device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error():
    stored, _, _ = random_model()
    with pytest.raises(UnavailableEngine, match="no GPU"):
        TorchEngine(stored, device="cuda")


LIMITED = """
import json, resource, sys
sys.path.insert(0, {root!r})
import torch
torch.set_num_threads(1)
from tests.support.random_models import random_model, random_photos
from model.caption_text import decoding_rules
from model.pytorch.engine import TorchEngine

stored, _, _ = random_model(photo_size=128)
engine, photos = TorchEngine(stored, device="cpu", max_batch=32), random_photos(32, 128)
rules = decoding_rules(stored.config, stored.vocabulary)
free = [one[0].tokens for one in engine.search(photos, beams=2, rules=rules)]
before = engine.batches.largest
used = 4096 * int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used + {room}, -1))
limited = [one[0].tokens for one in engine.search(photos, beams=2, rules=rules)]
print(json.dumps(dict(before=before, after=engine.batches.largest, same=free == limited, photos=len(limited))))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits a process's memory as Linux does")
def test_when_memory_runs_out_smaller_batches_give_the_same():
    """The process may take 64 MiB more; 32 photos of 128 pixels a side want more than that for their layers."""
    code = LIMITED.format(root=str(ROOT), room=64 << 20)
    # What the first search gave back must be gone, or the second one lives on it.
    environment = dict(os.environ) | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["photos"] == 32
    assert result["after"] < result["before"] == 32
    assert result["same"]
    assert "out of memory" in done.stderr
