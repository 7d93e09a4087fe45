"""Checks of what is set, and of the models that serve."""

from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import CaptionbotError
from roles.doctor.findings import check_can_create
from roles.doctor.storage import has_database
from roles.startup import startup_errors

if TYPE_CHECKING:
    from settings import Settings


def check_settings(settings: "Settings") -> str:
    """What was set, as it was written, and names that are no setting but nearly one."""
    from settings.given import given_settings, misspelt_settings

    if wrong := misspelt_settings():
        raise CaptionbotError("; ".join(f"{name}: did you mean {meant}?" for name, meant in wrong.items()))
    given = ", ".join(f"{name}={value}" for name, value in given_settings(settings).items())
    return f"set: {given}" if given else "nothing is set; all have their defaults"


def check_environment(settings: "Settings") -> str:
    from settings import environment

    with startup_errors():
        environment.check_environment(settings)
    return "no variable that libraries read is wrong"


def check_secret_key(settings: "Settings") -> str:
    from bots.web.secret_key import secret_key

    if settings.embedded and not settings.secret_key and not (settings.data_dir / "secret_key").exists():
        check_can_create(settings.data_dir, "DATA_DIR")
        return f"will be generated and stored in {settings.data_dir}"
    with startup_errors():
        secret_key(settings)
    return "set" if settings.secret_key else f"generated and stored in {settings.data_dir}"


def check_model(settings: "Settings") -> str:
    """Check every model folder that serves: MODEL_DIR and the promoted models."""
    from model.model_folder import load_model

    folders = [settings.model_dir, *(_promoted(settings) if has_database(settings) else [])]
    return "; ".join(f"{load_model(folder).version} in {folder} is complete" for folder in folders)


def _promoted(settings: "Settings") -> list[Path]:
    from sqlalchemy.exc import SQLAlchemyError

    from db.engine import create_engine, sessions
    from db.model_registry import serving

    try:
        with sessions(create_engine(settings.database_url))() as session:
            current = serving(session)
    except SQLAlchemyError:  # the check of the database reports it
        return []
    return [Path(model.folder) for model in (current.stable, current.canary) if model]


def check_engine(settings: "Settings") -> str:
    """Caption a grey square: only that shows whether the engine works on this processor."""
    import numpy as np

    from model.captioner import Captioner, choose_engine

    captioner = Captioner.load(settings.model_dir, settings.engine)
    size = captioner.config.photo_size
    captioner.caption([np.full((size, size, 3), 127, np.uint8)], beams=settings.beams)
    return f"{choose_engine(settings.engine)} captions a photo"
