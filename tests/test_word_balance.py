"""The reward for saying words as often as people do."""

import math

import pytest

from model.vocabulary import END, UNK
from training.captioning.reward import Reward
from training.captioning.word_balance import PRIOR, WINDOW, WordBalance
from training.metrics.cider import CiderD

OFTEN, RARE = 8, 9
REFERENCES = [[OFTEN, OFTEN, RARE], [OFTEN]]  # three in four words are OFTEN


def test_nothing_is_rewarded_before_anything_was_said_nor_while_words_are_said_as_often_as_by_people():
    balance = WordBalance(REFERENCES, 1.0)
    assert balance([OFTEN, RARE]) == 0
    balance.count([[OFTEN, OFTEN, OFTEN, RARE]] * 100)
    assert balance([RARE]) == pytest.approx(0)


def test_a_word_said_too_rarely_is_worth_more_and_one_said_too_often_less():
    balance = WordBalance(REFERENCES, 0.5)
    balance.count([[OFTEN]] * PRIOR)  # with the prior seven in eight said words are OFTEN
    assert balance([RARE]) == pytest.approx(0.5 * math.log(2))
    assert balance([OFTEN]) == pytest.approx(0.5 * math.log(0.75 / 0.875))
    assert balance([OFTEN, RARE]) == pytest.approx((balance([OFTEN]) + balance([RARE])) / 2)


def test_ends_unknown_words_and_words_that_people_never_say_earn_nothing():
    balance = WordBalance([[*line, UNK, END] for line in REFERENCES], 1.0)
    balance.count([[OFTEN, UNK, END]] * PRIOR)
    assert balance([RARE]) == pytest.approx(math.log(2))
    assert balance([RARE, END]) == balance([RARE])
    assert balance([77]) == balance([END]) == balance([]) == 0


def test_only_what_was_said_lately_counts():
    balance = WordBalance(REFERENCES, 1.0)
    balance.count([[OFTEN]] * WINDOW)
    assert balance([RARE]) == pytest.approx(math.log((WINDOW + PRIOR) / PRIOR))
    balance.count([[OFTEN, OFTEN, OFTEN, RARE]] * (WINDOW // 4))
    assert balance([RARE]) == pytest.approx(0)


def test_the_reward_adds_it_and_forgets_with_each_epoch():
    cider = CiderD.from_references([[line] for line in REFERENCES])
    cider.add("photo", REFERENCES)
    plain, balance = Reward(cider), WordBalance(REFERENCES, 1.0)
    reward = Reward(cider, words=balance)
    lines = [[[OFTEN], [RARE]]]
    assert reward(["photo"], lines).tolist() == plain(["photo"], lines).tolist()
    reward(["photo"], [[[OFTEN]] * PRIOR])
    assert (reward(["photo"], lines) - plain(["photo"], lines))[0, 1] == pytest.approx(math.log(2), abs=1e-3)
    reward.reset()
    assert reward(["photo"], lines).tolist() == plain(["photo"], lines).tolist()
