"""Tests of `captionbot telegram` as a process: errors at the start are explained in one sentence."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bots.errors import CannotStart
from bots.telegram.app import create_application
from settings import Settings
from tests.support.processes import Installation
from tests.support.redis_server import free_port
from tests.support.telegram_server import TelegramServer

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 180  # on a busy machine


@pytest.fixture
def environment(tmp_path: Path, sqlite_file: Path) -> dict[str, str]:
    """With a broker, so that no model is loaded. It is not there: no bot comes so far as to need it."""
    shutil.copy(sqlite_file, tmp_path / "captionbot.db")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SSL_CERT_FILE") if name in os.environ}
    return kept | {"DATA_DIR": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:9/0", "PYTHONWARNINGS": "ignore"}


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "captionbot", "telegram", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The only line on stderr besides INFO lines of the log."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("INFO")]
    assert len(lines) == 1, done.stderr
    assert done.returncode == 1
    return lines[0]


def test_without_a_token_the_error_says_where_to_get_one(environment):
    error = one_sentence(run(environment | {"TELEGRAM_TOKEN": ""}))
    assert error.startswith("captionbot: TELEGRAM_TOKEN is not set. Ask @BotFather")


@pytest.mark.anyio
@pytest.mark.parametrize("token", ["1234:wrong-one", "malformed"])
async def test_a_wrong_token_is_named_but_not_shown(environment, token):
    async with TelegramServer() as telegram:
        environment |= {"TELEGRAM_TOKEN": token, "TELEGRAM_API_URL": telegram.url}
        done = await asyncio.to_thread(run, environment)
    assert "refuses TELEGRAM_TOKEN" in one_sentence(done)
    assert token not in done.stderr + done.stdout


def test_an_unreachable_server_is_named_without_its_password(environment):
    host = f"127.0.0.1:{free_port()}"
    done = run(environment | {"TELEGRAM_TOKEN": "1234:any-token", "TELEGRAM_API_URL": f"http://me:pw@{host}"})
    assert f"Telegram cannot be reached at http://***@{host}" in one_sentence(done)
    assert "any-token" not in done.stderr + done.stdout


@pytest.mark.anyio
async def test_a_wrong_path_of_the_api_is_not_taken_for_a_wrong_token(environment):
    async with TelegramServer() as telegram:
        wrong = {"TELEGRAM_TOKEN": telegram.token, "TELEGRAM_API_URL": f"{telegram.url}/elsewhere"}
        done = await asyncio.to_thread(run, environment | wrong)
    assert "Is TELEGRAM_API_URL right?" in one_sentence(done)


@pytest.mark.anyio
async def test_a_webhook_port_in_use_is_named(environment):
    async with TelegramServer() as telegram:
        port = telegram.url.rpartition(":")[2]
        hook = {"WEBHOOK_URL": "https://bot.example/hook", "WEBHOOK_SECRET": "secret", "WEBHOOK_PORT": port}
        environment |= {f"TELEGRAM_{name}": value for name, value in hook.items()}
        environment |= {"TELEGRAM_TOKEN": telegram.token, "TELEGRAM_API_URL": telegram.url}
        done = await asyncio.to_thread(run, environment)
    assert f"cannot listen on 127.0.0.1:{port}" in one_sentence(done)


@pytest.mark.anyio
async def test_no_log_shows_a_secret_not_even_the_librarys_at_debug(tmp_path, sqlite_file):
    hook = {"url": "https://bot.example/a(hook", "secret": "hunter2-hook", "port": free_port()}
    shutil.copy(sqlite_file, tmp_path / "captionbot.db")
    async with TelegramServer() as telegram:
        values = {"telegram_token": telegram.token, "telegram_api_url": telegram.url, "log_level": "DEBUG"}
        values |= {f"telegram_webhook_{name}": value for name, value in hook.items()}
        installation = Installation(tmp_path, **values)
        process = installation.start("telegram")
        try:
            await asyncio.to_thread(process.wait_for_log, "listens")
            async with httpx.AsyncClient() as client:
                answer = await client.post(f"http://127.0.0.1:{hook['port']}/a(hook", json={})
            assert answer.status_code == 403  # the path is known, and the secret is missing
            assert await asyncio.to_thread(process.stop) == 0
        finally:
            installation.clean()
    assert "setWebhook" in process.log
    assert "hunter2-hook" not in process.log
    assert telegram.token.partition(":")[2] not in process.log


@pytest.mark.anyio
async def test_without_redis_the_bot_process_captions_photos_itself(tmp_path, tiny_model, photo_bytes):
    async with TelegramServer() as telegram:
        values = {"model_dir": tiny_model, "telegram_token": telegram.token, "telegram_api_url": telegram.url}
        installation = Installation(tmp_path, **values)
        process = installation.start("telegram")
        try:
            await asyncio.to_thread(process.wait_for_log, "listens")
            photo = await telegram.send_photo(telegram.person("Ada"), photo_bytes())
            assert (await telegram.bot_reply(photo, SECONDS))["text"]
            assert await asyncio.to_thread(process.stop) == 0
        finally:
            installation.clean()


def test_help_has_examples(environment):
    done = run(environment, "--help")
    assert "TELEGRAM_TOKEN=" in done.stdout
    assert done.returncode == 0


@pytest.mark.anyio
async def test_the_application_runs_without_our_serve_function(monkeypatch, tmp_path, sqlite_file):
    async with TelegramServer() as telegram:
        values = {"TOKEN": telegram.token, "API_URL": telegram.url, "WEBHOOK_URL": ""}
        for name, value in values.items():
            monkeypatch.setenv(f"TELEGRAM_{name}", value)
        monkeypatch.setenv("DATA_DIR", str(tmp_path))
        shutil.copy(sqlite_file, tmp_path / "captionbot.db")
        application = create_application()
        ada = telegram.person("Ada")
        async with application:
            await application.start()
            await application.updater.start_polling()
            message = await telegram.send_text(ada, "/help")
            await telegram.bot_reply(message)
            await application.updater.stop()
            await application.stop()
        assert telegram.pending == []


def test_an_application_without_a_token_cannot_be_created():
    with pytest.raises(CannotStart, match="TELEGRAM_TOKEN is not set"):
        create_application(settings=Settings(_env_file=None))
