"""All settings, with their defaults, and how they are read."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from settings import urls, values
from settings.env_file import check_env_file
from settings.messages import sentence, sentence_of
from settings.urls import ApiUrl, HttpUrl, sqlite_url
from settings.values import ROOT, Folder, Host, Token, WrongSetting

SHORTEST_SECRET = 6  # characters
PSYCOPG = ("", "binary", "c", "python")  # its implementations


class Settings(BaseSettings):
    """One field for each environment variable, in lower case. Immutable."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_file_encoding="utf-8-sig",  # some editors begin a file with a byte order mark
        env_ignore_empty=True,  # `ENGINE=` is the default
        extra="ignore",  # .env may contain variables of other programs
        frozen=True,
        protected_namespaces=(),
        str_strip_whitespace=True,
        validate_default=True,
    )

    # Storage. URLs may contain a password, so they are not part of the repr.
    data_dir: Folder = Path("data")
    database_url: Annotated[str, AfterValidator(urls.database)] = Field(
        default_factory=lambda given: sqlite_url(given["data_dir"] / "captionbot.db"),
        validate_default=False,
        repr=False,
    )
    redis_url: Annotated[str | None, AfterValidator(urls.redis)] = Field(None, repr=False)
    broker_url: Annotated[str | None, AfterValidator(urls.broker)] = Field(
        default_factory=lambda given: given["redis_url"], repr=False
    )
    broker_transport: Literal["auto", "kombu"] = "auto"
    key_prefix: Annotated[str, AfterValidator(values.key_prefix)] = "captionbot"
    photo_store: Annotated[str, AfterValidator(urls.store)] = Field(
        default_factory=lambda given: str(given["data_dir"] / "photos"), repr=False
    )

    # The model
    model_dir: Folder = Path("models/bundled")
    model_store: Folder = Field(default_factory=lambda given: given["data_dir"] / "models")
    engine: Literal["auto", "openvino", "torch"] = "auto"
    max_batch: int = Field(32, ge=1, le=256)
    beams: int = Field(3, ge=1, le=20)
    neutral_wording: bool = False

    # Front-ends
    label_captions: bool = False
    languages_dir: Folder | None = None
    telegram_token: Token = None
    telegram_api_url: Annotated[str, ApiUrl] = Field("https://api.telegram.org", repr=False)
    telegram_files_dir: Folder | None = None
    telegram_webhook_url: Annotated[str | None, HttpUrl] = Field(None, repr=False)
    telegram_webhook_secret: Annotated[SecretStr | None, AfterValidator(values.webhook_secret)] = None
    telegram_webhook_host: Host = "127.0.0.1"
    telegram_webhook_port: int = Field(8443, ge=0, le=65535)
    discord_token: Token = None
    discord_api_url: Annotated[str, ApiUrl] = Field("https://discord.com/api/v10", repr=False)
    discord_gateway_url: Annotated[str, urls.url_of("wss", "ws")] = Field("wss://gateway.discord.gg/", repr=False)
    discord_message_content: bool = False
    discord_shards: int = Field(1, ge=0, le=10_000)
    web_host: Host = "127.0.0.1"
    web_port: int = Field(8000, ge=0, le=65535)
    web_root_path: Annotated[str, AfterValidator(values.root_path)] = ""
    secret_key: Annotated[SecretStr | None, AfterValidator(values.secret_key)] = None
    admin_ids: Annotated[tuple[str, ...], NoDecode, BeforeValidator(values.admins)] = ()

    # Limits
    retention_hours: float = Field(24, gt=0, le=1_000_000)
    feedback_retention_days: float = Field(365, gt=0, le=100_000)
    rate_limit: Annotated[str, AfterValidator(values.rates)] = "120/hour;30/minute"
    queue_limit: int = Field(1000, ge=1, le=1_000_000_000)
    person_queue_limit: int = Field(
        default_factory=lambda given: max(1, given["queue_limit"] // 5), ge=1, le=1_000_000_000
    )
    chat_queue_limit: int = Field(
        default_factory=lambda given: max(1, given["queue_limit"] // 2), ge=1, le=1_000_000_000
    )
    max_photo_mb: float = Field(20, gt=0, le=10_000)
    max_pixels: int = Field(50_000_000, ge=1, le=1_000_000_000)
    max_decoding_pixels: int = Field(60_000_000, ge=1, le=1_000_000_000_000)

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(values.upper)] = "INFO"
    log_format: Literal["text", "json"] = "text"

    @property
    def max_photo_bytes(self) -> int:
        """MAX_PHOTO_MB in bytes."""
        return round(self.max_photo_mb * 1e6)

    @property
    def secrets(self) -> set[str]:
        """What no log and no message may show: tokens, keys, and the passwords in URLs.

        Very short ones are left out, because their letters are everywhere. So is what stands before the colon in
        Telegram's token: it is the bot's id, which is public.
        """
        found = set()
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                secret = value.get_secret_value()
                found.add(secret.partition(":")[2] or secret if name == "telegram_token" else secret)
            elif isinstance(value, str) and (password := re.search(r"://[^/@:]*:(.+)@", value)):
                found |= {password[1], unquote(password[1])}
        return {secret for secret in found if len(secret) >= SHORTEST_SECRET}

    @property
    def embedded(self) -> bool:
        """Whether everything runs in one process, because there is no broker to reach others."""
        return self.broker_url is None


def read_settings(env_file: Path | None = ROOT / ".env") -> Settings:
    """Read the settings. Raises WrongSetting with each invalid variable, its value, and what it should be."""
    if env_file is not None:
        check_env_file(env_file)
    if (driver := os.environ.get("PSYCOPG_IMPL", "")) not in PSYCOPG:  # it would fail while DATABASE_URL is checked
        raise WrongSetting(sentence("PSYCOPG_IMPL", driver, f"not set, or one of {', '.join(filter(None, PSYCOPG))}"))
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        # Defaults that depend on an invalid value are not reported: they are no further errors.
        errors = [details for details in error.errors() if details["type"] != "default_factory_not_called"]
        sentences = (sentence_of(details, Settings.model_fields[str(details["loc"][0])]) for details in errors)
        raise WrongSetting("; ".join(sentences)) from None
