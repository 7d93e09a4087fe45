"""The whole loop: in one call, one at a time, and as the README has it on the command line."""

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
from learning_parts import RECIPE

torch = pytest.importorskip("torch")

from db import leases, model_registry  # noqa: E402
from db.engine import create_engine  # noqa: E402
from db.engine import sessions as sessions_of  # noqa: E402
from model.checkpoint import load_model  # noqa: E402
from training.data import load_dataset  # noqa: E402
from training.describe import Method  # noqa: E402
from training.finetune_recipe import FeedbackRecipe  # noqa: E402
from training.learn import AlreadyLearning, NothingNew, Places, learn  # noqa: E402

SET = [part for name, value in RECIPE.items() for part in ("--set", f"{name}={value}")]


@pytest.fixture
def places(plain_model, features, tmp_path):
    return Places(plain_model, *(tmp_path / name for name in ("models", "exports", "runs")), features)


@pytest.fixture
def learn_now(told, places, plain_data, features, tmp_path):
    """learn_now(): as `captionbot learn` does, on a copy of the database."""
    shutil.copy(told.url.removeprefix("sqlite:///"), tmp_path / "captionbot.db")
    sessions = sessions_of(create_engine(f"sqlite:///{tmp_path}/captionbot.db"))

    def run() -> str:
        recipe, method = FeedbackRecipe.of(RECIPE), Method(encoder_weights=str(places.bundled), features=features)
        return learn(sessions, told.store, places, recipe, load_dataset(plain_data), by="cron", method=method)

    run.sessions = sessions
    return run


def stable(sessions):
    with sessions() as session:
        return model_registry.serving(session).stable


def test_what_is_better_is_promoted_and_nothing_is_learnt_twice(learn_now, places):
    version = learn_now()
    assert stable(learn_now.sessions).version == version
    assert load_model(places.store / version).version == version
    with pytest.raises(NothingNew):
        learn_now()


def test_only_one_learns_at_a_time(learn_now):
    with learn_now.sessions.begin() as session:
        assert leases.take(session, "learn", "another machine", timedelta(minutes=5))
    with pytest.raises(AlreadyLearning):
        learn_now()
    assert stable(learn_now.sessions) is None


def environment(folder: Path, told, plain_model, features) -> dict[str, str]:
    (folder / "data").mkdir()
    (folder / "data/features").symlink_to(features)  # they are computed already
    shutil.copy(told.url.removeprefix("sqlite:///"), folder / "captionbot.db")
    return os.environ | {
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": f"sqlite:///{folder}/captionbot.db",
        "PHOTO_STORE": told.store.url,
        "MODEL_DIR": str(plain_model),
    }


def test_a_process_that_is_killed_while_it_learns_leaves_what_serves(told, plain_model, plain_data, features, tmp_path):
    variables = environment(tmp_path, told, plain_model, features)
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
    told, plain_model, plain_data, features, tmp_path
):
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text()
    (tmp_path / "flickr8k").symlink_to(plain_data)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/bundled").symlink_to(plain_model)
    variables = environment(tmp_path, told, plain_model, features)
    said = {}
    for line in STEPS.split("\n")[1:-1]:
        assert line in readme
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
