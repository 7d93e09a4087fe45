"""docker-compose.yml and the Dockerfile name commands, settings and files that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from captionbot import app
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SECRETS = "SECRET_KEY=a-long-random-text-for-a-test\nPOSTGRES_PASSWORD=letters1\n"
PROFILES = ["telegram", "discord", "gpu"]


def compose() -> list[str]:
    """Docker's plugin, or the program of Debian and others."""
    plugin = ["docker", "compose"]
    if shutil.which("docker") and not subprocess.run([*plugin, "version"], capture_output=True).returncode:
        return plugin
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("neither docker compose nor docker-compose is installed here")


def check(folder: Path, env: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "docker-compose.yml", folder)
    (folder / ".env").write_text(env)
    profiles = [word for profile in PROFILES for word in ("--profile", profile)]
    return subprocess.run([*compose(), *profiles, "config", "--quiet"], cwd=folder, capture_output=True, text=True)


def test_docker_compose_accepts_the_file(tmp_path):
    result = check(tmp_path, SECRETS)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["SECRET_KEY", "POSTGRES_PASSWORD"])
def test_a_secret_that_is_not_set_is_asked_for(tmp_path, name):
    result = check(tmp_path, "\n".join(line for line in SECRETS.splitlines() if name not in line))
    assert result.returncode
    assert name in result.stderr


def test_services_run_commands_that_there_are():
    used = re.findall(r"^    command: \[([\w-]+)\]", COMPOSE, flags=re.MULTILINE)
    assert set(used) == {"migrate", "web", "worker", "telegram", "discord"}
    assert set(used) <= typer.main.get_command(app).commands.keys()


def test_services_set_settings_that_there_are():
    block = re.search(r"environment: &environment\n((?: {4}\w+: .*\n)+)", COMPOSE)
    assert block
    names = re.findall(r"^ {4}(\w+):", block[1], flags=re.MULTILINE)
    assert "DATABASE_URL" in names
    assert set(names) <= {name.upper() for name in Settings.model_fields}


def test_the_image_for_a_cpu_has_no_pytorch_and_that_for_gpus_has():
    gpu, cpu = re.findall(r"pip install --constraint constraints\.txt --editable '(.+?)'", DOCKERFILE)
    assert (cpu, gpu) == (".[bots,worker]", ".[bots,gpu]")


def test_all_that_serves_goes_into_the_image_and_nothing_else():
    kept = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    packages = {folder.parent.name for folder in ROOT.glob("*/__init__.py")} - {"tests"}
    assert {*packages, "models", "captionbot.py"} <= set(kept)
    assert not {".env", "data", "tests", ".git"} & set(kept)
