"""The losses of distillation."""

import pytest
import torch

from model.errors import BadRecipe
from model.pytorch.encoders import Encoder
from training.distillation.losses import maps_from, pooled_cosine, second_moments, stage_errors

PHOTOS = torch.zeros(2, 64, 64, 3, dtype=torch.uint8)


@pytest.fixture(scope="module")
def student() -> Encoder:
    torch.manual_seed(1)
    return Encoder("resnet50").eval().requires_grad_(False)


def maps(scale: float = 1.0) -> "list[torch.Tensor]":
    return [torch.full((2, 3, 4, 4), scale)] * 5


def test_a_perfect_copy_has_no_error():
    assert stage_errors(maps(), maps(), [torch.ones(3)] * 5).tolist() == [0.0] * 5


def test_maps_of_zeros_have_an_error_of_one_whatever_the_scale_of_the_channels():
    wanted = [torch.randn(8, 3, 4, 4) * torch.tensor([0.01, 1, 100])[:, None, None] for _ in range(5)]
    moments = [stage.square().mean((0, 2, 3)) for stage in wanted]
    zeros = [torch.zeros_like(stage) for stage in wanted]
    torch.testing.assert_close(stage_errors(zeros, wanted, moments), torch.ones(5))


def test_the_pooled_cosine_ignores_the_scale():
    one = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(pooled_cosine(one, 5 * one), torch.ones(2))
    assert (pooled_cosine(one, torch.rand(2, 3, 4, 4)) < 1).all()


def test_second_moments_are_those_of_all_photos(student):
    photos = torch.randint(0, 256, (3, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    found = second_moments(student.stages, photos.split(2), student)
    assert [len(moment) for moment in found] == [64, 256, 512, 1024, 2048]
    whole = second_moments(student.stages, [photos], student)
    for one, other in zip(found, whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_channel_that_is_always_zero_has_a_positive_moment(student):
    def teacher(photos: "torch.Tensor") -> "list[torch.Tensor]":
        return [stage * (torch.arange(stage.shape[1]) > 0)[:, None, None] for stage in student.stages(photos)]

    assert all((moment > 0).all() for moment in second_moments(teacher, [PHOTOS], student))


def test_stagewise_training_uses_the_teachers_maps_as_inputs(student):
    photos = torch.rand(2, 3, 64, 64)
    wanted = [stage + 1 for stage in student.stages(photos)]
    alone = maps_from(student, 0, photos, wanted)
    torch.testing.assert_close(alone[0], student.stem(photos))
    torch.testing.assert_close(alone[4], student.layer4(wanted[3]))


def test_the_first_trained_stage_gets_the_students_own_map(student):
    maps = student.stages(torch.rand(2, 3, 64, 64))
    torch.testing.assert_close(maps_from(student, 3, maps[2]), maps[3:])
    other = [stage + 1 for stage in maps[3:]]
    torch.testing.assert_close(maps_from(student, 3, maps[2], other), [maps[3], student.layer4(other[0])])


@pytest.mark.parametrize("output", [torch.zeros(2, 2048, 2, 2), [torch.zeros(2, 2048, 2, 2)]])
def test_a_teacher_of_other_maps_is_an_error_that_says_which_are_needed(student, output):
    with pytest.raises(BadRecipe, match=r"list of five maps.*\(2048, 2, 2\)"):
        second_moments(lambda photos: output, [PHOTOS], student)
