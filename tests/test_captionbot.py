"""The command line as people run it: in a process of its own."""

import json
import logging
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from roles.start import JsonLog

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


@pytest.fixture(scope="module")
def bundled() -> Path:
    folder = ROOT / "models/bundled"
    if not folder.is_dir():
        pytest.skip("the bundled model is not in this checkout")
    return folder


@pytest.fixture
def long_run(bundled):
    """A run over many photos that has just shown its first sentence."""
    photos = [str(SAMPLES / "cat.jpg")] * 500
    with subprocess.Popen(
        [*COMMAND, "caption", "--batch", "1", "--greedy", *photos],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whatever starts the tests may have switched Ctrl-C off, as shells do for what runs in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
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


def test_a_log_line_in_json_is_one_object():
    record = logging.LogRecord("model.engine", logging.WARNING, __file__, 1, "slow:\n%s", ("float32",), None)
    entry = json.loads(JsonLog().format(record))
    assert (entry["level"], entry["logger"], entry["text"]) == ("WARNING", "model.engine", "slow:\nfloat32")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--nbest", "4", "--beams", "3"], "4 sentences need as many beams"),
        (["--greedy", "--nbest", "2"], "2 sentences need as many beams"),
        (["--engine", "abacus"], "abacus"),
        (["--attention", "map.gif"], "not a .png"),
        (["--attention", "nowhere/map.png"], "a folder that exists"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_loaded(arguments, complaint):
    result = run("caption", SAMPLES / "cat.jpg", *arguments)
    assert result.returncode == 2
    assert complaint in result.stderr


@pytest.fixture(scope="module")
def as_json(bundled, tmp_path_factory) -> tuple[list[dict], Path]:
    """What `--jsonl` said of two photos, and the picture that `--attention` drew."""
    picture = tmp_path_factory.mktemp("drawn") / "map.png"
    photos = SAMPLES / "dogs.jpg", SAMPLES / "cat.jpg"
    result = run("caption", *photos, "--jsonl", "--nbest", "3", "--attention", picture)
    assert result.returncode == 0
    return [json.loads(line) for line in result.stdout.splitlines()], picture


@pytest.fixture(scope="module")
def of_a_folder(bundled, tmp_path_factory) -> subprocess.CompletedProcess[bytes]:
    """A run over a folder with two photos and two files that are none, and a file that is not there."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "1-empty.jpg").write_bytes(b"")
    (folder / "2-cat.jpg").write_bytes((SAMPLES / "cat.jpg").read_bytes())
    (folder / "3-text.jpg").write_text("This is no photo.")
    (folder / os.fsdecode(b"4-caf\xe9.jpg")).write_bytes((SAMPLES / "dogs.jpg").read_bytes())
    arguments = [*COMMAND, "caption", folder, folder / "gone.jpg"]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, timeout=120)


def test_jsonl_has_an_object_a_photo_in_order(as_json):
    entries, _ = as_json
    assert [Path(entry["photo"]).name for entry in entries] == ["dogs.jpg", "cat.jpg"]
    assert all(len(entry["alternatives"]) == 2 and 0 <= entry["confidence"] <= 1 for entry in entries)


def test_attention_is_drawn_into_a_png(as_json):
    with Image.open(as_json[1]) as picture:
        assert picture.format == "PNG"
        assert picture.height > 400  # two photos, one above the other


def test_photos_of_a_folder_get_a_sentence_each_whatever_their_names(of_a_folder):
    lines = [line.split(b"\t") for line in of_a_folder.stdout.splitlines()]
    assert [Path(os.fsdecode(name)).name for name, *_ in lines] == ["2-cat.jpg", os.fsdecode(b"4-caf\xe9.jpg")]
    assert all(sentence.endswith(b".") for _, sentence, _ in lines)


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
