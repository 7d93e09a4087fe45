"""captionbot doctor: what each check finds, and the message for what is wrong."""

import socket

import pytest

from db.engine import create_engine, sessions
from db.photo_store import MARK
from db.schema import migrate
from roles.doctor.diagnosis import CHECKS, diagnose
from settings import Settings
from tests.support.factories import make_photo
from tests.support.redis_server import free_port

TELEGRAM_TOKEN = "123456789:abcdefghijklmnopqrstuvwxyzABCDEFGHI"
DISCORD_TOKEN = "abcdefghijklmnopqrstuvwx.abcdef.abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def found(tmp_path):
    """found("database", web_port=1): the finding of one check with these settings."""

    def run(check, **values):
        settings = Settings(_env_file=None, **{"data_dir": tmp_path} | values)
        return next(finding for finding in diagnose(settings) if finding.check == check)

    return run


def test_an_embedded_captionbot_passes_every_check(bundled, tmp_path):
    findings = list(
        diagnose(
            Settings(_env_file=None, data_dir=tmp_path, telegram_token=TELEGRAM_TOKEN, discord_token=DISCORD_TOKEN)
        )
    )
    assert [finding for finding in findings if not finding.ok] == []
    assert [finding.check for finding in findings] == [*CHECKS]
    assert [finding.check for finding in findings if finding.skipped] == ["proxies"]
    assert [*tmp_path.iterdir()] == []  # nothing is created


def test_what_is_switched_off_is_skipped(found):
    assert [found(check).status for check in ("Telegram", "Discord", "proxies", "broker")] == ["skip"] * 3 + ["ok"]


def test_what_was_set_is_shown_as_it_was_written_and_without_secrets(found, monkeypatch):
    monkeypatch.setenv("BEAMS", "5")
    monkeypatch.setenv("data_dir", "somewhere")
    monkeypatch.setenv("TELEGRAM_TOKEN", TELEGRAM_TOKEN)
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@database/captions")
    message = found("settings", beams=5, telegram_token=TELEGRAM_TOKEN).message
    assert "BEAMS=5, " in message
    assert "DATA_DIR=somewhere, " in message
    assert "TELEGRAM_TOKEN=***" in message
    assert "@database/captions" in message
    assert "hush" not in message


def test_a_name_that_is_nearly_a_setting_is_wrong(found, monkeypatch):
    monkeypatch.setenv("BEAMSS", "5")
    finding = found("settings")
    assert (finding.status, finding.message) == ("WRONG", "BEAMSS: did you mean BEAMS?")


@pytest.mark.parametrize("answers", [True, False])
def test_the_proxy_of_a_bot_is_tried(found, monkeypatch, answers):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if answers else free_port()
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hush@127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", "")
        finding = found("proxies", telegram_token=TELEGRAM_TOKEN)
    assert finding.status == ("ok" if answers else "WRONG")
    assert f"127.0.0.1:{port}" in finding.message
    assert "hush" not in finding.message


def test_a_variable_that_a_library_would_fail_on_is_reported(found, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "localhost,fd07::/64")
    assert found("environment").ok  # nothing reads it
    finding = found("environment", telegram_token=TELEGRAM_TOKEN)
    assert not finding.ok
    assert finding.message.startswith("NO_PROXY is 'localhost,fd07::/64'; it should be ")


@pytest.mark.parametrize("token", ["987654321", f"bot{TELEGRAM_TOKEN}", "1:a", TELEGRAM_TOKEN.replace(":", "")])
def test_a_malformed_telegram_token_is_reported(found, token):
    finding = found("Telegram", telegram_token=token)
    assert not finding.ok
    assert "@BotFather" in finding.message
    assert token not in finding.message


