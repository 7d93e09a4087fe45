"""Answers to admins as plain text, to be shown in a monospaced font."""

from collections.abc import Sequence
from typing import Any

from bots.i18n import say
from bots.service.admin import ModelView


def models_text(models: Sequence[ModelView], language: str) -> str:
    """A line for each model: its version, and its share of the chats or whether it has passed evaluation."""
    if not models:
        return say(language, "admin.no_models")
    return "\n".join(f"{model.version}  {_role(model, language)}" for model in models)


def _role(model: ModelView, language: str) -> str:
    if model.percent:
        return say(language, "admin.serves", percent=model.percent)
    return say(language, "admin.passed" if model.passed else "admin.not_passed")


def promoted_text(version: str, percent: int, language: str) -> str:
    """The answer after a model was promoted to this percentage of the chats."""
    return say(language, "admin.promoted" if percent == 100 else "admin.tried", version=version, percent=percent)


def rolled_back_text(now: str | None, language: str) -> str:
    """The answer after a rollback. now: the version that serves now; None for the bundled model."""
    return say(language, "admin.rolled_back", version=now) if now else say(language, "admin.rolled_back_to_bundled")


def stats_text(stats: Any, language: str) -> str:
    return str(stats)
