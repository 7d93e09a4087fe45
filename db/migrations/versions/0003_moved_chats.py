"""Adds the key under which a chat goes on that got another identity."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("chats", sa.Column("moved_to", sa.String(length=200), nullable=True))
