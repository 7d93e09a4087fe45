"""The worker's model loader: which versions it holds, and how it follows the registry."""

import time
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from db import model_registry
from db.model_registry import Serving, uses_canary
from model.captioner import Captioner
from model.config import ModelConfig
from model.errors import DamagedModel
from model.model_folder import StoredModel
from model.vocabulary import SPECIAL, Vocabulary
from tests.support.factories import make_model
from worker.model_loader import CurrentModel

BUNDLED = Path("models/bundled")


class Folders:
    """Loads models that are there, refuses those that are damaged, and counts."""

    def __init__(self, *damaged: str):
        self.damaged, self.loaded = set(damaged), []

    def __call__(self, folder: Path) -> Captioner:
        self.loaded.append(folder.name)
        if folder.name in self.damaged:
            raise DamagedModel(f"{folder}: damaged")
        vocabulary = Vocabulary([*SPECIAL, "a", "dog"])
        stored = StoredModel(ModelConfig(len(vocabulary)), vocabulary, None, {}, {}, f"hash of {folder.name}")
        return Captioner(stored, engine=None)


@pytest.fixture
def registry(sessions: sessionmaker[Session]):
    """registry("v1") promotes v1, registry("v2", 50) makes v2 a canary, registry(None) rolls back."""

    def change(version: str | None, percent: int = 0) -> None:
        with sessions.begin() as session:
            if version is None:
                model_registry.rollback(session, "a test")
                return
            if version not in {model.version for model in model_registry.models(session)}:
                make_model(session, version)
            model_registry.promote(session, version, "a test", percent)

    return change


@pytest.fixture
def serving(sessions):
    def read() -> Serving:
        with sessions() as session:
            return model_registry.serving(session)

    return read


def started(folders: Folders, serving) -> CurrentModel:
    """Looked once; the tests look by hand after that."""
    current = CurrentModel(folders, serving, BUNDLED)
    current.start()
    current.stop()
    return current


def test_without_a_registry_row_the_bundled_model_serves(serving):
    current = started(Folders(), serving)
    assert current.choose("web:1").version == "hash of bundled"
    assert current.versions == ["hash of bundled"]


def test_a_promoted_model_takes_over(serving, registry):
    current = started(Folders(), serving)
    registry("v1")
    current.refresh()
    assert (current.choose("web:1").version, current.versions) == ("v1", ["v1"])
    assert current.choose("web:1").captioner.version == "hash of v1"


def test_a_job_keeps_the_model_that_it_was_given(serving, registry):
    current = started(Folders(), serving)
    given = current.choose("web:1")
    registry("v1")
    current.refresh()
    assert given.captioner.version == "hash of bundled"


def test_going_back_to_the_bundled_model(serving, registry):
    registry("v1")
    current = started(Folders(), serving)
    registry(None)
    current.refresh()
    assert current.choose("web:1").version == "hash of bundled"


def test_going_back_takes_no_loading(serving, registry):
    folders = Folders()
    current = started(folders, serving)
    for version in ("v1", None, "v1"):
        registry(version)
        current.refresh()
    assert current.choose("web:1").version == "v1"
    assert folders.loaded == ["bundled", "v1"]


def test_only_the_last_one_is_kept_to_go_back_to(serving, registry):
    folders = Folders()
    current = started(folders, serving)
    for version in ("v1", "v2", None, None):
        registry(version)
        current.refresh()
    assert folders.loaded == ["bundled", "v1", "v2", "bundled"]


def test_a_canary_serves_its_share_and_nobody_else(serving, registry):
    registry("v1")
    registry("v2", 30)
    current = started(Folders(), serving)
    people = [f"web:{number}" for number in range(200)]
    assert {key for key in people if current.choose(key).version == "v2"} == {
        key for key in people if uses_canary(key, 30)
    }
    assert current.versions == ["v1", "v2"]


def test_a_canary_that_becomes_stable_is_not_loaded_again(serving, registry):
    folders = Folders()
    registry("v1", 50)
    current = started(folders, serving)
    registry("v1")
    current.refresh()
    assert (current.versions, folders.loaded) == (["v1"], ["bundled", "v1"])


def test_looking_without_a_change_loads_nothing(serving):
    folders = Folders()
    current = started(folders, serving)
    current.refresh()
    current.refresh()
    assert folders.loaded == ["bundled"]


def test_a_damaged_model_leaves_what_serves_and_is_not_tried_at_every_look(serving, registry):
    folders = Folders("v2")
    registry("v1")
    current = started(folders, serving)
    registry("v2")
    for _ in range(3):
        current.refresh()
    assert (current.versions, folders.loaded) == (["v1"], ["v1", "v2"])


def test_a_damaged_canary_leaves_everybody_to_the_stable_model(serving, registry):
    registry("v1")
    registry("v2", 100)
    current = started(Folders("v2"), serving)
    assert current.choose("web:1").version == "v1"


def test_a_worker_that_starts_with_a_damaged_model_serves_the_bundled_one(serving, registry):
    registry("v1")
    assert started(Folders("v1"), serving).versions == ["hash of bundled"]


def test_a_worker_without_any_model_does_not_start(serving):
    with pytest.raises(DamagedModel, match="bundled"):
        CurrentModel(Folders("bundled"), serving, BUNDLED).start()


def test_a_registry_that_does_not_answer_changes_nothing(serving, registry):
    answers = [serving, lambda: 1 / 0]
    registry("v1")
    current = CurrentModel(Folders(), lambda: answers[0](), BUNDLED)
    current.refresh()
    answers.pop(0)
    current.refresh()
    assert current.versions == ["v1"]


def test_a_change_is_seen_within_seconds(serving, registry):
    current = CurrentModel(Folders(), serving, BUNDLED)
    current.start()
    registry("v1")
    end = time.monotonic() + 20
    while current.versions != ["v1"] and time.monotonic() < end:
        time.sleep(0.05)
    current.stop()
    assert current.versions == ["v1"]
