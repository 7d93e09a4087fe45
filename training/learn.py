"""The whole loop, safe to run from cron: export, fine-tune, judge, and promote what is better.

One at a time: a lease in the database says whose turn it is. A crash leaves what serves as it is; the lease runs out.
"""

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from db import feedback_export, leases
from db.photo_store import PhotoStore
from model.errors import CaptionbotError
from training.data import Dataset
from training.describe import Method
from training.feedback import read_feedback
from training.finetune import finetune
from training.finetune_recipe import FeedbackRecipe
from training.ingredients import Say
from training.judge import judge
from training.judge_report import write_report
from training.judgement import CANDIDATE, JUDGEMENT
from training.promote import promote
from training.serving import current_model, known_words

LEASE, RENEWED = timedelta(minutes=5), 60.0  # seconds between two renewals


class AlreadyLearning(CaptionbotError):
    """Another process is learning at the moment. Nothing was done."""


class NothingNew(CaptionbotError):
    """People said nothing new since the last time. Nothing was done."""


@dataclass(frozen=True)
class Places:
    """Where things lie."""

    bundled: Path  # the model that serves while the registry names none
    store: Path  # of models
    exports: Path
    runs: Path
    features: Path


def learn(
    sessions: sessionmaker[Session],
    photos: PhotoStore,
    places: Places,
    recipe: FeedbackRecipe,
    data: Dataset,
    *,
    by: str,
    canary: int = 0,
    method: Method = Method(),  # noqa: B008  (it is frozen)
    say: Say = print,
) -> str:
    """Returns the version that was promoted.

    Raises AlreadyLearning, NothingNew, TooLittleFeedback, Refused: nothing was promoted; BadData, DamagedModel.

    data: the original data set, replayed from its training photos and judged by its validation photos.
    """
    with leased(sessions, "learn"):
        current = current_model(sessions, places.bundled)
        exported = feedback_export.export(sessions, photos, places.exports / "learn", known=known_words(current))
        say(f"exported {exported.counts.captions:,} captions with {exported.counts.votes:,} votes")
        feedback = read_feedback(exported.folder)
        run = places.runs / f"feedback-{feedback.hash[:12]}"
        if (run / JUDGEMENT).exists():
            raise NothingNew
        finetune(recipe, current, feedback, data, run, features=places.features, say=say)
        case = judge(current, run / CANDIDATE, data, feedback, origin=places.bundled, beams=recipe.beams, method=method)
        case.judgement.save(run)
        say(f"the judge's report: {write_report(case, run)}")
        return promote(sessions, run, places.store, places.bundled, by=by, canary=canary)


@contextmanager
def leased(sessions: sessionmaker[Session], name: str) -> Iterator[None]:
    """Hold a task's lease, renewed from a thread. Raises AlreadyLearning when another process has it."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def take() -> bool:
        with sessions.begin() as session:
            return leases.take(session, name, holder, LEASE)

    if not take():
        raise AlreadyLearning
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEWED):
            with suppress(SQLAlchemyError):  # the database is away for a moment; the lease lasts longer
                take()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        with sessions.begin() as session:
            leases.give_back(session, name, holder)
