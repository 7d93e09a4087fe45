"""OpenVINO's runtime sends nothing, writes nothing to the home folder, and is imported in one place."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WATCHED = """
import sys
seen = []
def watch(event, arguments):
    if event.startswith("socket.") or event in ("os.fork", "os.posix_spawn", "subprocess.Popen"):
        seen.append(event)
sys.addaudithook(watch)
from model.openvino.runtime import compile_graph, openvino, opset
import numpy
x = opset.parameter([1, 4], numpy.float32)
compile_graph(openvino.Model([opset.relu(x)], [x], "small"))([numpy.ones((1, 4), numpy.float32)])
print(seen)
"""


def test_nothing_is_sent_and_nothing_left_in_the_home_folder(tmp_path):
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", WATCHED], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_imports_openvino():
    files = [path for folder in ("model", "training", "bots", "worker", "db") for path in (ROOT / folder).rglob("*.py")]
    importing = re.compile(r"^\s*(import|from) (openvino|nncf)\b", re.MULTILINE)
    found = [path.name for path in files if importing.search(path.read_text())]
    assert found == ["runtime.py"]
