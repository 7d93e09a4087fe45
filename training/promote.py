"""From a judged candidate to the model that serves: into the model store, then into the registry.

The folder comes first and is written whole or not at all; the registry changes in one transaction. Whenever this is
killed, what served before serves on, and the same command does it again.
"""

import filecmp
import os
import shutil
import tempfile
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from db import model_registry
from model.checkpoint import ENCODER, load_model
from model.errors import CaptionbotError
from training.judgement import CANDIDATE, Judgement


class Refused(CaptionbotError):
    """That model is not promoted."""


def promote(sessions: sessionmaker[Session], run: Path, store: Path, bundled: Path, *, by: str, canary: int = 0) -> str:
    """Let the candidate of a run serve: everybody, or as a canary so many percent. Returns its version.

    Raises Refused, with the reasons, when the judge has not passed it or judged it against another model than the one
    that serves now; BadData when it was not judged; DamagedModel.
    """
    judgement = Judgement.load(run)
    candidate = load_model(run / CANDIDATE)
    reasons = judgement.reasons
    if judgement.candidate != candidate.version:
        reasons = ["it was changed after it was judged: judge it again", *reasons]
    with sessions() as session:
        serving = model_registry.serving(session)
    now = serving.stable.version if serving.stable else load_model(bundled).version
    if candidate.version == now:
        raise Refused(f"{now} serves already")
    if judgement.current != now:
        reasons = [f"it was judged against {judgement.current}, but {now} serves now: judge it again", *reasons]
    if reasons:
        with sessions.begin() as session:
            model_registry.refuse(session, candidate.version, by, reasons)
        raise Refused(f"{candidate.version} is not promoted. " + "; ".join(reasons))
    folder = install(run / CANDIDATE, store, shared_with=Path(serving.stable.folder) if serving.stable else bundled)
    with sessions.begin() as session:
        model_registry.register(session, candidate.version, str(folder), judgement.figures, passed=True, by=by)
        model_registry.promote(session, candidate.version, by, canary)
    return candidate.version


def promote_again(sessions: sessionmaker[Session], version: str, *, by: str, canary: int = 0) -> str:
    """Let a model serve that the registry knows already. Raises Refused."""
    try:
        with sessions.begin() as session:
            model_registry.promote(session, version, by, canary)
    except model_registry.UnknownModel:
        raise Refused(f"there is no run folder {version} and no model of that version") from None
    except model_registry.NotPassed as error:
        raise Refused(f"{version} is not promoted. {error.__doc__}") from None
    return version


def install(model: Path, store: Path, *, shared_with: Path) -> Path:
    """Copy a model folder into the store under its version; one that is there already is checked. Returns its folder.

    shared_with: the model whose encoder it has: on one disk the two then share the file.
    """
    stored = load_model(model)
    folder = store / stored.version
    if not folder.exists():
        store.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{stored.version}.", dir=store))
        try:
            shutil.copytree(model, draft, dirs_exist_ok=True)
            draft.chmod(0o755)
            _share(shared_with / ENCODER, draft / ENCODER)
            load_model(draft)
            os.rename(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    load_model(folder)
    return folder


def _share(ours: Path, copy: Path) -> None:
    """Make one file of two with the same content, where the file system can: encoders are most of a model folder."""
    if not ours.is_file() or not copy.is_file() or not filecmp.cmp(ours, copy, shallow=False):
        return
    link = copy.with_name(f".{copy.name}")
    try:
        os.link(ours, link)
    except OSError:  # another disk
        return
    os.replace(link, copy)
