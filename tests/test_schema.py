from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from db.engine import create_engine
from db.schema import NewSchema, OldSchema, check_schema, migrate
from db.tables import Base


def test_migrations_make_the_tables_that_the_code_expects(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
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
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def test_two_that_migrate_at_the_same_time_do_not_disturb_each_other(engine: Engine):
    with engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(migrate, [engine, engine])) == [None, None]
    check_schema(engine)
