"""What hostile uploads cost: the command that measures it (tests/hostile_uploads.py) works; no refusal is costly."""

import time

import pytest

from bots.errors import UserError
from bots.service.photo_check import check_photo
from tests import hostile_uploads
from tests.support.hostile_mix import MIX

pytestmark = pytest.mark.slow


def seconds(data: bytes) -> tuple[float, bool]:
    """Of a processor, and whether the file was accepted."""
    begun = time.thread_time()
    try:
        check_photo(data)
    except UserError:
        return time.thread_time() - begun, False
    return time.thread_time() - begun, True


@pytest.fixture(scope="module")
def large_photo() -> float:
    """What a photo of 48 megapixels takes that is accepted; machines differ."""
    taken, accepted = seconds(MIX["PNG of 48 megapixels, transparent"]())
    assert accepted
    return taken


@pytest.mark.parametrize("name", MIX)
def test_a_refusal_costs_little_more_than_a_large_photo(name, large_photo):
    taken, accepted = seconds(MIX[name]())
    assert accepted or taken < 2 * large_photo


@pytest.mark.usefixtures("bundled")
def test_the_command_measures_what_uploads_cost_a_running_page(capsys):
    hostile_uploads.main(uploads=4, rounds=1, idle=0)
    shown = capsys.readouterr().out
    assert "| 4 | 4 |  | 0 | " in shown
    assert "what is accepted" in shown
