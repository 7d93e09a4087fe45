"""The statistics that tell photos from what is none."""

import numpy as np
import pytest

from model.photo_statistics import NAMES, photo_statistics

SIDE = 224
BLANK = np.full((SIDE, SIDE, 3), 255, dtype=np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
RAMP = np.repeat(np.arange(SIDE, dtype=np.uint8)[:, None, None], SIDE, axis=1).repeat(3, axis=2)


def test_every_name_has_a_finite_number():
    for picture in (BLANK, NOISE, RAMP):
        assert tuple(photo_statistics(picture)) == NAMES
        assert all(np.isfinite(value) for value in photo_statistics(picture).values())


def test_a_blank_picture_is_flat_and_of_one_level():
    statistics = photo_statistics(BLANK)
    assert (statistics["commonest"], statistics["flat"], statistics["smooth"]) == (1, 1, 1)
    assert (statistics["level_entropy"], statistics["strong"]) == (0, 0)


def test_noise_does_not_grow_with_the_distance_and_a_gradient_grows_with_it():
    noise, ramp = photo_statistics(NOISE), photo_statistics(RAMP)
    for name, factor in (("growth_2", 2), ("growth_4", 2), ("growth_16", 4)):
        assert noise[name] == pytest.approx(0, abs=0.03)
        assert ramp[name] == pytest.approx(np.log(factor), abs=0.1)


def test_colour_does_not_matter():
    grey = NOISE[..., :1].repeat(3, axis=2)
    assert photo_statistics(np.full_like(BLANK, 90)) == photo_statistics(np.full_like(BLANK, (90, 90, 90)))
    assert photo_statistics(grey)["growth_2"] == pytest.approx(photo_statistics(NOISE)["growth_2"], abs=0.02)
