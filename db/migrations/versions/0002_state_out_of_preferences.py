"""Moves state that captionbot keeps about a person out of the person's preferences."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

PEOPLE = sa.table(
    "people",
    sa.column("id", sa.Integer()),
    sa.column("preferences", sa.JSON()),
    sa.column("consent_asked_at", sa.DateTime(timezone=True)),
    sa.column("last_export_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.add_column("people", sa.Column("consent_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("people", sa.Column("last_export_at", sa.DateTime(timezone=True), nullable=True))
    connection = op.get_bind()
    for id, preferences in connection.execute(sa.select(PEOPLE.c.id, PEOPLE.c.preferences)).all():
        if values := _moved(preferences):
            connection.execute(sa.update(PEOPLE).where(PEOPLE.c.id == id).values(**values))


def _moved(preferences: dict[str, Any]) -> dict[str, Any]:
    """New column values for preferences that contain either key; otherwise an empty dict."""
    kept = dict(preferences)
    asked, exported = kept.pop("asked_for_consent", False), kept.pop("last_export", None)
    if kept == preferences:
        return {}
    return {
        "preferences": kept,
        "consent_asked_at": datetime.now(UTC) if asked else None,  # the time is not known
        "last_export_at": datetime.fromisoformat(exported).astimezone(UTC) if exported else None,
    }
