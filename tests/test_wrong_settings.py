"""Wrong values of every variable, given to the command line: one sentence, exit code 1, no secret and no traceback.

Most are tried in one process, by calling what the command calls; a handful by real processes.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import captionbot
from settings import Settings
from tests.support.wrong_settings import CASES, SECRET

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "123456789:abcdefghijklmnopqrstuvwxyzABCDEFGHI"
READ_BY_LIBRARIES = "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE".split()


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """No variable that captionbot or its libraries read, but a token and a data folder."""
    for name in [*(name.upper() for name in Settings.model_fields), *READ_BY_LIBRARIES]:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)


def check(name: str, code: int | str | None, printed: str, said: str) -> None:
    assert (code, printed) == (1, "")
    assert re.fullmatch(rf"captionbot: {name} is (not set|'.*'|\".*\"); it should be .+\n", said), said
    assert said.count("it should be") == 1
    assert not any(part in said for part in (SECRET, "ter2", "hun"))
    assert len(said) < 500


def test_there_are_wrong_values_of_every_setting():
    assert {name.lower() for name, _ in CASES} >= set(Settings.model_fields)
    assert len(CASES) >= 150


@pytest.mark.parametrize(("name", "value"), CASES, ids=lambda text: ascii(text)[:40])
def test_a_wrong_value_is_one_sentence(bare, monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["captionbot", "telegram"])
    with pytest.raises(SystemExit) as stopped:
        captionbot.main()
    check(name, stopped.value.code, *capsys.readouterr())


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        ("doctor", "DATABASE_URL", "mysql://user:hun/ter2@host/db"),
        ("up", "REDIS_URL", f"redis://:{SECRET}@host:port/0"),
        ("worker", "BROKER_URL", "amqp://me:hun/ter2@host"),
        ("telegram", "NO_PROXY", "localhost,fd07::/64"),
        ("stats", "RETENTION_HOURS", "inf"),
    ],
)
def test_a_real_command_says_the_same(bare, command, name, value):
    environment = os.environ | {name: value}
    done = subprocess.run(
        [sys.executable, "-m", "captionbot", command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    check(name, done.returncode, done.stdout, done.stderr)
