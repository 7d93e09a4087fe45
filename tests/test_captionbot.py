"""The command line as people run it: in a process of its own."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_a_folder_of_photos_gives_a_sentence_each(bundled):
    result = run("caption", SAMPLES)
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert result.returncode == 0
    assert [Path(name).name for name, *_ in lines] == sorted(path.name for path in SAMPLES.glob("*.jpg"))
    assert all(sentence.endswith(".") and 0 <= float(confidence) <= 1 for _, sentence, confidence in lines)


def test_jsonl_has_an_object_a_line(bundled):
    result = run("caption", SAMPLES / "dogs.jpg", SAMPLES / "cat.jpg", "--jsonl", "--nbest", "3")
    entries = [json.loads(line) for line in result.stdout.splitlines()]
    assert [Path(entry["photo"]).name for entry in entries] == ["dogs.jpg", "cat.jpg"]
    assert all(set(entry) == JSON_KEYS and len(entry["alternatives"]) == 2 for entry in entries)


JSON_KEYS = {"photo", "caption", "confidence", "alternatives", "model", "milliseconds"}


def test_unreadable_files_are_named_and_the_others_captioned(bundled, tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("This is no photo.")
    result = run("caption", tmp_path / "empty.jpg", SAMPLES / "cat.jpg", tmp_path / "text.jpg", tmp_path / "gone.jpg")
    assert result.returncode == 1
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [str(SAMPLES / "cat.jpg")]
    broken = [line.removeprefix(f"captionbot: {tmp_path}/").split(":")[0] for line in result.stderr.splitlines()]
    assert broken == ["empty.jpg", "text.jpg", "gone.jpg"]


def test_attention_is_drawn_into_a_png(bundled, tmp_path):
    from PIL import Image

    result = run("caption", SAMPLES / "dogs.jpg", "--attention", tmp_path / "map.png")
    assert result.returncode == 0
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.width > 1000


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


def test_output_goes_on_behind_a_file_name_that_is_not_text(bundled, tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / name).write_bytes((SAMPLES / "cat.jpg").read_bytes())
    result = subprocess.run([*COMMAND, "caption", tmp_path], cwd=ROOT, capture_output=True, timeout=120)
    assert result.returncode == 0
    assert b"caf\xe9.jpg\t" in result.stdout
