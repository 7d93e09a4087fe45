"""The report of reading a data set: counts, and what was dropped for which reason."""

from dataclasses import dataclass, field
from pathlib import Path

SHOWN = 3  # examples of each reason in the printed table


@dataclass
class Report:
    """Filled in while a data set is read. `print(report)` prints a table."""

    source: str
    format: str
    read: tuple[int, int] = (0, 0)  # photos, captions
    splits: dict[str, tuple[int, int]] = field(default_factory=dict)  # split -> photos, captions kept
    sources: dict[str, int] = field(default_factory=dict)  # source -> captions kept; empty if the data set names none
    dropped: dict[str, list[str]] = field(default_factory=dict)  # reason -> photos, captions or lines
    notes: list[str] = field(default_factory=list)

    def drop(self, reason: str, what: str) -> None:
        self.dropped.setdefault(reason, []).append(what)

    def drop_line(self, reason: str, path: Path, line: int) -> None:
        self.drop(reason, f"{path.name} line {line}")

    def summary(self) -> str:
        """The reasons and counts of what was dropped, in one line."""
        return "; ".join(f"{reason}: {len(what):,}" for reason, what in self.dropped.items())

    def to_json(self) -> dict[str, object]:
        """The report as JSON values. For each reason it has the count and the first hundred names."""
        return {
            "source": self.source,
            "format": self.format,
            "read": {"photos": self.read[0], "captions": self.read[1]},
            "splits": {split: {"photos": p, "captions": c} for split, (p, c) in self.splits.items()},
            "sources": dict(self.sources),
            "dropped": {why: {"count": len(what), "what": what[:100]} for why, what in self.dropped.items()},
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        rows = [("", "photos", "captions"), _row("read", *self.read)]
        rows += [_row(split, *counts) for split, counts in self.splits.items()]
        lines = [f"{self.source} ({self.format})", *(f"  {a:<8}{b:>10}{c:>10}" for a, b, c in rows)]
        lines += [f"  {source:<8}{'':>10}{count:>10,}" for source, count in self.sources.items()]
        if self.dropped:
            lines.append("dropped")
            wide = max(map(len, self.dropped))
            lines += [
                f"  {reason:<{wide}}{len(what):>8,}   {_first_names(what)}" for reason, what in self.dropped.items()
            ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def _row(name: str, photos: int, captions: int) -> tuple[str, str, str]:
    return name, f"{photos:,}", f"{captions:,}"


def _first_names(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
