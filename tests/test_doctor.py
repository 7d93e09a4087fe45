import pytest
from redis_server import free_port, redis_server  # noqa: F401

from db.engine import create_engine
from db.schema import migrate
from roles.doctor import CHECKS, diagnose
from settings import ROOT, Settings

TELEGRAM = "123456789:abcdefghijklmnopqrstuvwxyzABCDEFGHI"
DISCORD = "abcdefghijklmnopqrstuvwx.abcdef.abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def found(tmp_path):
    """found("database", web_port=1): what the doctor says of one thing with these settings."""

    def look(what, **values):
        settings = Settings(_env_file=None, **{"data_dir": tmp_path} | values)
        return next(finding for finding in diagnose(settings) if finding.what == what)

    return look


def test_an_embedded_captionbot_is_well(tmp_path):
    if not (ROOT / "models/bundled").is_dir():
        pytest.skip("the bundled model is not in this checkout")
    findings = list(
        diagnose(Settings(_env_file=None, data_dir=tmp_path, telegram_token=TELEGRAM, discord_token=DISCORD))
    )
    assert [finding for finding in findings if not finding.well] == []
    assert [finding.what for finding in findings] == ["settings", *CHECKS]


@pytest.mark.parametrize("token", ["987654321", f"bot{TELEGRAM}", "1:a", TELEGRAM.replace(":", "")])
def test_a_telegram_token_that_cannot_be_one_is_told(found, token):
    finding = found("Telegram", telegram_token=token)
    assert not finding.well
    assert "@BotFather" in finding.said
    assert token not in finding.said


@pytest.mark.parametrize("token", ["1234567890", "a.b.c", "Bot " + DISCORD])
def test_a_discord_token_that_cannot_be_one_is_told(found, token):
    finding = found("Discord", discord_token=token)
    assert not finding.well
    assert "developer portal" in finding.said


def test_looking_makes_no_database(found, tmp_path):
    assert found("database").well
    assert not (tmp_path / "captionbot.db").exists()


def test_an_old_database_is_told_what_to_run(found, tmp_path):
    with create_engine(f"sqlite:///{tmp_path}/captionbot.db").connect() as connection:
        connection.exec_driver_sql("CREATE TABLE other (id INTEGER)")
        connection.commit()
    finding = found("database")
    assert not finding.well
    assert "captionbot migrate" in finding.said


def test_a_migrated_database_is_well(found, tmp_path):
    migrate(create_engine(f"sqlite:///{tmp_path}/captionbot.db"))
    assert "right tables" in found("database").said


def test_a_database_that_does_not_answer_is_told_without_its_password(found):
    finding = found("database", database_url=f"postgresql://me:secret@127.0.0.1:{free_port()}/captions")
    assert not finding.well
    assert "DATABASE_URL" in finding.said
    assert "secret" not in finding.said


def test_a_broker_that_answers_is_well(found, redis_server):  # noqa: F811
    assert found("broker", redis_url=redis_server.url).well


def test_a_broker_that_does_not_answer_is_told_without_its_password(found):
    finding = found("broker", redis_url=f"redis://:secret@127.0.0.1:{free_port()}/0")
    assert not finding.well
    assert "REDIS_URL" in finding.said
    assert "secret" not in finding.said


def test_processes_that_share_the_work_need_a_secret_key(found):
    finding = found("secret key", redis_url=f"redis://127.0.0.1:{free_port()}/0")
    assert not finding.well
    assert "SECRET_KEY" in finding.said


def test_a_photo_store_that_cannot_be_written_is_told(found, tmp_path):
    (tmp_path / "file").touch()
    finding = found("photo store", photo_store=str(tmp_path / "file"))
    assert not finding.well
    assert "PHOTO_STORE" in finding.said


def test_a_missing_model_is_told(found, tmp_path):
    finding = found("model", model_dir=tmp_path / "nowhere")
    assert not finding.well
    assert str(tmp_path / "nowhere") in finding.said
