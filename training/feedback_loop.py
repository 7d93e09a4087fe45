"""The whole feedback loop: export, fine-tune, judge, and promote a better model. Safe to run from cron.

A lease in the database ensures that only one process runs it at a time. After a crash the current model continues to
serve, and the lease expires.
"""

import os
import secrets
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from db import feedback_export, kept_exports, leases
from db.photo_store import PhotoStore
from model.errors import CaptionbotError
from training.captioning.setup import Echo
from training.data import Dataset
from training.evaluation.predict import InferenceOptions
from training.feedback.dataset import read_feedback
from training.feedback.finetune import finetune
from training.feedback.recipe import FeedbackRecipe
from training.promotion.judge import judge
from training.promotion.promote import promote
from training.promotion.report import write_report
from training.promotion.serving import current_model, known_words
from training.promotion.verdict import JUDGEMENT
from training.runs.run_folder import CANDIDATE

LEASE, RENEWED = timedelta(minutes=5), 60.0  # a lease's duration; seconds between two renewals


class AlreadyLearning(CaptionbotError):
    """Another process is learning at the moment. Nothing was done."""


class NothingNew(CaptionbotError):
    """There is no new feedback since the last time. Nothing was done."""


class SomebodyForgotten(CaptionbotError):
    """Somebody whose feedback it learnt from was forgotten meanwhile. What it learnt was deleted; run it again."""


@dataclass(frozen=True)
class LoopPaths:
    """Folders that the loop reads and writes."""

    bundled: Path  # the model that serves while the registry has none
    store: Path  # of promoted models
    exports: Path
    runs: Path
    features: Path


def learn(
    sessions: sessionmaker[Session],
    photos: PhotoStore,
    paths: LoopPaths,
    recipe: FeedbackRecipe,
    data: Dataset,
    *,
    by: str,
    canary: int = 0,
    inference: InferenceOptions = InferenceOptions(),  # noqa: B008  (it is frozen)
    echo: Echo = print,
) -> str:
    """Run the loop once. Returns the version that was promoted.

    Args:
        data: the original data set. Its training photos are replayed, its validation photos are used by the judge.
        by: who promotes, for the record.
        canary: percent of chats that get the promoted model; 0 = everybody.

    Raises:
        AlreadyLearning, NothingNew, SomebodyForgotten, TooLittleFeedback, Refused: nothing was promoted.
        BadData: the data set or the export cannot be used.
        DamagedModel: a model folder is not whole.
    """
    with hold_lease(sessions, "learn"):
        current = current_model(sessions, paths.bundled)
        exported = feedback_export.export(sessions, photos, paths.exports / "learn", known=known_words(current))
        echo(f"exported {exported.counts.captions:,} captions with {exported.counts.votes:,} votes")
        feedback = read_feedback(exported.folder)
        run = paths.runs / f"feedback-{feedback.hash[:12]}"
        if (run / JUDGEMENT).exists():
            raise NothingNew
        try:
            finetune(recipe, current, feedback, data, run, features=paths.features, echo=echo)
            result = judge(
                current, run / CANDIDATE, data, feedback, origin=paths.bundled, beams=recipe.beams, inference=inference
            )
        except (CaptionbotError, OSError):  # a photo may be missing because its sender was forgotten
            _check_kept(sessions, exported, run)
            raise
        _check_kept(sessions, exported, run)
        result.judgement.save(run)
        echo(f"the judge's report: {write_report(result, run)}")
        return promote(sessions, run, paths.store, paths.bundled, by=by, canary=canary)


def _check_kept(sessions: sessionmaker[Session], exported: feedback_export.Exported, run: Path) -> None:
    """Raises SomebodyForgotten, and deletes the run, if somebody in the export was forgotten."""
    with sessions() as session:
        if kept_exports.holds(session, exported.number):
            return
    shutil.rmtree(run, ignore_errors=True)
    raise SomebodyForgotten


@contextmanager
def hold_lease(sessions: sessionmaker[Session], name: str) -> Iterator[None]:
    """Hold a lease and renew it from a thread. Raises AlreadyLearning if another process holds it."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def take() -> bool:
        with sessions.begin() as session:
            return leases.acquire(session, name, holder, LEASE)

    if not take():
        raise AlreadyLearning
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEWED):
            with suppress(SQLAlchemyError):  # a short outage of the database; the lease lasts longer
                take()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        with sessions.begin() as session:
            leases.release(session, name, holder)
