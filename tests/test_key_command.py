"""`captionbot key`, and the calls with a key that the documentation shows, as people run them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/api.md"


@pytest.fixture
def captionbot(tmp_path):
    """captionbot("key", "list"): run it on a data folder of the test's own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"DATA_DIR": str(tmp_path)}
        command = [sys.executable, "-m", "captionbot", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)

    return run


def test_a_key_is_shown_once_listed_and_revoked(captionbot):
    assert "captionbot key new NAME" in captionbot("key", "list").stdout
    secret = captionbot("key", "new", "camera").stdout.strip()
    assert re.fullmatch(r"captionbot_[\w-]{43}", secret)
    shown = captionbot("key", "list").stdout
    assert "never used" in shown
    assert secret not in shown
    (listed,) = json.loads(captionbot("key", "list", "--json").stdout)
    assert (listed["name"], listed["last_used_at"]) == ("camera", None)
    assert listed["person"] in captionbot("key", "revoke", "camera").stdout
    assert captionbot("forget", listed["person"], "--yes").returncode == 0
    assert json.loads(captionbot("key", "list", "--json").stdout) == []


def test_mistakes_are_one_sentence(captionbot):
    nothing = captionbot("key", "revoke", "camera")
    assert "Nothing yet" in nothing.stdout
    captionbot("key", "new", "camera")
    twice = captionbot("key", "new", "camera")
    assert (twice.returncode, twice.stderr.count("\n")) == (1, 1)
    assert "captionbot key revoke camera" in twice.stderr
    unknown = captionbot("key", "revoke", "other")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
    assert captionbot("key", "new", "two words").returncode == 2


def blocks(language: str) -> str:
    """The code in this language of the section about keys."""
    section = PAGE.read_text().split("## Keys for programs")[1].split("\n## ")[0]
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", section, flags=re.DOTALL))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_calls_that_the_documentation_shows_work(embedded, tmp_path):
    url = embedded.start("up").url()
    shutil.copy(ROOT / "samples/cat.jpg", tmp_path / "cat.jpg")
    command = f"{sys.executable} -m captionbot"
    shell = f'captionbot() {{ (cd {ROOT} && {command} "$@"); }}\n{blocks("sh")}\necho; echo "$KEY"'
    environment = os.environ | {"DATA_DIR": str(embedded.folder)}
    run = ["bash", "-ec", shell.replace("http://localhost:8000", url)]
    shown = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=170)
    assert shown.returncode == 0, shown.stderr
    answers, secret = shown.stdout.rsplit("\n", 2)[0], shown.stdout.split()[-1]
    caption, end = json.JSONDecoder().raw_decode(answers)
    assert caption["status"] == "done"
    assert " cat " in caption["caption"]
    listed, _ = json.JSONDecoder().raw_decode(answers[end:].strip())
    assert [one["id"] for one in listed["captions"]] == [caption["id"]]

    program = blocks("python").replace("http://localhost:8000", url).replace("{KEY}", secret)
    shown = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=170)
    assert shown.stdout == f"{caption['caption']}\n", shown.stderr
