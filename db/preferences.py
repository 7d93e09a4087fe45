"""The settings of one person: language, length, quality, hedging and consent to training."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from db.caption_options import Length

Quality = Literal["quick", "careful"]


@dataclass(frozen=True)
class Preferences:
    """One person's settings."""

    language: str | None = None  # None: the language of their platform or browser
    length: Length = "normal"
    quality: Quality = "careful"  # quick: greedy search; careful: beam search with BEAMS
    hedging: bool = True  # whether uncertain captions begin with "Could be:"
    training_consent: bool | None = None  # None: not answered yet. Stored in a column of its own, not in the JSON

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote. Unknown keys, which another version may have written, are ignored."""
        return cls(**{name: value for name, value in stored.items() if name in CHOICES})

    def to_json(self) -> dict[str, Any]:
        """The settings that differ from the defaults, so that a default can be changed later."""
        defaults = asdict(Preferences())
        return {name: value for name, value in asdict(self).items() if name in CHOICES and value != defaults[name]}


CHOICES = {field.name for field in fields(Preferences)} - {"training_consent"}
