"""Alembic migrations of the tables, one file each; see db/schema.py."""
