"""Database engines and transactions on SQLite and PostgreSQL, with many writers at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from db.engine import create_engine, reading
from db.tables import Caption, Person
from tests.support.factories import make_person

only_postgresql = pytest.mark.database("postgresql")


def test_foreign_keys_hold(session: Session):
    session.add(Caption(photo_id=1, person_id=2, front_end="web"))
    with pytest.raises(IntegrityError):
        session.flush()


def test_many_writers_that_read_first_never_find_the_database_locked(sessions: sessionmaker[Session]):
    def count_up(_: int) -> None:
        with sessions.begin() as session:
            person = session.scalars(select(Person).with_for_update()).one()
            time.sleep(0.002)
            person.key = str(int(person.key) + 1)

    with sessions.begin() as session:
        make_person(session, "0")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count_up, range(40)))
    with sessions() as session:
        assert session.scalars(select(Person)).one().key == "40"


def test_reading_waits_for_no_writer(sessions: sessionmaker[Session], engine: Engine):
    with sessions() as writer:
        make_person(writer)
        with reading(engine)() as reader:
            assert reader.scalars(select(func.count()).select_from(Person)).one() == 0


@only_postgresql
def test_a_session_for_reading_does_not_write(engine: Engine):
    with reading(engine)() as session, pytest.raises(InternalError, match="read-only"):
        make_person(session)


def test_what_was_read_is_usable_after_the_end_of_its_session(sessions: sessionmaker[Session]):
    with sessions.begin() as session:
        person = make_person(session, "web:1")
    assert person.key == "web:1"


def test_an_sqlite_file_has_a_write_ahead_log_and_its_folder_is_made(tmp_path: Path):
    with create_engine(f"sqlite:///{tmp_path}/new/folder/file.db").connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


@only_postgresql
def test_connections_that_died_in_the_pool_are_replaced_unnoticed(engine: Engine):
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    other = create_engine(engine.url.render_as_string(hide_password=False))
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    other.dispose()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/name"])
def test_other_databases_are_refused_without_their_password(url: str):
    with pytest.raises(ValueError, match="a URL such as sqlite:///FILE or postgresql://"):
        create_engine(url)


def test_a_server_that_is_not_there_is_an_error_soon():
    with pytest.raises(OperationalError), create_engine("postgresql://127.0.0.1:1/none").connect():
        pass
