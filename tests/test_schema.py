"""Migrations make the tables that the code expects, and a wrong version is refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, Connection, DateTime, Engine, column, inspect, select, table, text

from db.caption_search import is_search_table
from db.engine import create_engine, sessions
from db.preferences import Preferences
from db.schema import NewSchema, OldSchema, check_schema, migrate
from db.tables import Base, Person

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def drop_search(connection: Connection) -> None:
    """Remove what the migration of the search index made."""
    if connection.dialect.name == "postgresql":
        for name in ("words(text)", "refresh(integer)", "caption()", "correction()"):
            connection.execute(text(f"DROP FUNCTION caption_search_{name} CASCADE"))  # and the triggers
        connection.execute(text("DROP TABLE caption_search"))
        return
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'caption_search_%'"
    for trigger in connection.scalars(text(triggers)).all():
        connection.execute(text(f"DROP TRIGGER {trigger}"))
    for name in ("caption_search", "caption_search_state"):
        connection.execute(text(f"DROP TABLE {name}"))


def test_migrations_make_the_tables_that_the_code_expects(engine: Engine):
    with engine.connect() as connection:
        opts = {
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "table" or not is_search_table(name),
        }
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []


def test_deleting_a_caption_deletes_votes_in_the_database_itself(engine: Engine):
    keys = inspect(engine).get_foreign_keys("votes")
    assert {key["options"]["ondelete"] for key in keys} == {"CASCADE"}


def test_a_migrated_database_is_accepted_and_migrating_again_does_nothing(engine: Engine):
    check_schema(engine)
    migrate(engine)
    check_schema(engine)


def test_an_empty_database_is_refused_with_the_command_to_run(tmp_path: Path):
    with pytest.raises(OldSchema, match="captionbot migrate"):
        check_schema(create_engine(f"sqlite:///{tmp_path}/new.db"))


def test_a_database_from_the_future_is_refused(engine: Engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewSchema, match="newer"):
        check_schema(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))


def test_two_that_migrate_at_the_same_time_do_not_disturb_each_other(engine: Engine):
    with engine.begin() as connection:
        drop_search(connection)
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(migrate, [engine, engine])) == [None, None]
    check_schema(engine)


def test_what_is_remembered_of_people_moves_from_their_preferences_to_columns(engine: Engine):
    stored = {
        "telegram:1": {"language": "de", "asked_for_consent": True, "last_export": "2026-03-01T10:00:00+01:00"},
        "telegram:2": {"hedging": False},
    }
    people = table("people", column("key"), column("created_at", DateTime()), column("preferences", JSON()))
    with engine.begin() as connection:
        drop_search(connection)
        connection.execute(text("ALTER TABLE people DROP COLUMN consent_asked_at"))
        connection.execute(text("ALTER TABLE people DROP COLUMN last_export_at"))
        connection.execute(text("ALTER TABLE chats DROP COLUMN moved_to"))
        connection.execute(text("ALTER TABLE captions DROP COLUMN file_name"))
        for name in ("exports", "erasures", "api_keys", "devices"):
            connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        rows = [{"key": key, "created_at": NOON, "preferences": values} for key, values in stored.items()]
        connection.execute(people.insert(), rows)
    migrate(engine)
    with sessions(engine)() as session:
        admin, other = session.scalars(select(Person).order_by(Person.key)).all()
        raw = session.scalars(select(people.c.preferences).order_by(people.c.key)).all()
    assert admin.last_export_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert admin.consent_asked_at is not None
    assert (other.last_export_at, other.consent_asked_at) == (None, None)
    assert (admin.preferences, other.preferences) == (Preferences(language="de"), Preferences(hedging=False))
    assert raw == [{"language": "de"}, {"hedging": False}]
