"""`captionbot telegram` as a process of its own: what keeps it from starting, said in one sentence."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from processes import Installation
from redis_server import free_port
from telegram_server import TelegramServer

from bots.errors import CannotStart
from bots.telegram_bot import create_application
from settings import Settings

pytest_plugins = ["database", "worker_parts"]
ROOT = Path(__file__).resolve().parent.parent
SECONDS = 180  # on a busy machine


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"DATA_DIR": str(tmp_path), "PYTHONWARNINGS": "ignore"}


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "captionbot", "telegram", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What stands on stderr, besides lines of the log that say what was begun."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("INFO")]
    assert len(lines) == 1, done.stderr
    assert done.returncode == 1
    return lines[0]


def test_without_a_token_it_says_where_to_get_one(environment):
    said = one_sentence(run(environment | {"TELEGRAM_TOKEN": ""}))
    assert said.startswith("captionbot: TELEGRAM_TOKEN is not set. Ask @BotFather")


@pytest.mark.anyio
@pytest.mark.parametrize("token", ["1234:wrong-one", "malformed"])
async def test_a_wrong_token_is_named_but_not_shown(environment, token):
    async with TelegramServer() as telegram:
        environment |= {"TELEGRAM_TOKEN": token, "TELEGRAM_API_URL": telegram.url}
        done = await asyncio.to_thread(run, environment)
    assert "refuses TELEGRAM_TOKEN" in one_sentence(done)
    assert token not in done.stderr + done.stdout


def test_without_a_network_it_says_what_cannot_be_reached(environment):
    url = f"http://127.0.0.1:{free_port()}"
    done = run(environment | {"TELEGRAM_TOKEN": "1234:any-token", "TELEGRAM_API_URL": url})
    assert f"Telegram cannot be reached at {url}" in one_sentence(done)
    assert "any-token" not in done.stderr + done.stdout


@pytest.mark.anyio
async def test_a_webhook_whose_port_is_taken_is_named(environment):
    async with TelegramServer() as telegram:
        port = telegram.url.rpartition(":")[2]
        hook = {"WEBHOOK_URL": "https://bot.example/hook", "WEBHOOK_SECRET": "secret", "WEBHOOK_PORT": port}
        environment |= {f"TELEGRAM_{name}": value for name, value in hook.items()}
        environment |= {"TELEGRAM_TOKEN": telegram.token, "TELEGRAM_API_URL": telegram.url}
        done = await asyncio.to_thread(run, environment)
    assert f"cannot listen on 127.0.0.1:{port}" in one_sentence(done)


@pytest.mark.anyio
async def test_without_redis_it_captions_by_itself(tmp_path, tiny_model, photo_bytes):
    async with TelegramServer() as telegram:
        values = {"model_dir": tiny_model, "telegram_token": telegram.token, "telegram_api_url": telegram.url}
        installation = Installation(tmp_path, **values)
        process = installation.start("telegram")
        try:
            await asyncio.to_thread(process.says, "listens")
            photo = await telegram.photo(telegram.person("Ada"), photo_bytes())
            assert (await telegram.answer_to(photo, SECONDS))["text"]
            assert await asyncio.to_thread(process.stop) == 0
        finally:
            installation.clean()


def test_help_has_examples(environment):
    done = run(environment, "--help")
    assert "TELEGRAM_TOKEN=" in done.stdout
    assert done.returncode == 0


@pytest.mark.anyio
async def test_the_library_can_start_it_in_its_own_way(monkeypatch, tmp_path, sqlite_file):
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
            said = await telegram.say(ada, "/help")
            await telegram.answer_to(said)
            await application.updater.stop()
            await application.stop()
        assert telegram.pending == []


def test_without_a_token_there_is_no_application():
    with pytest.raises(CannotStart, match="TELEGRAM_TOKEN is not set"):
        create_application(settings=Settings(_env_file=None))
