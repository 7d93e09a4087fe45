"""A cache of feature grids on disk, so that training need not run the encoder.

There is a folder for each encoder and preprocessing. It holds `photos.json` (the N photos' ids in order) and for each
view `<view>.npy`, float16 (N, R, C), and `<view>.done.npy`, bool (N,), with which an interrupted computation resumes.
Nothing is pickled.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from model.errors import BadData, UnreadablePhoto, one_line
from model.openvino.quantization import Quantization
from model.preprocessing import read_photo
from model.pytorch.encoders import normalise
from training.data import Dataset, Example
from training.data.text_files import read_json
from training.features.augment import augment
from training.features.fast_inference import Int8Encoder, compile_for_cpu
from training.runs.atomic_file import replacing

PREPROCESSING = "square-224-imagenet-1"  # change it whenever model/preprocessing.py or normalise() gives other pixels
OPENVINO_FROM = 200  # photos; with fewer, compiling for OpenVINO takes longer than it saves


def cache_key(name: str, encoder: nn.Module, quantization: Quantization | None = None) -> str:
    """Name of the cache folder: the encoder, and a hash of its weights, of the preprocessing and of 8-bit ranges.

    The batch norms' counts of batches are ignored: they change no feature, and model folders do not store them.
    """
    digest = hashlib.sha256(PREPROCESSING.encode())
    for parameter, value in sorted(encoder.state_dict().items()):
        if not parameter.endswith("num_batches_tracked"):
            digest.update(parameter.encode() + value.cpu().contiguous().numpy().tobytes())
    if quantization:
        digest.update(json.dumps(quantization.to_json(), sort_keys=True).encode())
    return f"{name}{'-int8' if quantization else ''}-{digest.hexdigest()[:12]}"


def to_grid(output: torch.Tensor | list[torch.Tensor]) -> torch.Tensor:
    """An encoder's output as a grid (B, R, C). Of a teacher's list of feature maps (B, C, h, w) it is the last one."""
    return output[-1].flatten(2).transpose(1, 2) if isinstance(output, list) else output


class FeatureCache:
    """Cached features, read through memory maps; safe to use in several processes."""

    def __init__(self, folder: Path, views: Sequence[str] = ("plain",)):
        if not (folder / "photos.json").is_file():
            raise BadData(f"no features in {folder}; run captionbot features first")
        self.ids = _photo_ids(folder)
        self.row = {name: number for number, name in enumerate(self.ids)}
        try:
            self.views = {view: np.load(folder / f"{view}.npy", mmap_mode="r") for view in views}
            self.done = {view: np.load(folder / f"{view}.done.npy") for view in views}
        except (OSError, ValueError) as error:
            raise BadData(f"{folder}: the features are damaged ({one_line(error)}); remove the folder") from None
        if any(len(rows) != len(self.ids) for rows in (*self.views.values(), *self.done.values())):
            raise BadData(f"{folder}: the features are damaged (of other photos than listed); remove the folder")

    def __contains__(self, photo: str) -> bool:
        return photo in self.row and all(done[self.row[photo]] for done in self.done.values())

    def batch(self, photos: Sequence[str], view: str = "plain") -> np.ndarray:
        """Grids of these photos in one view, float16 (B, R, C)."""
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
    int8: Int8Encoder | None = None,
) -> dict[str, str]:
    """Compute the features of photos that are not in the cache folder yet.

    Args:
        examples: photos of the data set.
        int8: computes them instead of the encoder.

    Returns:
        Photo id -> why the photo could not be read. Such photos are skipped.

    Raises:
        BadData: the folder holds features of other photos.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "photos.json"
    if not listed.exists():
        with replacing(listed) as partial:
            partial.write_text(json.dumps([example.id for example in dataset.examples]))
    row = {photo: number for number, photo in enumerate(_photo_ids(folder))}
    if not all(example.id in row for example in examples):
        raise BadData(f"{folder} holds features of other photos; remove it, or keep these elsewhere (features=FOLDER)")
    unreadable: dict[str, str] = {}
    encode: Callable[[np.ndarray], np.ndarray] | None = None
    with ThreadPoolExecutor(2) as threads:
        for view in views:
            if (folder / f"{view}.done.npy").exists():
                done = np.load(folder / f"{view}.done.npy")
                if all(done[row[example.id]] for example in examples):
                    continue
            encode = encode or int8 or _encode_function(encoder, device, len(examples) * len(views))
            grids, done = _open(folder, view, len(row), encode)
            todo = [example for example in examples if not done[row[example.id]]]
            with tqdm(total=len(todo), desc=f"features, {view}", unit="photo", disable=None) as bar:
                for start in range(0, len(todo), batch):
                    part = todo[start : start + batch]
                    pixels = list(threads.map(lambda example: _read(dataset, example, unreadable), part))
                    good = [(row[e.id], photo) for e, photo in zip(part, pixels, strict=True) if photo is not None]
                    if good:
                        rows, stack = [number for number, _ in good], np.stack([photo for _, photo in good])
                        readable = [example for example in part if example.id not in unreadable]
                        grids[rows] = encode(_apply_view(view, stack, readable))
                        grids.flush()  # written before the photos are marked as done
                        done[rows] = True
                    bar.update(len(part))
    return unreadable


