"""The model that serves now, and its vocabulary; works without PyTorch."""

from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from db import model_registry
from model.model_folder import VOCABULARY
from model.vocabulary import Vocabulary


def current_model(sessions: sessionmaker[Session], bundled: Path) -> Path:
    """The folder of the model that serves. bundled: the model that serves while the registry has none."""
    with sessions() as session:
        stable = model_registry.serving(session).stable
    return Path(stable.folder) if stable else bundled


def known_words(model: Path) -> frozenset[str]:
    """The words of a model's vocabulary. Raises DamagedModel."""
    return frozenset(Vocabulary.load(model / VOCABULARY).words)
