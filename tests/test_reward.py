"""What a sentence earns in self-critical training."""

import pytest

from training.metrics.cider import CiderD
from training.reward import LATELY, Reward

END = 0
PHOTOS = ["one", "two"]
REFERENCES = [[[4, 5, 6, END], [4, 7, END]], [[8, 9, END], [8, 10, 11, END]]]
LINES = [[[4, 5, 6, END], [8, 9, END]], [[8, 9, END], [4, 7, END]]]


@pytest.fixture
def cider() -> CiderD:
    cider = CiderD.from_references(REFERENCES)
    for photo, lines in zip(PHOTOS, REFERENCES, strict=True):
        cider.add(photo, lines)
    return cider


def test_plain_it_is_the_cider_of_each_sentence_for_its_photo(cider):
    earned = Reward(cider)(PHOTOS, LINES)
    for photo, name in enumerate(PHOTOS):
        assert earned[photo].tolist() == [cider.score(name, line) for line in LINES[photo]]


def test_contrast_takes_off_what_a_sentence_would_earn_on_similar_photos(cider):
    less = Reward(cider, {"one": ["two"], "two": ["one"]}, contrast=0.5)(PHOTOS, LINES)
    for photo, other in ((0, "two"), (1, "one")):
        for number, line in enumerate(LINES[photo]):
            assert less[photo, number] == pytest.approx(
                cider.score(PHOTOS[photo], line) - 0.5 * cider.score(other, line)
            )
    assert less[0, 1] < 0 < less[0, 0]


def test_a_photo_that_no_other_is_similar_to_earns_its_cider(cider):
    earned = Reward(cider, {"one": []}, contrast=0.5)(["one"], LINES[:1])
    assert earned.tolist() == Reward(cider)(["one"], LINES[:1]).tolist()


def test_variety_takes_off_for_what_was_drawn_often_before(cider):
    reward, common, other = Reward(cider, variety=2.0), [8, 9, END], [8, 10, 11, END]
    first = reward(["two"], [[common, other]])
    assert first.tolist() == Reward(cider)(["two"], [[common, other]]).tolist()
    for _ in range(LATELY // 10):
        reward(["two"], [[common]])
    later = reward(["two"], [[common, other]])
    assert first[0, 0] - later[0, 0] == pytest.approx(2 * (1 + LATELY // 10) / LATELY)
    assert first[0, 1] - later[0, 1] == pytest.approx(2 / LATELY)


def test_what_was_drawn_long_ago_is_forgotten_and_all_of_it_with_a_new_epoch(cider):
    reward, common, other = Reward(cider, variety=2.0), [8, 9, END], [8, 10, 11, END]
    first = reward(["two"], [[common]])
    reward(["two"], [[other] * LATELY])
    assert reward(["two"], [[common]]).tolist() == first.tolist()
    reward.forget()
    assert reward(["two"], [[other]]).tolist() == Reward(cider)(["two"], [[other]]).tolist()
