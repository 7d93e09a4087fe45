"""Tells Alembic which connection to use and which tables there should be. Run by db/schema.py."""

from typing import Literal

from alembic import context

from db.tables import Base, UtcDateTime


def render(kind: str, item: object, _: object) -> str | Literal[False]:
    """Migrations know nothing of tables.py: it will have changed when they run. False: as Alembic would write it."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter a column: the table is copied
    render_item=render,
)
context.run_migrations()
