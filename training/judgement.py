"""What the judge found about a candidate, as it lies in the candidate's run folder."""

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from model.errors import BadData

CANDIDATE, JUDGEMENT = "candidate", "judgement.json"  # in a run folder


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    told: str  # figures, in words
    good: bool


@dataclass(frozen=True)
class Judgement:
    """The findings about a candidate, and the figures that they rest on."""

    current: str  # version of the model it was compared with
    candidate: str  # version
    findings: list[Finding]
    figures: dict[str, Any]

    @property
    def passed(self) -> bool:
        return all(finding.good for finding in self.findings)

    @property
    def reasons(self) -> list[str]:
        """Why it did not pass."""
        return [f"{finding.what}: {finding.told}" for finding in self.findings if not finding.good]

    def save(self, folder: Path) -> None:
        partial = folder / f"{JUDGEMENT}.partial"
        partial.write_text(json.dumps(dataclasses.asdict(self) | {"passed": self.passed}, indent=2) + "\n")
        os.replace(partial, folder / JUDGEMENT)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises BadData when the candidate in that run folder was not judged."""
        path = folder / JUDGEMENT
        try:
            stored = json.loads(path.read_text())
            findings = [Finding(**finding) for finding in stored["findings"]]
            return cls(stored["current"], stored["candidate"], findings, stored["figures"])
        except FileNotFoundError:
            raise BadData(
                f"the candidate in {folder} was not judged; run captionbot evaluate {folder / CANDIDATE} "
                "--compare CURRENT --data DATA --feedback EXPORT"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise BadData(f"{path}: not a judgement ({error}); judge the candidate again") from None
