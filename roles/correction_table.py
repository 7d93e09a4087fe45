"""Corrections that wait for an admin, as a table in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from db.tables import Correction


def show_corrections(corrections: Sequence[Correction], what: str) -> None:
    """A row a correction: number, sentence, what it corrects, writer, reason. No text is taken for markup."""
    if not corrections:
        print(f"No corrections are {what}.")
        return
    table = Table(
        "number", "correction", "of", "by", "reason", title=f"{len(corrections)} {what}", title_justify="left"
    )
    for row in corrections:
        table.add_row(str(row.id), row.text, row.caption.text, row.person.key, row.reason or "", end_section=True)
    Console(highlight=False, markup=False).print(table)
