"""Which model serves, and what it knows: for commands that must work without PyTorch."""

from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from db import model_registry
from model.checkpoint import VOCABULARY
from model.vocabulary import Vocabulary


def current_model(sessions: sessionmaker[Session], bundled: Path) -> Path:
    """The folder of the model that serves. bundled: the one that does while the registry names none."""
    with sessions() as session:
        stable = model_registry.serving(session).stable
    return Path(stable.folder) if stable else bundled


def known_words(model: Path) -> frozenset[str]:
    """The words of a model's vocabulary. Raises DamagedModel."""
    return frozenset(Vocabulary.load(model / VOCABULARY).words)
