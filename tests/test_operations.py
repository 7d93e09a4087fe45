"""The commands for operators, run as processes."""

import json

import pytest

from db.engine import create_engine, sessions
from db.schema import migrate
from db.tables import Caption
from tests.support.factories import make_caption, make_vote
from tests.support.processes import Installation

ANN = "telegram:1234"


@pytest.fixture
def installation(tmp_path):
    installation = Installation(tmp_path)
    yield installation
    installation.clean()


@pytest.fixture
def rows(installation):
    """Sessions of the database, in which Ann has a caption with a vote of Ben."""
    engine = create_engine(installation.settings().database_url)
    migrate(engine)
    with sessions(engine).begin() as session:
        caption = make_caption(session, ANN, text="A dog runs.", front_end="telegram", model_version="v7")
        make_vote(session, caption, 1, "telegram:5678")
    return sessions(engine)


def captions(rows):
    with rows() as session:
        return session.query(Caption).count()


def test_migrate_creates_the_tables_and_can_run_again(installation):
    for _ in range(2):
        assert installation.run("migrate").wait() == 0
    assert installation.run("stats").wait() == 0


FINETUNE = ("finetune", "--feedback", "exports", "--replay", "flickr8k")
LEARN = ("learn", "--replay", "flickr8k")


@pytest.mark.parametrize(
    "command",
    [("stats",), ("review",), ("export",), ("rollback",), ("promote", "runs/new"), FINETUNE, LEARN],
    ids=lambda command: command[0],
)
def test_an_empty_installation_says_so_and_stays_empty(installation, tmp_path, command):
    empty = installation.run(*command)
    assert empty.wait() == 0
    assert empty.log.startswith("Nothing yet: ")
    assert not (tmp_path / "captionbot.db").exists()


def test_without_captions_stats_say_so(installation):
    assert installation.run("migrate").wait() == 0
    assert installation.run("stats").log.startswith("Nothing yet: ")


def test_a_command_that_needs_newer_tables_names_the_command_that_creates_them(installation, tmp_path):
    with create_engine(f"sqlite:///{tmp_path}/captionbot.db").connect() as connection:
        connection.exec_driver_sql("CREATE TABLE other (id INTEGER)")
        connection.commit()
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


def test_stats_are_json_for_programs(installation, rows):
    (line,) = json.loads(installation.run("stats", "--json").log)["models"]
    assert (line["model"], line["front_end"], line["votes"], line["approval"]) == ("v7", "telegram", 1, 1.0)


def test_forget_asks_for_confirmation(installation, rows):
    assert installation.run("forget", ANN).wait() == 1  # nobody answers
    assert captions(rows) == 1


def test_forget_with_yes_deletes_a_person_without_asking(installation, rows):
    forget = installation.run("forget", ANN, "--yes")
    assert forget.wait() == 0
    assert "1 captions, 1 photos" in forget.log
    assert captions(rows) == 0


def test_forget_refuses_a_malformed_key(installation, rows):
    forget = installation.run("forget", "ann", "--yes")
    assert forget.wait() == 2
    assert "telegram:NUMBER" in forget.log


def test_doctor_is_json_for_programs(installation, tmp_path):
    doctor = installation.run("doctor", "--json", model_dir=tmp_path / "nowhere")
    assert doctor.wait() == 1
    status = {finding["check"]: finding["status"] for finding in json.loads(doctor.log)}
    assert (status["database"], status["Telegram"], status["model"]) == ("ok", "skip", "WRONG")


def test_doctor_fails_when_something_is_wrong(installation, tmp_path):
    doctor = installation.run("doctor", model_dir=tmp_path / "nowhere", telegram_token="wrong")
    assert doctor.wait() == 1
    wrong = [line.split()[1] for line in doctor.log.splitlines() if line.startswith("WRONG")]
    assert wrong == ["Telegram", "model", "engine"]


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_role_without_a_broker_names_the_command_to_use_instead(installation, role):
    process = installation.run(role)
    assert process.wait() == 1
    assert process.log == (
        "captionbot: REDIS_URL is not set; it should be redis://HOST:6379/0. Without it use: captionbot up\n"
    )


def test_worker_check_succeeds_while_a_worker_runs(distributed):
    assert distributed.run("worker", "--check").wait() == 1
    worker = distributed.start("worker")
    worker.wait_for_log("the worker is ready")
    check = distributed.run("worker", "--check")
    assert check.wait() == 0
    assert " holds " in check.log
    assert worker.stop() == 0
    assert distributed.run("worker", "--check").wait() == 1


def test_backup_copies_the_database_and_overwrites_no_file(installation, rows, tmp_path):
    command = installation.run("backup", str(tmp_path / "copy.db"))
    assert command.wait() == 0
    assert "holds the whole database" in command.log
    with sessions(create_engine(f"sqlite:///{tmp_path}/copy.db"))() as session:
        assert session.query(Caption).one().text == "A dog runs."
    again = installation.run("backup", str(tmp_path / "copy.db"))
    assert again.wait() == 1
    assert f"captionbot: {tmp_path}/copy.db exists already; choose another name" in again.log