def _photo_ids(folder: Path) -> list[str]:
    path = folder / "photos.json"
    ids = read_json(path)
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        raise BadData(f"{path}: not a list of photos; remove the folder")
    return ids


def _open(folder: Path, view: str, count: int, encode: Callable) -> tuple[np.memmap, np.memmap]:
    """Open the two arrays of a view for writing, or create them."""
    path, flags = folder / f"{view}.npy", folder / f"{view}.done.npy"
    if path.exists() and flags.exists():
        return np.lib.format.open_memmap(path, "r+"), np.lib.format.open_memmap(flags, "r+")
    shape = encode(np.zeros((1, 224, 224, 3), np.uint8)).shape[1:]
    grids = np.lib.format.open_memmap(path, "w+", np.float16, (count, *shape))
    return grids, np.lib.format.open_memmap(flags, "w+", np.bool_, (count,))


def _read(dataset: Dataset, example: Example, unreadable: dict[str, str]) -> np.ndarray | None:
    try:
        return read_photo(dataset.photo_bytes(example))
    except (UnreadablePhoto, OSError) as error:
        unreadable[example.id] = f"{example.photo}: {error}"
        return None


def _apply_view(view: str, photos: np.ndarray, examples: Sequence[Example]) -> np.ndarray:
    """Apply a view to photos, uint8 (B, H, W, 3). Its random numbers depend only on the view and the photo's id."""
    if view == "flip":
        return photos[:, :, ::-1]
    if not view.startswith("cut"):
        return photos
    varied = []
    for photo, example in zip(torch.from_numpy(photos), examples, strict=True):
        random = np.random.default_rng([*f"{view} {example.id}".encode()])
        varied.append(augment(photo[None], example.mirrorable & (random.random(1) < 0.5), random))
    return torch.cat(varied).round().to(torch.uint8).numpy()


class _PixelEncoder(nn.Module):
    """uint8 (B, H, W, 3) -> grid (B, R, C)."""

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.encoder = encoder

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return to_grid(self.encoder(normalise(photos)))


def _encode_function(encoder: nn.Module, device: str, photos: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from pixels uint8 (B, H, W, 3) to grids (B, R, C).

    On a CPU many photos are encoded with OpenVINO, which is twice as fast there, in bfloat16 where the CPU has it.
    """
    network = _PixelEncoder(encoder).eval()
    if device == "cpu" and photos >= OPENVINO_FROM:
        compiled = compile_for_cpu(network, torch.zeros(1, 224, 224, 3, dtype=torch.uint8))
        return lambda photos: compiled(photos)[0]
    network = network.to(device).to(memory_format=torch.channels_last)

    def encode(photos: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=device != "cpu"):
            return network(torch.from_numpy(np.ascontiguousarray(photos)).to(device)).float().cpu().numpy()

    return encode
