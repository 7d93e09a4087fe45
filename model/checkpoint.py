"""A model folder: weights and all that is needed to use them, checked when it is read.

    config.json  vocabulary.json  encoder.safetensors  decoder.safetensors  metrics.json  README.md  manifest.json

The manifest lists size and SHA-256 of every other file. `confidence.json` (see confidence.py) and `quantization.json`
(see quantization.py) may be there too, and the encoder may be missing: a run on cached features has none yet.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from model.config import ModelConfig
from model.errors import DamagedModel
from model.vocabulary import Vocabulary

Weights = dict[str, np.ndarray]
FORMAT = 1
MANIFEST = "manifest.json"
CONFIG, VOCABULARY, METRICS, CARD = "config.json", "vocabulary.json", "metrics.json", "README.md"
ENCODER, DECODER = "encoder.safetensors", "decoder.safetensors"
CONFIDENCE, QUANTIZATION = "confidence.json", "quantization.json"
REQUIRED = (CONFIG, VOCABULARY, DECODER, METRICS, CARD)


@dataclass(frozen=True)
class StoredModel:
    """A model folder in memory."""

    config: ModelConfig
    vocabulary: Vocabulary
    encoder: Weights | None  # torchvision's names, without `fc.` and `num_batches_tracked`; convolutions fp16
    decoder: Weights  # names of the PyTorch decoder's state_dict
    metrics: dict[str, Any]
    version: str  # twelve hex digits of the hash over all files
    confidence: dict[str, Any] | None = None
    quantization: dict[str, Any] | None = None


def save_model(
    folder: Path,
    config: ModelConfig,
    vocabulary: Vocabulary,
    encoder: Weights | None,
    decoder: Weights,
    metrics: dict[str, Any],
    card: str,
    confidence: dict[str, Any] | None = None,
    quantization: dict[str, Any] | None = None,
    pictures: Mapping[str, bytes] | None = None,
) -> None:
    """Write the folder whole or not at all: under a temporary name beside it, checked, then renamed.

    pictures: file name -> content, for the model card.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        draft.chmod(0o755)  # mkdtemp lets nobody else read it
        config.save(draft / CONFIG)
        vocabulary.save(draft / VOCABULARY)
        save_weights(decoder, draft / DECODER)
        if encoder is not None:
            save_weights(encoder, draft / ENCODER)
        _save_json(metrics, draft / METRICS)
        if confidence is not None:
            _save_json(confidence, draft / CONFIDENCE)
        if quantization is not None:
            _save_json(quantization, draft / QUANTIZATION)
        (draft / CARD).write_text(card)
        for name, content in (pictures or {}).items():
            (draft / name).write_bytes(content)
        files = {path.name: _fingerprint(path) for path in sorted(draft.iterdir())}
        _save_json({"format": FORMAT, "files": files}, draft / MANIFEST)
        load_model(draft)
        for path in draft.iterdir():
            _flush(path)
        _flush(draft)
        _replace(draft, folder)
        _flush(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load_model(folder: Path) -> StoredModel:
    """Read and check a model folder. Raises DamagedModel: the file, and what is wrong with it."""
    if not folder.is_dir():
        raise DamagedModel(f"{folder}: there is no such model folder")
    files = _read_manifest(folder)
    for name, expected in files.items():
        _check(folder / name, expected)
    missing = [name for name in REQUIRED if name not in files]
    if missing:
        raise DamagedModel(f"{folder / MANIFEST}: does not list {', '.join(missing)}")
    stored = StoredModel(
        config=ModelConfig.load(folder / CONFIG),
        vocabulary=Vocabulary.load(folder / VOCABULARY),
        encoder=_load_weights(folder / ENCODER) if ENCODER in files else None,
        decoder=_load_weights(folder / DECODER),
        metrics=_load_json(folder / METRICS),
        version=version(files),
        confidence=_load_json(folder / CONFIDENCE) if CONFIDENCE in files else None,
        quantization=_load_json(folder / QUANTIZATION) if QUANTIZATION in files else None,
    )
    if len(stored.vocabulary) != stored.config.vocabulary_size:
        raise DamagedModel(
            f"{folder / VOCABULARY}: has {len(stored.vocabulary)} words, "
            f"but the network was built for {stored.config.vocabulary_size}"
        )
    return stored


def version(files: Mapping[str, Mapping[str, Any]]) -> str:
    """Twelve hex digits that change with any byte of any file."""
    listing = "".join(f"{name} {files[name]['sha256']}\n" for name in sorted(files))
    return hashlib.sha256(listing.encode()).hexdigest()[:12]


def _read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / MANIFEST
    if not path.is_file():
        raise DamagedModel(f"{folder}: not a model folder, {MANIFEST} is missing")
    manifest = _load_json(path)
    if manifest.get("format") != FORMAT:
        raise DamagedModel(f"{path}: format is {manifest.get('format')!r}, this captionbot reads {FORMAT}")
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(
        name == Path(name).name and isinstance(entry, dict) and {"bytes", "sha256"} <= entry.keys()
        for name, entry in files.items()
    ):
        raise DamagedModel(f"{path}: its list of files is not readable")
    return files


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _check(path: Path, expected: Mapping[str, Any]) -> None:
    if not path.is_file():
        raise DamagedModel(f"{path}: missing")
    size = path.stat().st_size
    if size < expected["bytes"]:
        raise DamagedModel(f"{path}: truncated, {size:,} of {expected['bytes']:,} bytes")
    if _fingerprint(path) != expected:
        raise DamagedModel(f"{path}: damaged or changed, its hash is not the one in {MANIFEST}")


def save_weights(weights: Weights, path: Path) -> None:
    """Write a safetensors file. Row by row, because it would write a channels-last array in a wrong order silently."""
    save_file({name: np.ascontiguousarray(array) for name, array in weights.items()}, path)
    path.chmod(0o644)  # safetensors lets only the owner read it


def _load_weights(path: Path) -> Weights:
    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise DamagedModel(f"{path}: not a safetensors file ({error})") from None


def _save_json(value: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def _load_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except ValueError as error:
        raise DamagedModel(f"{path}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise DamagedModel(f"{path}: must hold a JSON object")
    return value


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk, so that a power cut after the rename leaves no holes."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(draft: Path, folder: Path) -> None:
    """Rename the draft into place. A folder cannot be renamed over a full one, so the old one steps aside first."""
    if not folder.exists():
        os.rename(draft, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent)) / folder.name
    os.rename(folder, old)
    try:
        os.rename(draft, folder)
    except OSError:
        os.rename(old, folder)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
