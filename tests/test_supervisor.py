"""The cases send signals to their own process. In one that runs all tests a signal that goes astray ends them all."""

import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).with_name("supervisor_cases.py")


def test_parts_are_started_kept_and_ended_in_good_order():
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "-q", CASES]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
