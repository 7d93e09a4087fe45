"""Alembic's environment: the connection and the expected tables. Run by db/schema.py."""

from typing import Literal

from alembic import context

from db.caption_search import is_search_table
from db.column_types import JsonOf, UtcDateTime
from db.tables import Base


def render(kind: str, item: object, _: object) -> str | Literal[False]:
    """Write our column types as plain SQLAlchemy types, because migrations must not depend on code that changes.

    Returns:
        Python source; False for Alembic's default.
    """
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return "sa.JSON()" if isinstance(item, JsonOf) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter a column, so the table is copied
    render_item=render,
    include_name=lambda name, kind, parents: not (kind == "table" and is_search_table(name)),
)
context.run_migrations()
