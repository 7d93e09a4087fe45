"""A small chaos run: the command that breaks everything (tests/chaos.py) works, and its lines hold."""

import shutil

import pytest
from rich.console import Console

from tests import chaos
from tests.support.chaos.faults import ALL
from tests.support.postgresql_server import PATH

NEEDED = [("redis-server", None), ("initdb", PATH)]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.redis,
    pytest.mark.postgres,
    pytest.mark.usefixtures("bundled"),
    pytest.mark.skipif(not all(shutil.which(name, path=path) for name, path in NEEDED), reason="servers are missing"),
]


def test_a_small_run_loses_nothing():
    with Console(file=None, quiet=True) as console:
        verdict = chaos.run(photos=30, minutes=0.3, seed=3, faults=3, console=console)
    assert verdict.complaints == []
    assert verdict.table.row_count == 1 + 3 + 1  # before the first fault, the faults, the sum


def test_the_faults_have_names_of_their_own():
    assert len({fault.name for fault in ALL}) == len(ALL)
