"""Promotes a judged candidate: copies it into the model store, then registers it as the serving model.

The folder is written first, whole or not at all; the registry changes in one transaction. If the process is killed at
any point, the previous model continues to serve, and the same command can be run again.
"""

import filecmp
import os
import shutil
import tempfile
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from db import model_registry
from model.errors import CaptionbotError
from model.model_folder import ENCODER, MANIFEST, load_model, read_manifest
from model.openvino.quantization import Quantization
from training.promotion.verdict import Judgement
from training.runs.run_folder import CANDIDATE


class Refused(CaptionbotError):
    """The model cannot be promoted."""


def promote(sessions: sessionmaker[Session], run: Path, store: Path, bundled: Path, *, by: str, canary: int = 0) -> str:
    """Let the candidate of a run serve. Returns its version.

    Args:
        run: run folder of the candidate.
        store: folder of all promoted models.
        bundled: the model that serves while the registry has none.
        by: who promotes it, for the record.
        canary: percent of chats that get it; 0 = everybody.

    Raises:
        Refused: the candidate has not passed, or was judged against another model than the one that serves now.
        BadData: the candidate was not judged.
        DamagedModel: the candidate is not a whole model folder.
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
    """Let a model serve that is already in the registry. Raises Refused."""
    try:
        with sessions.begin() as session:
            model_registry.promote(session, version, by, canary)
    except model_registry.UnknownModel:
        raise Refused(f"there is no run folder {version} and no model of that version") from None
    except model_registry.NotPassed as error:
        raise Refused(f"{version} is not promoted. {error.__doc__}") from None
    return version


def install(model: Path, store: Path, *, shared_with: Path) -> Path:
    """Copy a model folder into the store under its version; if it is there already, check it. Returns its folder.

    Args:
        shared_with: a model folder that may have the same encoder; its file is then hard-linked instead of copied.

    Raises:
        DamagedModel: a folder is not a whole model folder.
    """
    stored = load_model(model)
    if stored.quantization is not None:
        Quantization.from_json(stored.quantization, stored.encoder or {})
    folder = store / stored.version
    if not folder.exists():
        store.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{stored.version}.", dir=store))
        try:
            for name in (MANIFEST, *read_manifest(model)):  # whatever else is there, or links elsewhere, stays there
                shutil.copy2(model / name, draft / name)
            draft.chmod(0o755)
            _link_if_equal(shared_with / ENCODER, draft / ENCODER)
            load_model(draft)
            os.rename(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    load_model(folder)
    return folder


def _link_if_equal(original: Path, copy: Path) -> None:
    """Replace a copy by a hard link if the contents are equal: encoders are most of a model folder."""
    if not original.is_file() or not copy.is_file() or not filecmp.cmp(original, copy, shallow=False):
        return
    link = copy.with_name(f".{copy.name}")
    try:
        os.link(original, link)
    except OSError:  # on another file system
        return
    os.replace(link, copy)
