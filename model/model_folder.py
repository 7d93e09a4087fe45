"""Read and write a model folder: the weights and everything that is needed to use them.

    config.json  vocabulary.json  encoder.safetensors  decoder.safetensors  metrics.json  README.md  manifest.json

The manifest lists size and SHA-256 of every other file; they are checked when the folder is read. `confidence.json`
(see confidence.py) and `quantization.json` (see openvino/quantization.py) are optional. The encoder may be missing too:
a training run on cached features of a teacher has none.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from model.confidence import Confidence
from model.config import ModelConfig
from model.errors import DamagedModel, one_line
from model.json_files import first_fault, read_object
from model.vocabulary import Vocabulary

Weights = dict[str, np.ndarray]
FORMAT = 1
MANIFEST = "manifest.json"
CONFIG, VOCABULARY, METRICS, CARD = "config.json", "vocabulary.json", "metrics.json", "README.md"
ENCODER, DECODER = "encoder.safetensors", "decoder.safetensors"
CONFIDENCE, QUANTIZATION = "confidence.json", "quantization.json"
REQUIRED = (CONFIG, VOCABULARY, DECODER, METRICS, CARD)
MAX_BYTES = 1_000_000_000  # of one file; the largest encoder, a ResNet101 in float32, has 180 MB
FLOATS = {np.dtype(name) for name in ("float16", "float32", "float64")}

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]  # in the folder itself


@dataclass(frozen=True)
class ListedFile:
    """The entry of a file in the manifest."""

    bytes: Annotated[int, Field(ge=0, le=MAX_BYTES, strict=True)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


Files = Annotated[dict[FileName, ListedFile], Field(max_length=100)]
FILES = TypeAdapter(Files)


@dataclass(frozen=True)
class StoredModel:
    """A model folder in memory."""

    config: ModelConfig
    vocabulary: Vocabulary
    encoder: Weights | None  # torchvision's names, without `fc.` and `num_batches_tracked`; convolutions float16
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
    """Write a model folder atomically: under a temporary name beside it, checked, then renamed.

    Args:
        folder: it replaces an existing one.
        config, vocabulary, encoder, decoder, confidence, quantization: see StoredModel.
        metrics: measured figures, a JSON object.
        card: the model card, Markdown.
        pictures: file name -> content, for the model card.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        draft.chmod(0o755)  # mkdtemp makes it private
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
        _save_json({"format": FORMAT, "files": FILES.dump_python(files)}, draft / MANIFEST)
        load_model(draft)
        for path in draft.iterdir():
            _flush(path)
        _flush(draft)
        _replace(draft, folder)
        _flush(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load_model(folder: Path) -> StoredModel:
    """Read and check a model folder. Raises DamagedModel: which file is damaged, and how."""
    if not folder.is_dir():
        raise DamagedModel(f"{folder}: there is no such model folder")
    files = read_manifest(folder)
    for name, expected in files.items():
        _check(folder / name, expected)
    missing = [name for name in REQUIRED if name not in files]
    if missing:
        raise DamagedModel(f"{folder / MANIFEST}: does not list {', '.join(missing)}")
    confidence = read_object(folder / CONFIDENCE) if CONFIDENCE in files else None
    if confidence is not None:
        Confidence.from_json(confidence)
    stored = StoredModel(
        config=ModelConfig.load(folder / CONFIG),
        vocabulary=Vocabulary.load(folder / VOCABULARY),
        encoder=_load_weights(folder / ENCODER) if ENCODER in files else None,
        decoder=_load_weights(folder / DECODER),
        metrics=read_object(folder / METRICS),
        version=version(files),
        confidence=confidence,
        quantization=read_object(folder / QUANTIZATION) if QUANTIZATION in files else None,
    )
    if len(stored.vocabulary) != stored.config.vocabulary_size:
        raise DamagedModel(
            f"{folder / VOCABULARY}: has {len(stored.vocabulary)} words, "
            f"but the network was built for {stored.config.vocabulary_size}"
        )
    return stored


def version(files: Mapping[str, ListedFile]) -> str:
    """Twelve hex digits that change with any byte of any file."""
    listing = "".join(f"{name} {files[name].sha256}\n" for name in sorted(files))
    return hashlib.sha256(listing.encode()).hexdigest()[:12]


def read_manifest(folder: Path) -> dict[str, ListedFile]:
    """The files of a model folder, by name; nothing else in it is part of the model. Raises DamagedModel."""
    path = folder / MANIFEST
    if not path.is_file():
        raise DamagedModel(f"{folder}: not a model folder, {MANIFEST} is missing")
    manifest = read_object(path)
    if manifest.get("format") != FORMAT:
        raise DamagedModel(
            f"{path}: format is {one_line(repr(manifest.get('format')))}, this captionbot reads {FORMAT}"
        )
    try:
        return FILES.validate_python(manifest.get("files"))
    except ValidationError as error:
        raise DamagedModel(f"{path}: its list of files is not readable ({first_fault(error)})") from None


def _fingerprint(path: Path) -> ListedFile:
    with path.open("rb") as file:
        return ListedFile(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _check(path: Path, expected: ListedFile) -> None:
    if not path.is_file():
        raise DamagedModel(f"{path}: missing")
    size = path.stat().st_size
    if size < expected.bytes:
        raise DamagedModel(f"{path}: truncated, {size:,} of {expected.bytes:,} bytes")
    if size > expected.bytes or _fingerprint(path) != expected:
        raise DamagedModel(f"{path}: damaged or changed, its hash is not the one in {MANIFEST}")


def save_weights(weights: Weights, path: Path) -> None:
    """Write a safetensors file. Arrays are made contiguous first: others would be written in a wrong order silently."""
    save_file({name: np.ascontiguousarray(array) for name, array in weights.items()}, path)
    path.chmod(0o644)  # safetensors makes it private


def _load_weights(path: Path) -> Weights:
    """Raises DamagedModel, also for weights that are no finite numbers: every sentence would be one of them."""
    try:
        weights = load_file(path)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:  # also of a type that NumPy does not have
        raise DamagedModel(f"{path}: not a safetensors file ({one_line(error)})") from None
    for name, array in weights.items():
        if array.dtype not in FLOATS:
            raise DamagedModel(f"{path}: {one_line(name)} is of type {array.dtype}, weights are floating-point numbers")
        if not np.isfinite(array).all():
            raise DamagedModel(f"{path}: {one_line(name)} holds numbers that are not finite")
    return weights


def _save_json(value: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk, so that a power cut after the rename cannot leave it incomplete."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(draft: Path, folder: Path) -> None:
    """Rename the draft to its final name. A folder cannot replace another one, so the old one is renamed first."""
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
