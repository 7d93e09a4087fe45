"""How fast the PyTorch engine is on a device: its encoder, its decoder and both, beside the floor the device sets."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.beam_search import beam_search
from model.caption_files import read_picture
from model.captioner import Captioner
from model.checkpoint import load_model
from model.decoders import Arrays
from model.torch_engine import DTYPES, TorchEngine
from model.torch_floor import Card, encoder_cost, measure, seconds, word_cost

BEAMS = (1, 3, 5)
LARGEST = {"cuda": 512, "cpu": 4}  # batch
REFERENCE = 16  # photos at once in the search that the captions are compared with
HEADINGS = "batch beams   encoder  share    decode  share     whole  of encoder       ms   memory"


def bench_torch(
    folder: Path,
    paths: Sequence[Path],
    *,
    device: str,
    photos: int,
    largest: int | None = None,
    widths: Sequence[int] = BEAMS,
) -> Iterator[str]:
    """Lines of a table, each as soon as it is known; rates are photos a second, shares are of the floor.

    photos: how many are captioned on the device and, for comparison, in float32 on the CPU; at most as many as there
    are paths. largest: batch, the others are the powers of two below. Raises what Captioner.load and read_picture
    raise.
    """
    engine = TorchEngine(load_model(folder), device=device)
    captioner = Captioner(load_model(folder), engine)
    size = captioner.config.photo_size
    pixels = [read_picture(path, size=size) for path in paths[:photos]]
    dtype, where = DTYPES[engine.precision], engine.device
    card = measure(where, {dtype, torch.float32})
    yield from _setting(captioner, engine, card)
    yield HEADINGS
    for beams in widths:
        for batch in _batches(largest or LARGEST[where.type]):
            yield _line(captioner, engine, card, list(islice(cycle(pixels), batch)), beams)
    yield _agreement(captioner, engine, TorchEngine(load_model(folder), device="cpu", precision="f32"), pixels)


def _batches(largest: int) -> list[int]:
    return [*(1 << power for power in range(largest.bit_length()) if 1 << power < largest), largest]


def _setting(captioner: Captioner, engine: TorchEngine, card: Card) -> Iterator[str]:
    cuda = engine.device.type == "cuda"
    name = torch.cuda.get_device_name(engine.device) if cuda else f"CPU, {torch.get_num_threads()} threads"
    rates = ", ".join(f"{rate / 1e12:.4g} TFLOP/s in {str(dtype)[6:]}" for dtype, rate in card.flops.items())
    photo = encoder_cost(captioner.config, DTYPES[engine.precision], 1)
    word = word_cost(captioner.config, 1, 1)
    yield f"{name}; encoder in {engine.precision}{', fused kernels' if engine.encoder.fused else ''}"
    yield f"measured: {rates}, {card.bandwidth / 1e9:.4g} GB/s"
    yield (
        f"counted: {photo.flop / 1e9:.3g} GFLOP and {photo.bytes / 1e6:.3g} MB for a lone photo, "
        f"{word.flop / 1e6:.3g} MFLOP and {word.bytes / 1e6:.3g} MB for a lone word"
    )
    yield f"weights: {engine.weights / 1e6:.1f} MB; at most {engine.batches.most} photos at once"


def _line(captioner: Captioner, engine: TorchEngine, card: Card, photos: list[np.ndarray], beams: int) -> str:
    batch, config, where = len(photos), captioner.config, engine.device
    nbest = min(beams, 2)
    captioner.warm_up(batch, beams=beams)
    if where.type == "cuda":
        torch.cuda.reset_peak_memory_stats(where)
    most = engine.batches.most
    parts = [np.stack(photos[start : start + most]) for start in range(0, batch, most)]
    encode = seconds(lambda: [engine.encode(part) for part in parts], where)
    seen = [(*engine.encode(part), len(part)) for part in parts]
    kind = beams, nbest, captioner.rules
    found = [one for memory, state, count in seen for one in engine.decode(memory, state, kind, count)]
    decode = seconds(lambda: [engine.decode(memory, state, kind, count) for memory, state, count in seen], where)
    whole = seconds(lambda: captioner.caption(photos, beams=beams), where)
    words = sum(len(best.tokens) + 1 for best, *_ in found) / batch  # with the end
    encode_floor = encoder_cost(config, DTYPES[engine.precision], batch).floor(card)
    decode_floor = words * word_cost(config, batch, beams).floor(card)
    memory = f"{torch.cuda.max_memory_allocated(where) / 1e9:.2f} GB" if where.type == "cuda" else "-"
    return (
        f"{batch:>5} {beams:>5} {batch / encode:>9.1f} {encode_floor / encode:>6.0%} {batch / decode:>9.1f} "
        f"{decode_floor / decode:>6.0%} {batch / whole:>9.1f} {encode / whole:>11.0%} {1000 * whole:>8.1f} {memory:>8}"
    )


def _agreement(captioner: Captioner, engine: TorchEngine, exact: TorchEngine, photos: Sequence[np.ndarray]) -> str:
    """How many captions are word for word those of float32, searched by beam_search.py."""
    rules, same = captioner.rules, 0
    for start in range(0, len(photos), REFERENCE):
        part = photos[start : start + REFERENCE]
        memory, state = exact.encode(np.stack(part))
        expected = beam_search(partial(_step, exact, memory), state, beams=3, rules=rules)
        found = engine.search(part, beams=3, rules=rules)
        same += sum(here[0].tokens == there[0].tokens for here, there in zip(found, expected, strict=True))
    return f"agreement: {same} of {len(photos)} captions are those of float32 on a CPU, beam 3"


def _step(engine: TorchEngine, memory: Arrays, tokens: Tensor, state: Arrays) -> tuple[Tensor, Arrays, Tensor | None]:
    return engine.step(tokens, memory, state)
