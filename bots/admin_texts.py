"""Answers to admins, as plain text that looks right in a font of equal width."""

from collections.abc import Sequence
from typing import Any

from bots.administering import ModelView
from bots.texts import say


def models_text(models: Sequence[ModelView], language: str) -> str:
    """A line for each model: version, whether the judge has passed it, and what it captions for."""
    if not models:
        return say(language, "admin.no_models")
    return "\n".join(f"{model.version}  {_role(model, language)}" for model in models)


def _role(model: ModelView, language: str) -> str:
    if model.percent:
        return say(language, "admin.serves", percent=model.percent)
    return say(language, "admin.passed" if model.passed else "admin.not_passed")


def promoted_text(version: str, percent: int, language: str) -> str:
    return say(language, "admin.promoted" if percent == 100 else "admin.tried", version=version, percent=percent)


def rolled_back_text(now: str | None, language: str) -> str:
    return say(language, "admin.rolled_back", version=now) if now else say(language, "admin.rolled_back_to_bundled")


def stats_text(stats: Any, language: str) -> str:
    return str(stats)
