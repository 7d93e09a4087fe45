"""The reward of self-critical training."""

import pytest

from training.captioning.reward import WINDOW, MixedReward, Reward
from training.metrics.cider import CiderD

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


def test_without_penalties_the_reward_is_cider(cider):
    earned = Reward(cider)(PHOTOS, LINES)
    for photo, name in enumerate(PHOTOS):
        assert earned[photo].tolist() == [cider.score(name, line) for line in LINES[photo]]


def test_contrast_subtracts_the_reward_for_similar_photos(cider):
    less = Reward(cider, {"one": ["two"], "two": ["one"]}, contrast=0.5)(PHOTOS, LINES)
    for photo, other in ((0, "two"), (1, "one")):
        for number, line in enumerate(LINES[photo]):
            assert less[photo, number] == pytest.approx(
                cider.score(PHOTOS[photo], line) - 0.5 * cider.score(other, line)
            )
    assert less[0, 1] < 0 < less[0, 0]


def test_a_photo_without_similar_photos_has_no_contrast(cider):
    earned = Reward(cider, {"one": []}, contrast=0.5)(["one"], LINES[:1])
    assert earned.tolist() == Reward(cider)(["one"], LINES[:1]).tolist()


def test_variety_penalises_recently_sampled_sentences(cider):
    reward, common, other = Reward(cider, variety=2.0), [8, 9, END], [8, 10, 11, END]
    first = reward(["two"], [[common, other]])
    assert first.tolist() == Reward(cider)(["two"], [[common, other]]).tolist()
    for _ in range(WINDOW // 10):
        reward(["two"], [[common]])
    later = reward(["two"], [[common, other]])
    assert first[0, 0] - later[0, 0] == pytest.approx(2 * (1 + WINDOW // 10) / WINDOW)
    assert first[0, 1] - later[0, 1] == pytest.approx(2 / WINDOW)


def test_the_window_of_samples_slides_and_is_reset_with_each_epoch(cider):
    reward, common, other = Reward(cider, variety=2.0), [8, 9, END], [8, 10, 11, END]
    first = reward(["two"], [[common]])
    reward(["two"], [[other] * WINDOW])
    assert reward(["two"], [[common]]).tolist() == first.tolist()
    reward.reset()
    assert reward(["two"], [[other]]).tolist() == Reward(cider)(["two"], [[other]]).tolist()


def test_photos_of_several_sets_are_rewarded_each_by_its_own(cider):
    others = CiderD.from_references(REFERENCES[:1])  # one photo: every n-gram is in all, so none counts
    others.add("two", REFERENCES[1])
    mixed = MixedReward({"first": Reward(cider), "second": Reward(others)}, {"one": "first", "two": "second"})
    earned = mixed(PHOTOS, LINES)
    assert earned[0].tolist() == Reward(cider)(["one"], LINES[:1])[0].tolist()
    assert (
        earned[1].tolist()
        == Reward(others)(["two"], LINES[1:])[0].tolist()
        != Reward(cider)(["two"], LINES[1:])[0].tolist()
    )


def test_a_reference_counts_by_its_weight(cider):
    references, said = REFERENCES[1], [8, 9, END]
    alone = []
    for reference in references:
        cider.add("alone", [reference])
        alone.append(cider.score("alone", said))
    cider.add("weighted", references, [1.0, 0.25])
    assert cider.score("weighted", said) == pytest.approx((alone[0] + 0.25 * alone[1]) / 1.25)
