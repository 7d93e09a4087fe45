"""The training views of a distillation: crops of photos, of which some are blended."""

import numpy as np
import torch

from model.pytorch.encoders import normalise
from tests.support.distillation_parts import recipe
from training.distillation.step_maps import draw_views

PHOTOS = torch.arange(0, 240, 40, dtype=torch.uint8)[:, None, None, None].expand(6, 64, 64, 3).contiguous()  # grey ones


def views(**changes: object) -> torch.Tensor:
    settings = recipe({"teacher": "x", "photos": "x"}, colour=0, **changes)
    return draw_views(settings, 64, PHOTOS, np.random.default_rng(1))


def test_without_mixup_each_view_is_of_one_photo():
    torch.testing.assert_close(views(), normalise(PHOTOS))


def test_with_mixup_a_view_lies_between_its_photo_and_the_next():
    plain, mixed = normalise(PHOTOS), views(mixup=1.0)
    shares = ((mixed - plain) / (plain.roll(-1, 0) - plain)).mean((1, 2, 3))
    assert ((shares > 0) & (shares < 1)).all()
    assert len({*shares.tolist()}) == 6


def test_mixup_leaves_the_share_that_is_not_blended_as_it_is():
    same = (views(mixup=0.5) == views()).flatten(1).all(1)
    assert 0 < same.sum() < 6
