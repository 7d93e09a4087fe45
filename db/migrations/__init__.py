"""The history of the tables, one file a step, run by Alembic; see db/schema.py."""
