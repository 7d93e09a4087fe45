"""What a person has set: in the environment and in .env, as they wrote it; and names that are nearly a setting."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values

from settings.messages import without_credentials
from settings.settings import Settings

SIMILAR = 0.85  # how much a name must resemble that of a setting, 0 to 1


def given_settings(settings: Settings) -> dict[str, str]:
    """Setting -> its value as written; the environment comes before .env. Secrets are not shown."""
    written = {name: value for name, value in _written().items() if value and name.lower() in Settings.model_fields}
    return {name: _shown(name, value, settings) for name, value in sorted(written.items())}


def misspelt_settings() -> dict[str, str]:
    """Name that is no setting -> the setting that it resembles. Names of other programs resemble none."""
    known = [name.upper() for name in Settings.model_fields]
    unknown = (name for name, value in _written().items() if value and name not in known)
    similar = {name: get_close_matches(name, known, n=1, cutoff=SIMILAR) for name in sorted(unknown)}
    return {name: matches[0] for name, matches in similar.items() if matches}


def _written() -> dict[str, str | None]:
    file = Settings.model_config.get("env_file")
    in_file: Mapping[str, str | None] = dotenv_values(file, encoding="utf-8-sig") if isinstance(file, Path) else {}
    return {name.upper(): value for source in (in_file, os.environ) for name, value in source.items()}


def _shown(name: str, value: str, settings: Settings) -> str:
    typed = getattr(settings, name.lower())
    if hasattr(typed, "get_secret_value"):
        return "***"
    return without_credentials(value) if "://" in value else value
