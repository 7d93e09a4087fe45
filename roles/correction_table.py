"""Shows corrections as a table in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from db.tables import Correction


def show_corrections(corrections: Sequence[Correction], state: str) -> None:
    """Print one row for each correction. state: such as "quarantined", for the title."""
    if not corrections:
        print(f"No corrections are {state}.")
        return
    table = Table(
        "number", "correction", "of", "by", "reason", title=f"{len(corrections)} {state}", title_justify="left"
    )
    for row in corrections:
        table.add_row(str(row.id), row.text, row.caption.text, row.person.key, row.reason or "", end_section=True)
    Console(highlight=False, markup=False).print(table)
