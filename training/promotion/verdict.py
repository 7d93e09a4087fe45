"""The judge's findings about a candidate, stored as judgement.json in the candidate's run folder."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, TypeAdapter

from model.errors import BadData, DamagedModel
from model.json_files import finite, read_as
from training.runs.atomic_file import replacing
from training.runs.run_folder import CANDIDATE

JUDGEMENT = "judgement.json"  # in a run folder


@dataclass(frozen=True)
class Finding:
    """One criterion and whether the candidate meets it. The names are keys of judgement.json."""

    what: str  # name of the criterion
    told: str  # the measured values, in words
    good: bool  # whether the criterion is met


@dataclass(frozen=True)
class Judgement:
    """The findings about a candidate, and the figures that they are based on."""

    current: str  # version of the model it was compared with
    candidate: str  # version
    findings: Annotated[list[Finding], Field(min_length=1, max_length=1000)]
    figures: dict[str, Any]

    @property
    def passed(self) -> bool:
        return all(finding.good for finding in self.findings)

    @property
    def reasons(self) -> list[str]:
        """The findings that the candidate failed, in words."""
        return [f"{finding.what}: {finding.told}" for finding in self.findings if not finding.good]

    def save(self, folder: Path) -> None:
        """Write judgement.json into a run folder."""
        with replacing(folder / JUDGEMENT) as partial:
            stored = finite(dataclasses.asdict(self) | {"passed": self.passed})  # PostgreSQL stores no NaN in JSON
            partial.write_text(json.dumps(stored, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read judgement.json from a run folder. Raises BadData if it is missing or damaged."""
        path = folder / JUDGEMENT
        if not path.exists():
            raise BadData(
                f"the candidate in {folder} was not judged; run captionbot evaluate {folder / CANDIDATE} "
                "--compare CURRENT --data DATA --feedback EXPORT"
            )
        try:
            stored = read_as(TypeAdapter(cls), path, "a judgement")
            return dataclasses.replace(stored, figures=finite(stored.figures))
        except (DamagedModel, ValueError) as error:
            raise BadData(f"{error}; judge the candidate again") from None
