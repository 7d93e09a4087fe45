"""What tests of the worker share: a tiny model, model folders that were changed, and photos that are queued."""

import hashlib
import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from db.photo_store import PhotoStore
from db.tables import Caption, State
from model.model_folder import save_model
from tests.support.factories import make_caption, make_photo

_numbers = itertools.count(1000)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that captions at once and makes no sense."""
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny", "the first")


def save_tiny(folder: Path, card: str) -> Path:
    """The version changes with the model card."""
    pytest.importorskip("torch", reason="torch is not installed")
    from tests.support.random_models import random_model

    stored, _, _ = random_model()
    save_model(folder, stored.config, stored.vocabulary, stored.encoder, stored.decoder, {}, card)
    return folder


def renew_manifest(folder: Path) -> None:
    """Make the manifest fit files that were changed, as a careless person would."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in folder.iterdir()
        if path.name != "manifest.json"
    }
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "files": files}))


def jpeg(number: int) -> bytes:
    """Soft blots; no two numbers give the same."""
    blots = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(blots).resize((96, 72), Image.Resampling.BICUBIC).save(buffer, "JPEG")
    return buffer.getvalue()


def queue_photos(sessions: sessionmaker[Session], store: PhotoStore, count: int, **columns: Any) -> list[int]:
    """Rows of so many photos, all different, which are in the store."""
    with sessions.begin() as session:
        rows = [
            make_caption(session, "web:someone", photo=make_photo(session, store, jpeg(next(_numbers))), **columns)
            for _ in range(count)
        ]
        return [row.id for row in rows]


def rows_of(sessions: sessionmaker[Session]) -> list[Caption]:
    with sessions.begin() as session:
        return list(session.scalars(select(Caption).order_by(Caption.id)))


def states(sessions: sessionmaker[Session]) -> dict[State, int]:
    """How many rows are in each state."""
    with sessions.begin() as session:
        return dict(session.execute(select(Caption.state, func.count()).group_by(Caption.state)).all())


def all_done(sessions: sessionmaker[Session]) -> bool:
    return set(states(sessions)) <= {State.DONE}
