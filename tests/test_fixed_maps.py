"""The maps that no step of a distillation changes: OpenVINO's are PyTorch's."""

from pathlib import Path

import pytest
import torch

from model.pytorch.encoders import Encoder
from tests.support.distillation_parts import TEACHER
from training.distillation.fixed_maps import fixed_maps
from training.distillation.teacher import Teacher, load_teacher

CPU = torch.device("cpu")
UNKNOWN = "photos = photos + 0 * torch.linalg.matrix_exp(photos[..., :4, :4]).mean()"  # to OpenVINO


@pytest.fixture(scope="module")
def student() -> Encoder:
    torch.manual_seed(2)
    return Encoder("resnet50").eval().requires_grad_(False)


def written(file: Path, code: str) -> Teacher:
    file.write_text(code)
    return load_teacher(str(file), classes=False)


@pytest.fixture
def teacher(tmp_path) -> Teacher:
    return written(tmp_path / "teacher.py", TEACHER)


@pytest.mark.parametrize("frozen", [0, 1, 3, 4])
def test_they_are_the_input_of_the_first_trained_stage_and_the_teachers_maps_from_it_on(student, teacher, frozen):
    views, said = torch.rand(3, 3, 96, 96), []
    before, targets = fixed_maps(student, teacher, frozen, CPU, bf16=False, echo=said.append)(views)
    assert not said
    torch.testing.assert_close(before, student.stages(views)[frozen - 1] if frozen else views, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(targets, teacher.maps(views)[frozen:], rtol=1e-3, atol=1e-4)


def test_a_teacher_that_openvino_cannot_run_is_run_by_pytorch(student, tmp_path):
    code = TEACHER.replace("return [F.relu", f"{UNKNOWN}\n        return [F.relu")
    teacher, said = written(tmp_path / "other.py", code), []
    views = torch.rand(2, 3, 64, 64)
    _, targets = fixed_maps(student, teacher, 3, CPU, bf16=False, echo=said.append)(views)
    torch.testing.assert_close(targets, teacher.maps(views)[3:])
    assert len(said) == 1
    assert said[0].startswith("PyTorch runs the teacher, which is slower")
