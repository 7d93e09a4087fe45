"""`captionbot caption` and the options of all commands, as people run them: in a process of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
COMMAND = [sys.executable, "-m", "captionbot"]
COMMANDS = ("caption", "bench", "models", "stats", "doctor", "export", "review", "up", "learn", "finetune", "train")


def run(*arguments: str | Path, input: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        input=input if input is not None else b"",
        capture_output=True,
        timeout=120,
    )


@pytest.fixture
def holiday(tmp_path):
    """A folder with a photo and an equal one."""
    folder = tmp_path / "holiday"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(SAMPLES / "cat.jpg", folder / name)
    return folder


def test_the_version_names_that_of_the_model(bundled):
    shown = run("--version").stdout.decode()
    assert re.fullmatch(r"captionbot \d+\.\d+\.\d+, model [0-9a-f]{12} in .*models/bundled\n", shown)


def test_a_shell_can_complete_commands():
    completed = run(_CAPTIONBOT_COMPLETE="complete_bash", COMP_WORDS="captionbot do", COMP_CWORD="1")
    assert completed.stdout.decode().split() == ["doctor"]
    assert "--show-completion" in run("--help").stdout.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_in_words_what_an_option_takes(command):
    shown = run(command, "--help").stdout.decode()
    assert "Usage" in shown
    assert not re.search(r"\b(INTEGER|DIRECTORY|FLOAT RANGE|PATH|%Y)", shown)


def test_a_dash_reads_a_photo_from_stdin(bundled):
    result = run("caption", "--greedy", "-", input=(SAMPLES / "cat.jpg").read_bytes())
    name, sentence, _ = result.stdout.decode().split("\t")
    assert (result.returncode, name, sentence[-1]) == (0, "-", ".")


def test_what_is_no_photo_on_stdin_is_reported(bundled):
    result = run("caption", "--greedy", "-", input=b"no photo")
    assert result.returncode == 1
    assert b"this is not a picture" in result.stderr


@pytest.mark.parametrize("address", ["https://pictures.example/cat.jpg", "HTTP://pictures.example/cat.jpg"])
def test_an_address_is_refused_with_the_command_that_loads_it(address):
    result = run("caption", address)
    assert result.returncode == 2
    assert f"curl -L {address} | captionbot caption -" in " ".join(result.stderr.decode().split())


def test_equal_photos_get_the_same_sentence(bundled, holiday):
    lines = [line.split("\t") for line in run("caption", "--greedy", holiday).stdout.decode().splitlines()]
    assert [Path(name).name for name, *_ in lines] == ["a.jpg", "b.jpg"]
    assert lines[0][1:] == lines[1][1:]


@pytest.mark.parametrize("options", [["--jsonl"], []])
def test_a_second_run_adds_only_what_the_output_lacks(tiny_model, monkeypatch, holiday, tmp_path, options):
    monkeypatch.setenv("MODEL_DIR", str(tiny_model))
    output = tmp_path / "captions.txt"
    arguments = ["caption", "--greedy", *options, "--output", output, "--skip-existing"]
    assert run(*arguments, holiday).stdout == b""
    first = output.read_text()
    (holiday / "new.jpg").write_bytes((SAMPLES / "dogs.jpg").read_bytes())
    run(*arguments, holiday)
    assert output.read_text().startswith(first)
    added = output.read_text()[len(first) :].splitlines()
    assert len(added) == 1
    assert "new.jpg" in added[0]
    assert run(*arguments, holiday).returncode == 0
    assert len(output.read_text().splitlines()) == 3


def test_skipping_needs_an_output(holiday):
    result = run("caption", "--skip-existing", holiday)
    assert result.returncode == 2
    assert b"--output" in result.stderr


def test_models_are_json_for_programs(bundled):
    (model,) = json.loads(run("models", "--json", bundled).stdout)
    assert (model["folder"], model["decoder"]) == (str(bundled), "attention")
