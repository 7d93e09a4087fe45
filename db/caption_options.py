"""Options of one caption: set by a front-end, stored in the caption's row and applied by the worker."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

Length = Literal["short", "normal", "long"]


@dataclass(frozen=True)
class CaptionOptions:
    """Beam width and sentence length.

    None means the person's preference in a request, and the worker's setting in a row.
    """

    beams: int | None = None
    length: Length | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote. Unknown keys, which another version may have written, are ignored."""
        return cls(beams=stored.get("beams"), length=stored.get("length"))

    def to_json(self) -> dict[str, Any]:
        """The options that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


DEFAULT_OPTIONS = CaptionOptions()
