"""roles/supervisor.py, tested in a separate process: the tests send signals to the process that runs them."""

import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).with_name("support") / "supervisor_cases.py"


def test_the_supervisor_starts_restarts_and_stops_components():
    command = [sys.executable, "-m", "pytest", "--noconftest", "-p", "no:cacheprovider", "-n", "0", "-q", CASES]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
