"""Settings from the environment or `.env`. The only place that reads them; .env.example says what each one is for.

Read where a process starts: `settings = read_settings()`. Relative paths are meant from the project root, whatever the
working directory.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent


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


Folder = Annotated[Path, BeforeValidator(_folder), AfterValidator(_from_root)]


class Settings(BaseSettings):
    """One field for each variable, in lower case. Frozen: nothing changes once a process has started."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_ignore_empty=True,  # `ENGINE=` means the default
        extra="ignore",  # .env may hold other programs' variables
        frozen=True,
        protected_namespaces=(),
        validate_default=True,
    )

    data_dir: Folder = Path("data")
    model_dir: Folder = Path("models/bundled")
    model_store: Folder = Field(default_factory=lambda values: values["data_dir"] / "models")
    engine: Literal["auto", "openvino", "torch"] = "auto"
    max_batch: int = Field(16, ge=1, le=256)
    beams: int = Field(3, ge=1, le=20)
    max_photo_mb: float = Field(20, gt=0)
    max_pixels: int = Field(50_000_000, ge=1)
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    log_format: Literal["text", "json"] = "text"


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
    "literal_error": "{expected}",
    "value_error": "{error}",
}


def _in_words(mistake: Any) -> str:  # one of pydantic's ErrorDetails
    right = RIGHT[mistake["type"]].format(**mistake.get("ctx", {})) if mistake["type"] in RIGHT else mistake["msg"]
    return f"{str(mistake['loc'][0]).upper()} is {mistake['input']!r}; it should be {right}"
