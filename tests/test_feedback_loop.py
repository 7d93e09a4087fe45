"""The whole feedback loop: in one call, one process at a time, and by the commands in docs/feedback.md."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from db import leases, model_registry
from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.erasure import forget
from db.photo_store import PhotoStore
from model.model_folder import load_model
from tests.support.learning_parts import RECIPE
from training.data import load_dataset
from training.evaluation.predict import InferenceOptions
from training.feedback.recipe import FeedbackRecipe
from training.feedback_loop import AlreadyLearning, LoopPaths, NothingNew, SomebodyForgotten, learn

SET = [part for name, value in RECIPE.items() for part in ("--set", f"{name}={value}")]


@pytest.fixture
def places(plain_model, features, tmp_path):
    return LoopPaths(plain_model, *(tmp_path / name for name in ("models", "exports", "runs")), features)


@pytest.fixture
def learn_now(recorded_feedback, places, plain_data, features, tmp_path):
    """learn_now(): as `captionbot learn` does, on a copy of the database."""
    shutil.copy(recorded_feedback.url.removeprefix("sqlite:///"), tmp_path / "captionbot.db")
    sessions = sessions_of(create_engine(f"sqlite:///{tmp_path}/captionbot.db"))

    def run(echo=print) -> str:
        recipe, inference = (
            FeedbackRecipe.of(RECIPE),
            InferenceOptions(encoder_weights=str(places.bundled), features=features),
        )
        return learn(
            sessions,
            recorded_feedback.store,
            places,
            recipe,
            load_dataset(plain_data),
            by="cron",
            inference=inference,
            echo=echo,
        )

    run.sessions = sessions
    return run


def stable(sessions):
    with sessions() as session:
        return model_registry.serving(session).stable


def test_a_better_candidate_is_promoted_and_the_same_feedback_is_used_once(learn_now, places):
    version = learn_now()
    assert stable(learn_now.sessions).version == version
    assert load_model(places.store / version).version == version
    with pytest.raises(NothingNew):
        learn_now()


def test_who_is_forgotten_while_it_learns_is_in_no_model_that_is_promoted(learn_now, places):
    with learn_now.sessions.begin() as session:
        session.execute(text("DELETE FROM exports"))  # those of the database that this one is a copy of

    def forget_somebody(line: str) -> None:
        if line.startswith("learning from"):
            forget(learn_now.sessions, recorded_copy(places), "web:2", places.exports)

    with pytest.raises(SomebodyForgotten):
        learn_now(echo=forget_somebody)
    assert stable(learn_now.sessions) is None
    assert [*places.runs.iterdir()] == []
    assert [*places.exports.iterdir()] == []


def recorded_copy(places) -> PhotoStore:
    """A store of its own: forgetting may delete photos."""
    return PhotoStore(str(places.exports.parent / "photos"))


def test_only_one_learns_at_a_time(learn_now):
    with learn_now.sessions.begin() as session:
        assert leases.acquire(session, "learn", "another machine", timedelta(minutes=5))
    with pytest.raises(AlreadyLearning):
        learn_now()
    assert stable(learn_now.sessions) is None


def environment(folder: Path, recorded_feedback, plain_model, features) -> dict[str, str]:
    (folder / "data").mkdir()
    (folder / "data/features").symlink_to(features)  # they are computed already
    shutil.copy(recorded_feedback.url.removeprefix("sqlite:///"), folder / "captionbot.db")
    return os.environ | {
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": f"sqlite:///{folder}/captionbot.db",
        "PHOTO_STORE": recorded_feedback.store.url,
        "MODEL_DIR": str(plain_model),
    }


def test_a_process_that_is_killed_while_it_learns_does_not_change_the_serving_model(
    recorded_feedback, plain_model, plain_data, features, tmp_path
):
    variables = environment(tmp_path, recorded_feedback, plain_model, features)
    command = [sys.executable, "-m", "captionbot", "learn", "--replay", str(plain_data), *SET, "--set", "steps=100000"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("learning from"):
            assert process.poll() is None
        time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
    sessions = sessions_of(create_engine(variables["DATABASE_URL"]))
    assert stable(sessions) is None
    assert not list((tmp_path / "data/runs").glob("*/candidate"))


STEPS = """
captionbot export
captionbot review
captionbot finetune --feedback data/exports/feedback --replay flickr8k/ --out data/runs/may
captionbot evaluate data/runs/may/candidate --compare models/bundled --data flickr8k/ --feedback data/exports/feedback
captionbot promote data/runs/may --canary 10
captionbot promote data/runs/may
captionbot models
captionbot rollback
"""


def test_from_nothing_to_a_promoted_model_by_the_commands_that_are_documented(
    recorded_feedback, plain_model, plain_data, features, tmp_path
):
    documented = (Path(__file__).resolve().parent.parent / "docs/feedback.md").read_text()
    (tmp_path / "flickr8k").symlink_to(plain_data)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/bundled").symlink_to(plain_model)
    variables = environment(tmp_path, recorded_feedback, plain_model, features)
    said = {}
    for line in STEPS.split("\n")[1:-1]:
        assert line in documented
        name, *arguments = line.split()[1:]
        result = subprocess.run(
            [sys.executable, "-m", "captionbot", name, *arguments],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == 0, (line, result.stdout, result.stderr)
        said[name] = result.stdout
    judgement = json.loads((tmp_path / "data/runs/may/judgement.json").read_text())
    assert judgement["passed"]
    assert f"{judgement['candidate']} may be promoted" in said["evaluate"]
    assert said["promote"] == f"{judgement['candidate']} serves everybody\n"
    assert judgement["candidate"] in said["models"]
    assert said["rollback"] == "The bundled model serves everybody\n"
    assert (tmp_path / "data/runs/may/report.html").is_file()
