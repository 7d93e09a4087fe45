"""Promotion: refused with reasons, or carried out whole, even if the process is killed."""

import itertools
import os
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker

from db import model_registry
from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.schema import migrate
from model.errors import BadData
from model.model_folder import ENCODER, load_model, save_model
from tests.support.random_models import random_model
from training.promotion.promote import Refused, promote, promote_again
from training.promotion.verdict import Finding, Judgement

GOOD = [Finding("validation", "CIDEr +0.010", True), Finding("held-out corrections", "likelier", True)]
BAD = [Finding("validation", "CIDEr -0.080, may fall by 0.03", False), Finding("length", "10 to 9 words", True)]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    """The bundled model, and candidates that are a little different."""
    stored, _, _ = random_model(encoder="resnet50")
    encoder = {name: value[:1] for name, value in list(stored.encoder.items())[:3]}  # small: nobody looks with it
    folder, found = tmp_path_factory.mktemp("models"), {}
    for number, name in enumerate(("bundled", "one", "two")):
        weights = stored.decoder | {"bias": stored.decoder["bias"] + number}
        found[name] = folder / name / "candidate"
        save_model(found[name], stored.config, stored.vocabulary, encoder, weights, {}, f"Model {name}.\n")
    return found


@pytest.fixture
def run(models, tmp_path):
    """run("one", findings): the run folder of a candidate that was judged against the bundled model."""

    def make(name: str = "one", findings: list[Finding] = GOOD, against: str = "bundled") -> Path:
        folder = models[name].parent
        versions = [load_model(models[model]).version for model in (against, name)]
        Judgement(*versions, findings, {"cider": 0.5}).save(folder)
        return folder

    return make


@pytest.fixture
def promoting(sessions: sessionmaker[Session], models, tmp_path):
    """promoting(run): promote it into a store of the test's own."""

    def do(folder: Path, **options) -> str:
        return promote(sessions, folder, tmp_path / "store", models["bundled"], by="somebody", **options)

    return do


def serving(sessions) -> model_registry.Serving:
    with sessions() as session:
        return model_registry.serving(session)


def kinds(sessions) -> list[str]:
    with sessions() as session:
        return [event.kind for event in model_registry.events(session)][::-1]


def test_a_candidate_that_passed_serves_from_the_store(run, promoting, sessions, models, tmp_path):
    version = promoting(run())
    assert version == load_model(models["one"]).version
    stable = serving(sessions).stable
    assert (stable.version, Path(stable.folder)) == (version, tmp_path / "store" / version)
    assert load_model(Path(stable.folder)).version == version
    assert kinds(sessions) == ["registered", "promoted"]


def test_a_worse_candidate_is_refused_with_the_reasons_and_that_is_recorded(run, promoting, sessions, tmp_path):
    with pytest.raises(Refused, match=r"is not promoted\. validation: CIDEr -0\.080, may fall by 0\.03"):
        promoting(run(findings=BAD))
    assert serving(sessions).stable is None
    assert not (tmp_path / "store").exists()
    with sessions() as session:
        event = model_registry.events(session)[0]
    assert (event.kind, event.by) == ("refused", "somebody")
    assert event.details == {"reasons": ["validation: CIDEr -0.080, may fall by 0.03"]}


def test_a_candidate_that_was_not_judged_is_refused(models, promoting, run):
    folder = run("two")
    (folder / "judgement.json").unlink()
    with pytest.raises(BadData, match="was not judged; run captionbot evaluate"):
        promoting(folder)


def test_a_candidate_that_was_judged_against_another_model_is_refused(run, promoting):
    promoting(run("one"))
    with pytest.raises(Refused, match=r"judged against \w+, but \w+ serves now: judge it again"):
        promoting(run("two"))


def test_a_candidate_that_was_changed_after_it_was_judged_is_refused(run, promoting, models):
    folder = run("one")
    judgement = Judgement.load(folder)
    Judgement(judgement.current, "0123456789ab", judgement.findings, {}).save(folder)
    with pytest.raises(Refused, match="changed after it was judged"):
        promoting(folder)


def test_a_model_that_serves_already_is_refused(run, promoting):
    promoting(run())
    with pytest.raises(Refused, match="serves already"):
        promoting(run())


def test_a_canary_gets_its_percentage_and_later_everybody(run, promoting, sessions):
    version = promoting(run(), canary=10)
    now = serving(sessions)
    assert (now.stable, now.canary.version, now.percent) == (None, version, 10)
    promoting(run())
    now = serving(sessions)
    assert (now.stable.version, now.canary, now.percent) == (version, None, 0)


def test_a_model_that_is_known_can_be_promoted_by_its_version(run, promoting, sessions):
    version = promoting(run())
    with sessions.begin() as session:
        model_registry.rollback(session, "somebody")
    assert promote_again(sessions, version, by="somebody") == version
    assert serving(sessions).stable.version == version
    with pytest.raises(Refused, match="no run folder nowhere and no model of that version"):
        promote_again(sessions, "nowhere", by="somebody")


def test_the_encoder_is_stored_once(run, promoting, models, tmp_path):
    version = promoting(run())
    assert (tmp_path / "store" / version / ENCODER).samefile(models["bundled"] / ENCODER)


WATCHED = (
    "open",
    "os.remove",
    "os.rename",
    "os.link",
    "os.mkdir",
    "shutil.copytree",
    "shutil.copyfile",
    "sqlite3.connect",
)


def kill_at(step: int, work) -> bool:
    """Do the work in a process that gets a SIGKILL before its step-th change on the disk or statement to the database.

    False: it was done.
    """
    if (child := os.fork()) == 0:
        steps = itertools.count(1)

        def take_step(*_) -> None:
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        def watch(name: str, arguments: tuple) -> None:
            if name in WATCHED and (name != "open" or set("wa+") & set(str(arguments[1]))):
                take_step()

        sys.addaudithook(watch)
        event.listen(Engine, "before_cursor_execute", take_step)
        event.listen(Engine, "commit", take_step)
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_kill_at_any_step_leaves_a_valid_registry_and_a_whole_model(run, models, tmp_path):
    url, store, folder = f"sqlite:///{tmp_path}/registry.db", tmp_path / "store", run()
    engine = create_engine(url)
    migrate(engine)
    engine.dispose()

    def work() -> None:
        promote(sessions_of(create_engine(url)), folder, store, models["bundled"], by="somebody")

    step, version = 1, load_model(models["one"]).version
    while kill_at(step, work):
        engine = create_engine(url)
        stable = serving(sessions_of(engine)).stable
        engine.dispose()
        assert stable is None or load_model(Path(stable.folder)).version == version
        assert [path.name for path in store.glob("[!.]*")] in ([], [version])
        step += 1
    assert step > 20
    assert serving(sessions_of(create_engine(url))).stable.version == version
