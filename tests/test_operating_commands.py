"""The commands that look after captionbot, in processes of their own."""

import pytest
from factories import make_caption, make_vote
from processes import Installation
from redis_server import redis_server  # noqa: F401

from db.engine import create_engine, sessions
from db.schema import migrate
from db.tables import Caption

ANN = "telegram:1234"


@pytest.fixture
def installation(tmp_path):
    installation = Installation(tmp_path)
    yield installation
    installation.clean()


@pytest.fixture
def rows(installation):
    """Sessions of its database, in which Ann has a caption that Ben likes."""
    engine = create_engine(installation.settings().database_url)
    migrate(engine)
    with sessions(engine).begin() as session:
        caption = make_caption(session, ANN, text="A dog runs.", front_end="telegram", model_version="v7")
        make_vote(session, caption, 1, "telegram:5678")
    return sessions(engine)


def captions(rows):
    with rows() as session:
        return session.query(Caption).count()


def test_migrate_makes_the_tables_and_does_no_harm_when_they_are_there(installation):
    for _ in range(2):
        assert installation.run("migrate").wait() == 0
    assert installation.run("stats").wait() == 0


def test_a_command_that_needs_the_tables_says_how_to_make_them(installation):
    stats = installation.run("stats")
    assert stats.wait() == 1
    assert stats.log.splitlines()[-1].startswith("captionbot: ")
    assert "captionbot migrate" in stats.log
    assert "Traceback" not in stats.log


def test_a_database_that_does_not_answer_is_one_line(installation):
    stats = installation.run("stats", database_url="postgresql://me:hush@127.0.0.1:1/captions")
    assert stats.wait() == 1
    assert stats.log.count("\n") == 1
    assert "DATABASE_URL" in stats.log
    assert "hush" not in stats.log


def test_stats_show_approval_with_its_interval(installation, rows):
    shown = installation.run("stats").log
    (line,) = [line for line in shown.splitlines() if line.startswith("v7")]
    assert line.split()[:2] == ["v7", "telegram"]
    assert "100%" in line
    assert "21-100" in line  # Wilson's interval of one vote


def test_forget_asks_first(installation, rows):
    assert installation.run("forget", ANN).wait() == 1  # nobody answers
    assert captions(rows) == 1


def test_forget_removes_a_person_when_told_yes(installation, rows):
    forget = installation.run("forget", ANN, "--yes")
    assert forget.wait() == 0
    assert "1 captions, 1 photos" in forget.log
    assert captions(rows) == 0


def test_forget_wants_a_person(installation, rows):
    forget = installation.run("forget", "ann", "--yes")
    assert forget.wait() == 2
    assert "telegram:NUMBER" in forget.log


def test_doctor_fails_when_something_is_wrong(installation, tmp_path):
    doctor = installation.run("doctor", model_dir=tmp_path / "nowhere", telegram_token="wrong")
    assert doctor.wait() == 1
    wrong = [line.split()[1] for line in doctor.log.splitlines() if line.startswith("WRONG")]
    assert wrong == ["Telegram", "model", "engine"]


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_role_that_would_be_alone_says_what_to_start_instead(installation, role):
    process = installation.run(role)
    assert process.wait() == 1
    assert process.log == (
        "captionbot: REDIS_URL is not set; it should be redis://HOST:6379/0. Without it use: captionbot up\n"
    )


def test_a_worker_is_seen_by_its_check_while_it_runs(distributed):
    assert distributed.run("worker", "--check").wait() == 1
    worker = distributed.start("worker")
    worker.says("the worker is ready")
    check = distributed.run("worker", "--check")
    assert check.wait() == 0
    assert " holds " in check.log
    assert worker.stop() == 0
    assert distributed.run("worker", "--check").wait() == 1
