"""How fast the PyTorch engine is on a device: encoder, decoder and both, compared with the device's roofline.

The captioner that is timed imports the PyTorch engine, so this module stands outside of model.pytorch, which has
everything here that needs torch itself.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from model.beam_search import beam_search
from model.caption_files import read_picture
from model.captioner import Captioner
from model.engine import Array, Arrays
from model.model_folder import load_model
from model.pytorch.device import device_name, peak_memory, reset_peak_memory, seconds
from model.pytorch.engine import DTYPES, TorchEngine
from model.pytorch.roofline import DeviceRates, encoder_cost, measure, step_cost

BEAMS = (1, 3, 5)
LARGEST = {"cuda": 512, "cpu": 4}  # batch
REFERENCE = 16  # photos per batch in the search that the captions are compared with
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
    """Measure the engine and yield the lines of a table, each as soon as it is known.

    Rates are photos per second; "share" is the rate divided by the one that the roofline allows.

    Args:
        folder: a model folder.
        paths: image files.
        device: "auto" or what torch.device accepts.
        photos: how many are captioned on the device and, for comparison, in float32 on the CPU; at most as many as
            there are paths.
        largest: largest batch; the others are the powers of two below it.
        widths: numbers of beams.

    Raises:
        DamagedModel, UnavailableEngine: as `Captioner.load`.
        UnreadablePhoto: a file is no photo.
    """
    engine = TorchEngine(load_model(folder), device=device)
    captioner = Captioner(load_model(folder), engine)
    size = captioner.config.photo_size
    pixels = [read_picture(path, size=size) for path in paths[:photos]]
    rates = measure(engine.device, {DTYPES[engine.precision], DTYPES["f32"]})
    yield from _setting(captioner, engine, rates)
    yield HEADINGS
    for beams in widths:
        for batch in _batches(largest or LARGEST[engine.device.type]):
            yield _line(captioner, engine, rates, list(islice(cycle(pixels), batch)), beams)
    yield _agreement(captioner, engine, TorchEngine(load_model(folder), device="cpu", precision="f32"), pixels)


def _batches(largest: int) -> list[int]:
    return [*(1 << power for power in range(largest.bit_length()) if 1 << power < largest), largest]


def _setting(captioner: Captioner, engine: TorchEngine, rates: DeviceRates) -> Iterator[str]:
    """Device, its measured rates, the cost of one photo and of one step, and the size of the weights."""
    products = ", ".join(f"{rate / 1e12:.4g} TFLOP/s in {str(dtype)[6:]}" for dtype, rate in rates.flops.items())
    photo = encoder_cost(captioner.config, DTYPES[engine.precision], 1)
    step = step_cost(captioner.config, 1, 1)
    fused = ", fused kernels" if engine.encoder.fused else ""
    yield f"{device_name(engine.device)}; encoder in {engine.precision}{fused}"
    yield f"measured: {products}, {rates.bandwidth / 1e9:.4g} GB/s"
    yield (
        f"counted: {photo.flop / 1e9:.3g} GFLOP and {photo.bytes / 1e6:.3g} MB for a lone photo, "
        f"{step.flop / 1e6:.3g} MFLOP and {step.bytes / 1e6:.3g} MB for a lone word"
    )
    yield f"weights: {engine.weights / 1e6:.1f} MB; at most {engine.batches.largest} photos at once"


def _line(captioner: Captioner, engine: TorchEngine, rates: DeviceRates, photos: list[np.ndarray], beams: int) -> str:
    """Time one size of batch and one number of beams; a line of the table."""
    batch, config, device = len(photos), captioner.config, engine.device
    captioner.warm_up(batch, beams=beams)
    reset_peak_memory(device)
    size = engine.batches.largest
    parts = [np.stack(photos[start : start + size]) for start in range(0, batch, size)]
    encode = seconds(lambda: [engine.encode(part) for part in parts], device)
    encoded = [(*engine.encode(part), len(part)) for part in parts]
    kind = beams, min(beams, 2), captioner.rules
    found = [one for memory, state, count in encoded for one in engine.decode(memory, state, kind, count)]
    decode = seconds(lambda: [engine.decode(memory, state, kind, count) for memory, state, count in encoded], device)
    whole = seconds(lambda: captioner.caption(photos, beams=beams), device)
    steps = sum(len(best.tokens) + 1 for best, *_ in found) / batch  # one per word and one for the end
    encode_limit = encoder_cost(config, DTYPES[engine.precision], batch).roofline(rates)
    decode_limit = steps * step_cost(config, batch, beams).roofline(rates)
    peak = peak_memory(device)
    memory = "-" if peak is None else f"{peak / 1e9:.2f} GB"
    return (
        f"{batch:>5} {beams:>5} {batch / encode:>9.1f} {encode_limit / encode:>6.0%} {batch / decode:>9.1f} "
        f"{decode_limit / decode:>6.0%} {batch / whole:>9.1f} {encode / whole:>11.0%} {1000 * whole:>8.1f} {memory:>8}"
    )


def _agreement(captioner: Captioner, engine: TorchEngine, exact: TorchEngine, photos: Sequence[np.ndarray]) -> str:
    """How many captions are word for word those of float32 and model/beam_search.py."""
    rules, same = captioner.rules, 0
    for start in range(0, len(photos), REFERENCE):
        part = photos[start : start + REFERENCE]
        memory, state = exact.encode(np.stack(part))
        expected = beam_search(partial(_step, exact, memory), state, beams=3, rules=rules)
        found = engine.search(part, beams=3, rules=rules)
        same += sum(here[0].tokens == there[0].tokens for here, there in zip(found, expected, strict=True))
    return f"agreement: {same} of {len(photos)} captions are those of float32 on a CPU, beam 3"


def _step(engine: TorchEngine, memory: Arrays, tokens: Array, state: Arrays) -> tuple[Array, Arrays, Array | None]:
    return engine.step(tokens, memory, state)
