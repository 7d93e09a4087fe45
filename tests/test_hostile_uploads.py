"""The command that measures what hostile uploads cost a running page (tests/hostile_uploads.py)."""

import pytest

from tests import hostile_uploads

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("bundled")
def test_the_command_measures_what_uploads_cost_a_running_page(capsys):
    hostile_uploads.main(uploads=4, rounds=1, idle=0)
    shown = capsys.readouterr().out
    assert "| 4 | 4 |  | 0 | " in shown
    assert "what is accepted" in shown
