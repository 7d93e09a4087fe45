"""The command line as people run it: in a process of its own."""

import contextlib
import json
import logging
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from roles.startup import json_formatter
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
COMMAND = [sys.executable, "-m", "captionbot"]


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def long_run(bundled):
    """A run over many photos that has just printed its first sentence."""
    photos = [str(SAMPLES / "cat.jpg")] * 500
    with subprocess.Popen(
        [*COMMAND, "caption", "--batch", "1", "--greedy", *photos],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()


def test_help_needs_no_heavy_import():
    heavy = {"torch", "openvino", "numpy", "PIL", "rich"}
    code = "import captionbot, sys; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert heavy & set(imported.split()) == set()


def test_help_takes_less_than_half_a_second():
    def cpu_seconds() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    begin = cpu_seconds()
    assert run("--help").returncode == 0
    assert cpu_seconds() - begin < 0.5


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_of_caption_shows_examples(option):
    shown = run("caption", option).stdout
    assert "Examples:\n    captionbot caption cat.jpg\n" in shown


def test_a_missing_model_folder_is_one_line(tmp_path):
    result = run("caption", SAMPLES / "cat.jpg", "--model", tmp_path / "nowhere")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("captionbot: ")
    assert str(tmp_path / "nowhere") in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_wrong_setting_is_one_line():
    result = run("caption", SAMPLES / "cat.jpg", MAX_BATCH="none")
    assert result.returncode == 1
    assert result.stderr == "captionbot: MAX_BATCH is 'none'; it should be a whole number\n"


@pytest.mark.parametrize("command", ["migrate", "up"])
@pytest.mark.parametrize("database", ["garbage", "newer"])
def test_a_database_that_cannot_be_migrated_is_one_line(sqlite_file, tmp_path, command, database):
    file = tmp_path / "captionbot.db"
    if database == "garbage":
        file.write_bytes(os.urandom(9000))
    else:
        shutil.copy(sqlite_file, file)
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.commit()
    result = run(command, DATA_DIR=str(tmp_path), WEB_PORT="0")
    assert result.returncode == 1
    expected = "no SQLite database" if database == "garbage" else "newer than this captionbot"
    assert expected in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["with a space", "100% ü?#::@:$x"])
def test_a_checkout_may_lie_in_any_folder(tmp_path, name):
    checkout = tmp_path / name
    for package in ("bots", "db", "model", "roles", "settings", "training", "worker"):
        shutil.copytree(ROOT / package, checkout / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "captionbot.py", checkout)
    environment = {key: value for key, value in os.environ.items() if key.lower() not in Settings.model_fields}
    result = subprocess.run([*COMMAND, "migrate"], cwd=checkout, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert [file.name for file in checkout.glob("data/*.db")] == ["captionbot.db"]


def test_a_log_line_in_json_is_one_object():
    record = logging.LogRecord("model.engine", logging.WARNING, __file__, 1, "slow:\n%s", ("float32",), None)
    assert json.loads(json_formatter().format(record)) == {
        "time": record.created,
        "level": "WARNING",
        "logger": "model.engine",
        "text": "slow:\nfloat32",
    }


def test_a_log_line_in_json_has_the_id_of_the_caption_it_is_about():
    logger = logging.getLogger("worker.pipeline")
    record = logger.makeRecord(logger.name, logging.INFO, __file__, 1, "done", (), None, extra={"caption": 7})
    assert json.loads(json_formatter().format(record))["caption"] == 7


@pytest.mark.parametrize("redacted", [False, True])
def test_a_log_line_in_json_has_the_traceback_from_which_secrets_were_removed(redacted):
    try:
        raise ValueError("a secret")
    except ValueError:
        record = logging.LogRecord("worker", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    if redacted:  # as bots/log_redaction.py does it
        record.exc_text, record.exc_info = "ValueError: ***", None
    traceback = json.loads(json_formatter().format(record))["traceback"]
    assert traceback.endswith("ValueError: ***" if redacted else "ValueError: a secret")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--nbest", "4", "--beams", "3"], "4 sentences need as many beams"),
        (["--greedy", "--nbest", "2"], "2 sentences need as many beams"),
        (["--engine", "abacus"], "abacus"),
        (["--attention", "map.gif"], "not a .png"),
        (["--attention", "nowhere/map.png"], "a folder that exists"),
    ],
)
def test_invalid_options_are_refused_before_the_model_is_loaded(arguments, error):
    result = run("caption", SAMPLES / "cat.jpg", *arguments)
    assert result.returncode == 2
    assert error in result.stderr


