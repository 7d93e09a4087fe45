"""Settings of a run, read strictly from a TOML file and `--set NAME=VALUE`."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, Self

from model.errors import BadRecipe


class TomlConfig:
    """Base of frozen dataclasses of settings. A wrong name or type raises BadRecipe, which says what is allowed."""

    @classmethod
    def load(cls, path: Path, overrides: list[str] | None = None) -> Self:
        """Read a TOML file, then apply `name=value` overrides."""
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            known = ", ".join(sorted(file.stem for file in (Path(__file__).parent.parent / "configs").glob("*.toml")))
            raise BadRecipe(f"no recipe at {path}; the ones that come with captionbot are {known}") from None
        except (OSError, ValueError) as error:  # a folder, no text, no TOML
            raise BadRecipe(f"{path}: {error}") from None
        for override in overrides or []:
            name, separator, value = override.partition("=")
            if not separator:
                raise BadRecipe(f"--set {override}: write it as name=value")
            values[name.strip()] = _parse(value.strip())
        return cls.of(values)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Check names and types; an int is accepted for a float."""
        fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        checked = {}
        for name, value in values.items():
            if name not in fields:
                raise BadRecipe(f"unknown setting {name!r}; the settings are {', '.join(fields)}")
            default = fields[name].default
            if isinstance(default, tuple):
                several, like = value if isinstance(value, list | tuple) else [value], default[0] if default else ""
                checked[name] = tuple(_checked(f"each of {name}", each, like) for each in several)
            else:
                checked[name] = _checked(name, value, default)
        return cls(**checked)

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        values = dataclasses.asdict(self)  # type: ignore[call-overload]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _checked(name: str, value: Any, like: Any) -> Any:
    """The value, if it has the type of `like`."""
    if isinstance(like, float) and type(value) is int:
        return float(value)
    if type(value) is not type(like):
        raise BadRecipe(f"{name} is {value!r}; it must be a {type(like).__name__}, such as {like!r}")
    return value


def _parse(text: str) -> Any:
    """Parse a TOML value; anything else is a string, so that --set data=/some/path needs no quotes."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
