"""Grids of features, computed once and kept on disk, so that training need not run the encoder.

One folder an encoder and preprocessing: `photos.json` (ids in order), one `<view>.npy` a view of each photo, float16
(N, R, C), and `<view>.done.npy`, bool (N,), which makes a stopped computation go on where it was. No pickles.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from model.encoders import normalise
from model.errors import BadData, UnreadablePhoto
from model.photos import read_photo
from training.augment import vary
from training.data import Dataset, Example
from training.precision import has_bf16
from training.run_state import replacing

PREPROCESSING = "square-224-imagenet-1"  # change it when model/photos.py or normalise() gives other pixels
MANY = 200  # photos from which on making a graph for OpenVINO, some seconds, is won back


def key_of(name: str, encoder: nn.Module) -> str:
    """Name of the cache folder: encoder, hash of its weights, preprocessing.

    Batch norms also count their batches. That changes no feature, and model folders do not keep it.
    """
    digest = hashlib.sha256(PREPROCESSING.encode())
    for parameter, value in sorted(encoder.state_dict().items()):
        if not parameter.endswith("num_batches_tracked"):
            digest.update(parameter.encode() + value.cpu().contiguous().numpy().tobytes())
    return f"{name}-{digest.hexdigest()[:12]}"


def grid_of(output: torch.Tensor | list[torch.Tensor]) -> torch.Tensor:
    """What an encoder gives as a grid (B, R, C). A teacher gives a list of feature maps (B, C, h, w): the last one."""
    return output[-1].flatten(2).transpose(1, 2) if isinstance(output, list) else output


class Features:
    """Features on disk, read through memory maps; safe to share between processes."""

    def __init__(self, folder: Path, views: Sequence[str] = ("plain",)):
        if not (folder / "photos.json").is_file():
            raise BadData(f"no features in {folder}; run captionbot features first")
        self.ids: list[str] = json.loads((folder / "photos.json").read_text())
        self.row = {name: number for number, name in enumerate(self.ids)}
        self.views = {view: np.load(folder / f"{view}.npy", mmap_mode="r") for view in views}
        self.done = {view: np.load(folder / f"{view}.done.npy") for view in views}

    def __contains__(self, photo: str) -> bool:
        return photo in self.row and all(done[self.row[photo]] for done in self.done.values())

    def batch(self, photos: Sequence[str], view: str = "plain") -> np.ndarray:
        """Grids of these photos, float16 (B, R, C)."""
        return self.views[view][[self.row[photo] for photo in photos]]


def compute_features(
    dataset: Dataset,
    examples: Sequence[Example],
    encoder: nn.Module,
    folder: Path,
    *,
    views: Sequence[str] = ("plain",),
    batch: int = 32,
    device: str = "cpu",
) -> dict[str, str]:
    """Fill `folder` with the features of these photos of the data set. What is there already stays.

    Returns the photos that could not be read: id -> reason; they are skipped, not fatal.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "photos.json"
    if not listed.exists():
        with replacing(listed) as partial:
            partial.write_text(json.dumps([example.id for example in dataset.examples]))
    row = {photo: number for number, photo in enumerate(json.loads(listed.read_text()))}
    if not all(example.id in row for example in examples):
        raise BadData(f"{folder} holds features of other photos; remove it, or keep these elsewhere (features=FOLDER)")
    broken: dict[str, str] = {}
    encode: Callable[[np.ndarray], np.ndarray] | None = None
    with ThreadPoolExecutor(2) as threads:
        for view in views:
            if (folder / f"{view}.done.npy").exists():
                done = np.load(folder / f"{view}.done.npy")
                if all(done[row[example.id]] for example in examples):
                    continue
            encode = encode or _encode_function(encoder, device, len(examples) * len(views))
            grids, done = _open(folder, view, len(row), encode)
            todo = [example for example in examples if not done[row[example.id]]]
            with tqdm(total=len(todo), desc=f"features, {view}", unit="photo", disable=None) as bar:
                for start in range(0, len(todo), batch):
                    part = todo[start : start + batch]
                    pixels = list(threads.map(lambda example: _read(dataset, example, broken), part))
                    good = [(row[e.id], photo) for e, photo in zip(part, pixels, strict=True) if photo is not None]
                    if good:
                        rows, stack = [number for number, _ in good], np.stack([photo for _, photo in good])
                        seen = [example for example in part if example.id not in broken]
                        grids[rows] = encode(_view(view, stack, seen))
                        grids.flush()  # first to the disk, then marked as done
                        done[rows] = True
                    bar.update(len(part))
    return broken


def _open(folder: Path, view: str, count: int, encode: Callable) -> tuple[np.memmap, np.memmap]:
    """The view's two arrays, opened for writing; made when they are not there."""
    path, flags = folder / f"{view}.npy", folder / f"{view}.done.npy"
    if path.exists() and flags.exists():
        return np.lib.format.open_memmap(path, "r+"), np.lib.format.open_memmap(flags, "r+")
    shape = encode(np.zeros((1, 224, 224, 3), np.uint8)).shape[1:]
    grids = np.lib.format.open_memmap(path, "w+", np.float16, (count, *shape))
    return grids, np.lib.format.open_memmap(flags, "w+", np.bool_, (count,))


def _read(dataset: Dataset, example: Example, broken: dict[str, str]) -> np.ndarray | None:
    try:
        return read_photo(dataset.photo_bytes(example))
    except (UnreadablePhoto, OSError) as error:
        broken[example.id] = f"{example.photo}: {error}"
        return None


def _view(view: str, photos: np.ndarray, examples: Sequence[Example]) -> np.ndarray:
    """What a view makes of photos, uint8 (B, H, W, 3). What it draws depends on its name and the photo's alone."""
    if view == "flip":
        return photos[:, :, ::-1]
    if not view.startswith("cut"):
        return photos
    varied = []
    for photo, example in zip(torch.from_numpy(photos), examples, strict=True):
        random = np.random.default_rng([*f"{view} {example.id}".encode()])
        varied.append(vary(photo[None], example.mirrorable & (random.random(1) < 0.5), random))
    return torch.cat(varied).round().to(torch.uint8).numpy()


class _FromPixels(nn.Module):
    """uint8 (B, H, W, 3) -> grid (B, R, C)."""

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.encoder = encoder

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return grid_of(self.encoder(normalise(photos)))


def _encode_function(encoder: nn.Module, device: str, photos: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function from pixels to grids, for so many photos.

    On a CPU many are left to OpenVINO, which is twice as fast there, in bfloat16 where the processor has it.
    """
    network = _FromPixels(encoder).eval()
    if device == "cpu" and photos >= MANY:
        from model.openvino_runtime import compile_graph, openvino

        with warnings.catch_warnings(action="ignore"):  # it goes through parts of PyTorch that are to be replaced
            graph = openvino.convert_model(network, example_input=torch.zeros(1, 224, 224, 3, dtype=torch.uint8))
        compiled = compile_graph(graph, precision="bf16" if has_bf16(torch.device(device)) else "f32")
        return lambda photos: compiled(np.ascontiguousarray(photos))[0]
    network = network.to(device).to(memory_format=torch.channels_last)

    def encode(photos: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=device != "cpu"):
            return network(torch.from_numpy(np.ascontiguousarray(photos)).to(device)).float().cpu().numpy()

    return encode