@pytest.fixture(scope="module")
def as_json(bundled, tmp_path_factory) -> tuple[list[dict], Path]:
    """The output of `--jsonl` for two photos, and the picture that `--attention` drew."""
    picture = tmp_path_factory.mktemp("drawn") / "map.png"
    photos = SAMPLES / "dogs.jpg", SAMPLES / "cat.jpg"
    result = run("caption", *photos, "--jsonl", "--nbest", "3", "--attention", picture)
    assert result.returncode == 0
    return [json.loads(line) for line in result.stdout.splitlines()], picture


@pytest.fixture(scope="module")
def of_a_folder(bundled, tmp_path_factory) -> subprocess.CompletedProcess[bytes]:
    """A run over a folder with two photos and two files that are no photos, and over a file that does not exist."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "1-empty.jpg").write_bytes(b"")
    (folder / "2-cat.jpg").write_bytes((SAMPLES / "cat.jpg").read_bytes())
    (folder / "3-text.jpg").write_text("This is no photo.")
    (folder / os.fsdecode(b"4-caf\xe9.jpg")).write_bytes((SAMPLES / "dogs.jpg").read_bytes())
    arguments = [*COMMAND, "caption", folder, folder / "gone.jpg"]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, timeout=120)


def test_jsonl_has_one_object_for_each_photo_in_order(as_json):
    entries, _ = as_json
    assert [Path(entry["photo"]).name for entry in entries] == ["dogs.jpg", "cat.jpg"]
    assert all(len(entry["alternatives"]) == 2 and 0 <= entry["confidence"] <= 1 for entry in entries)


def test_attention_is_drawn_into_a_png(as_json):
    with Image.open(as_json[1]) as picture:
        assert picture.format == "PNG"
        assert picture.height > 400  # two photos, one above the other


def test_every_photo_of_a_folder_is_captioned_whatever_its_name(of_a_folder):
    lines = [line.split(b"\t") for line in of_a_folder.stdout.splitlines()]
    assert [Path(os.fsdecode(name)).name for name, *_ in lines] == ["2-cat.jpg", os.fsdecode(b"4-caf\xe9.jpg")]
    assert all(sentence.endswith(b".") for _, sentence, _ in lines)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_names_that_the_encoding_of_the_terminal_lacks_are_shown_with_escapes(bundled, tmp_path, encoding):
    for name in (os.fsencode("Grüße-日本🐈.jpg"), b"caf\xe9.jpg"):
        (tmp_path / os.fsdecode(name)).write_bytes((SAMPLES / "cat.jpg").read_bytes())
    arguments = [*COMMAND, "caption", "--greedy", tmp_path, tmp_path / "日本.jpg"]
    result = subprocess.run(
        arguments, cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": encoding}, capture_output=True, timeout=120
    )
    names = [Path(os.fsdecode(line.split(b"\t")[0])).name for line in result.stdout.splitlines()]
    umlaut = r"Gr\xfc\xdfe" if encoding == "ascii" else os.fsdecode("Grüße".encode("latin-1"))
    assert names == [umlaut + r"-\u65e5\u672c\U0001f408.jpg", os.fsdecode(b"caf\xe9.jpg")]
    assert re.fullmatch(
        r"captionbot: .*\\u65e5\\u672c\.jpg: No such file or directory\n", result.stderr.decode("latin-1")
    )


def test_unreadable_files_are_named_and_the_exit_code_is_1(of_a_folder):
    lines = re.findall(r"^captionbot: .*/(.+?): (.+)$", of_a_folder.stderr.decode(), flags=re.MULTILINE)
    assert [name for name, _ in lines] == ["1-empty.jpg", "3-text.jpg", "gone.jpg"]
    assert of_a_folder.returncode == 1


def test_ctrl_c_ends_with_130_and_no_traceback(long_run):
    long_run.send_signal(signal.SIGINT)
    _, errors = long_run.communicate(timeout=60)
    assert long_run.returncode == 130
    assert "Traceback" not in errors


def test_a_closed_pipe_is_no_traceback(long_run):
    long_run.stdout.close()
    errors = long_run.stderr.read()
    assert long_run.wait(timeout=60) == 1
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors
