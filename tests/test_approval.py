"""Approval: the share of thumbs that are up, with Wilson's interval."""

import pytest

from db.approval import Approval, votes_needed


@pytest.mark.parametrize(
    ("up", "down", "low", "high"),  # by hand from Wilson's formula
    [(0, 10, 0.0, 0.2775), (10, 0, 0.7225, 1.0), (5, 5, 0.2366, 0.7634), (80, 20, 0.7112, 0.8666)],
)
def test_the_interval_is_wilsons(up: int, down: int, low: float, high: float):
    assert Approval(up, down).interval == pytest.approx((low, high), abs=1e-4)


def test_without_votes_anything_is_possible():
    assert Approval().share is None
    assert Approval().interval == (0.0, 1.0)


def test_approvals_add_up():
    assert sum([Approval(1, 2), Approval(3, 4)], Approval()) == Approval(4, 6)


def test_small_differences_need_more_votes_than_large_ones():
    small = votes_needed(Approval(50, 50), Approval(55, 45))
    large = votes_needed(Approval(50, 50), Approval(70, 30))
    assert small is not None
    assert large is not None
    assert small > large


def test_the_votes_needed_are_those_of_the_textbook():
    # 60 against 70 %, 5 % and 80 %: 356 a group
    assert votes_needed(Approval(60, 40), Approval(70, 30)) == 356 - 100


def test_no_more_votes_are_needed_once_there_are_enough():
    assert votes_needed(Approval(600, 400), Approval(700, 300)) == 0


def test_equal_shares_cannot_be_told_apart():
    assert votes_needed(Approval(5, 5), Approval(50, 50)) is None
    assert votes_needed(Approval(5, 5), Approval()) is None
