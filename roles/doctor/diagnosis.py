"""The checks of `captionbot doctor`: everything that captionbot needs, and how to repair what is wrong."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bots.log_redaction import without_secrets
from model.errors import CaptionbotError
from roles.doctor.chat_bots import check_discord, check_languages, check_proxies, check_telegram
from roles.doctor.findings import Finding, Skipped
from roles.doctor.installation import check_engine, check_environment, check_model, check_secret_key, check_settings
from roles.doctor.storage import check_broker, check_database, check_photo_store

if TYPE_CHECKING:
    from settings import Settings

CHECKS: dict[str, Callable[["Settings"], str]] = {
    "settings": check_settings,
    "environment": check_environment,
    "secret key": check_secret_key,
    "Telegram": check_telegram,
    "Discord": check_discord,
    "proxies": check_proxies,
    "languages": check_languages,
    "database": check_database,
    "broker": check_broker,
    "photo store": check_photo_store,
    "model": check_model,
    "engine": check_engine,
}


def diagnose(settings: "Settings") -> Iterator[Finding]:
    """Run each check. None of them creates anything. That the settings can be read is known, because they are given."""
    for name, check in CHECKS.items():
        try:
            yield Finding(name, True, without_secrets(check(settings), settings.secrets))
        except Skipped as reason:
            yield Finding(name, True, str(reason), skipped=True)
        except ModuleNotFoundError as error:
            yield Finding(name, False, f"{error.name} is not installed here: pip install -e '.[bots,worker]'")
        except CaptionbotError as error:
            yield Finding(name, False, without_secrets(str(error), settings.secrets))
