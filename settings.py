"""Settings from the environment or `.env`. The only place that reads them; .env.example says what each one is for.

Read where a process starts: `settings = read_settings()`. Relative paths are meant from the project root, whatever the
working directory.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent
SAMPLE_KEYS = {"change-me", "changeme", "change_me", "secret", "sample", "example", "secret-key"}


class WrongSetting(Exception):
    """A setting has a value that cannot be used. Correct it in the environment or in .env."""


def _folder(value: object) -> object:
    if isinstance(value, str) and "://" in value:
        raise ValueError("a folder, not a URL")
    return value


def _from_root(path: Path) -> Path:
    return ROOT / path.expanduser()


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _url(*schemes: str) -> AfterValidator:
    """A check that a text is a URL of one of these schemes."""

    def check(value: str | None) -> str | None:
        if value is not None and not re.fullmatch(rf"({'|'.join(map(re.escape, schemes))})://\S+", value):
            raise ValueError(f"a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value

    return AfterValidator(check)


def _database(url: str) -> str:
    """An SQLite file is meant from the project root, as other paths are."""
    if match := re.fullmatch(r"sqlite:///(?!:memory:)(.+)", url):
        return f"sqlite:///{_from_root(Path(match[1]))}"
    return url


def _store(value: object) -> object:
    """A folder, from the project root, or any URL that fsspec takes."""
    return value if "://" in str(value) else str(_from_root(Path(str(value))))


def _admins(value: object) -> object:
    keys = tuple(key.strip() for key in value.split(",") if key.strip()) if isinstance(value, str) else value
    if not isinstance(keys, tuple) or not all(re.fullmatch(r"(telegram|discord):\d+", key) for key in keys):
        raise ValueError("platform:number, separated by commas, such as telegram:1234,discord:5678")
    return keys


def _rates(value: str) -> str:
    if not re.fullmatch(r"([1-9]\d*/(second|minute|hour|day)(;|$))+", value):
        raise ValueError("photos/time, separated by semicolons, such as 120/hour;30/minute")
    return value


def _no_sample(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    """Embedded on one's own machine any key will do; what others can reach needs a real one."""
    if value and info.data.get("broker_url") and (value.get_secret_value().lower() in SAMPLE_KEYS or len(value) < 16):
        raise ValueError("a long random text: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'")
    return value


def _secret_of_webhook(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    if not re.fullmatch(r"[\w-]{1,256}", value.get_secret_value() if value else "-", re.ASCII):
        raise ValueError("1 to 256 letters, digits, _ and -")
    if value is None and info.data.get("telegram_webhook_url"):
        raise ValueError("set, as TELEGRAM_WEBHOOK_URL is: 1 to 256 letters, digits, _ and -")
    return value


Folder = Annotated[Path, BeforeValidator(_folder), AfterValidator(_from_root)]
HttpUrl = _url("https", "http")


class Settings(BaseSettings):
    """One field for each variable, in lower case. Frozen: nothing changes once a process has started."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_ignore_empty=True,  # `ENGINE=` means the default
        extra="ignore",  # .env may hold other programs' variables
        frozen=True,
        protected_namespaces=(),
        str_strip_whitespace=True,
        validate_default=True,
    )

    # Where things are kept. URLs may hold a password, so they are not shown with the rest.
    data_dir: Folder = Path("data")
    database_url: Annotated[str, _url("sqlite", "postgresql", "postgresql+psycopg"), AfterValidator(_database)] = Field(
        default_factory=lambda values: f"sqlite:///{values['data_dir']}/captionbot.db", repr=False
    )
    redis_url: Annotated[str | None, _url("redis", "rediss", "unix")] = Field(None, repr=False)
    broker_url: str | None = Field(default_factory=lambda values: values["redis_url"], repr=False)
    key_prefix: str = Field("captionbot", pattern=r"^[\w.:-]{1,50}$")
    photo_store: Annotated[str, AfterValidator(_store)] = Field(
        default_factory=lambda values: str(values["data_dir"] / "photos"), repr=False
    )

    # The model
    model_dir: Folder = Path("models/bundled")
    model_store: Folder = Field(default_factory=lambda values: values["data_dir"] / "models")
    engine: Literal["auto", "openvino", "torch"] = "auto"
    max_batch: int = Field(32, ge=1, le=256)
    beams: int = Field(3, ge=1, le=20)
    neutral_wording: bool = False

    # Front-ends
    telegram_token: SecretStr | None = None
    telegram_api_url: Annotated[str, HttpUrl] = "https://api.telegram.org"
    telegram_webhook_url: Annotated[str | None, HttpUrl] = None
    telegram_webhook_secret: Annotated[SecretStr | None, AfterValidator(_secret_of_webhook)] = None
    telegram_webhook_host: str = "127.0.0.1"
    telegram_webhook_port: int = Field(8443, ge=0, le=65535)
    discord_token: SecretStr | None = None
    discord_api_url: Annotated[str, HttpUrl] = "https://discord.com/api/v10"
    discord_gateway_url: Annotated[str, _url("wss", "ws")] = "wss://gateway.discord.gg/"
    discord_message_content: bool = False
    discord_shards: int = Field(1, ge=0)
    web_host: str = "127.0.0.1"
    web_port: int = Field(8000, ge=0, le=65535)
    secret_key: Annotated[SecretStr | None, AfterValidator(_no_sample)] = None
    admin_ids: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_admins)] = ()

    # Limits
    retention_hours: float = Field(24, gt=0)
    feedback_retention_days: float = Field(365, gt=0)
    rate_limit: Annotated[str, AfterValidator(_rates)] = "120/hour;30/minute"
    queue_limit: int = Field(1000, ge=1)
    max_photo_mb: float = Field(20, gt=0)
    max_pixels: int = Field(50_000_000, ge=1)

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    log_format: Literal["text", "json"] = "text"

    @property
    def embedded(self) -> bool:
        """One process does it all: there is no broker that others could reach."""
        return self.broker_url is None


def read_settings(env_file: Path | None = ROOT / ".env") -> Settings:
    """The settings of this process. Raises WrongSetting: the variable, what was read, and what would be right."""
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        # A default that was not computed because another value is wrong is no second mistake.
        mistakes = [mistake for mistake in error.errors() if mistake["type"] != "default_factory_not_called"]
        raise WrongSetting("; ".join(_in_words(mistake) for mistake in mistakes)) from None


RIGHT = {  # what pydantic found wrong -> what would be right
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "literal_error": "{expected}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "value_error": "{error}",
}


def _in_words(mistake: Any) -> str:  # one of pydantic's ErrorDetails
    right = RIGHT[mistake["type"]].format(**mistake.get("ctx", {})) if mistake["type"] in RIGHT else mistake["msg"]
    name = str(mistake["loc"][0])
    return f"{name.upper()} is {_shown(name, mistake['input'])}; it should be {right}"


def _shown(name: str, value: object) -> str:
    """What was read, without what must not be printed: secrets, and passwords in URLs."""
    if value is None:
        return "not set"
    if SecretStr in getattr(Settings.model_fields[name].annotation, "__args__", ()):
        return "'**********'"
    return re.sub(r"(?<=://)[^/@]*@", "***@", repr(value))