def test_the_shared_folder_of_a_bot_api_server_is_checked(found, tmp_path):
    shared = tmp_path / "telegram-bot-api"
    missing = found("Telegram", telegram_token=TELEGRAM_TOKEN, telegram_files_dir=shared)
    assert not missing.ok
    assert missing.message.startswith(f"TELEGRAM_FILES_DIR is {shared}, which cannot be read (No such file")
    shared.mkdir()
    empty = found("Telegram", telegram_token=TELEGRAM_TOKEN, telegram_files_dir=shared)
    assert empty.message.endswith(f"files are read from {shared}, where this bot has none yet")
    (shared / TELEGRAM_TOKEN).mkdir()
    served = found("Telegram", telegram_token=TELEGRAM_TOKEN, telegram_files_dir=shared)
    assert served.message.endswith(f"files are read from {shared}")
    (shared / TELEGRAM_TOKEN).rmdir()
    (shared / TELEGRAM_TOKEN).touch()
    closed = found("Telegram", telegram_token=TELEGRAM_TOKEN, telegram_files_dir=shared)
    assert not closed.ok
    assert TELEGRAM_TOKEN not in closed.message


@pytest.mark.parametrize("token", ["1234567890", "a.b.c", "Bot " + DISCORD_TOKEN])
def test_a_malformed_discord_token_is_reported(found, token):
    finding = found("Discord", discord_token=token)
    assert not finding.ok
    assert "developer portal" in finding.message


def test_the_checks_create_no_database(found, tmp_path):
    assert found("database").ok
    assert not (tmp_path / "captionbot.db").exists()


def test_for_an_old_database_the_command_to_run_is_named(found, tmp_path):
    with create_engine(f"sqlite:///{tmp_path}/captionbot.db").connect() as connection:
        connection.exec_driver_sql("CREATE TABLE other (id INTEGER)")
        connection.commit()
    finding = found("database")
    assert not finding.ok
    assert "captionbot migrate" in finding.message


def test_a_migrated_database_passes(found, tmp_path):
    migrate(create_engine(f"sqlite:///{tmp_path}/captionbot.db"))
    assert "right tables" in found("database").message


def test_a_database_that_does_not_answer_is_reported_without_its_password(found):
    finding = found("database", database_url=f"postgresql://me:secret@127.0.0.1:{free_port()}/captions")
    assert not finding.ok
    assert "DATABASE_URL" in finding.message
    assert "secret" not in finding.message


def test_a_broker_that_answers_passes(found, redis_server):
    assert found("broker", redis_url=redis_server.url).ok


def test_a_broker_that_does_not_answer_is_reported_without_its_password(found):
    finding = found("broker", redis_url=f"redis://:secret@127.0.0.1:{free_port()}/0")
    assert not finding.ok
    assert "REDIS_URL" in finding.message
    assert "secret" not in finding.message


def test_with_a_broker_a_secret_key_is_required(found):
    finding = found("secret key", redis_url=f"redis://127.0.0.1:{free_port()}/0")
    assert not finding.ok
    assert "SECRET_KEY" in finding.message


def test_a_photo_store_that_cannot_be_written_is_reported(found):
    finding = found("photo store", photo_store="/proc/photos")
    assert not finding.ok
    assert "PHOTO_STORE" in finding.message


def test_a_store_whose_disk_is_not_mounted_is_reported(found, tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/captionbot.db")
    migrate(engine)
    with sessions(engine).begin() as session:
        make_photo(session)
    engine.dispose()
    (tmp_path / "photos").mkdir()
    finding = found("photo store")
    assert not finding.ok
    assert "mounted" in finding.message
    (tmp_path / "photos").mkdir(exist_ok=True)
    (tmp_path / "photos" / MARK).touch()
    assert found("photo store").ok


def test_a_photo_store_is_shown_without_its_password(found):
    finding = found("photo store", photo_store="memory://me:pass/word@bucket/photos")
    assert finding.ok
    assert finding.message == "memory://***@bucket/photos can be written"


def test_a_photo_store_that_does_not_answer_is_reported_without_its_password(found):
    finding = found("photo store", photo_store=f"ftp://me:password@127.0.0.1:{free_port()}/photos")
    assert not finding.ok
    assert "PHOTO_STORE" in finding.message
    assert "password" not in finding.message


def test_a_missing_model_is_reported(found, tmp_path):
    finding = found("model", model_dir=tmp_path / "nowhere")
    assert not finding.ok
    assert str(tmp_path / "nowhere") in finding.message
