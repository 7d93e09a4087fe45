"""Encoders: grids of the right shape, weights from the right place."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from model.config import ENCODERS
from model.errors import MissingWeights
from model.preprocessing import read_photo_file
from model.pytorch.encoders import Encoder, from_file, from_module, normalise, pretrained

ROOT = Path(__file__).resolve().parent.parent
DEAD_END = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture(scope="module")
def resnet() -> Encoder:
    torch.manual_seed(1)
    return Encoder("resnet50").eval()


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """A machine without network whose PyTorch keeps its files in tmp_path."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, DEAD_END)
        monkeypatch.setenv(name.upper(), DEAD_END)
    monkeypatch.setenv("no_proxy", "")
    return tmp_path


@pytest.mark.parametrize("name", ENCODERS)
def test_a_photo_of_224_pixels_becomes_a_grid_of_7_by_7(name):
    with torch.device("meta"):  # shapes alone: nothing is computed
        encoder = Encoder(name).eval()
        grid = encoder(torch.empty(2, 3, 224, 224))
    assert grid.shape == (2, 49, ENCODERS[name])
    assert encoder.channels == ENCODERS[name]


def test_a_resnet_shows_its_stem_and_its_stages(resnet):
    with torch.inference_mode():
        maps = resnet.stages(torch.zeros(1, 3, 64, 64))
    assert [tuple(part.shape[1:]) for part in maps] == [
        (64, 16, 16), (256, 16, 16), (512, 8, 8), (1024, 4, 4), (2048, 2, 2)
    ]  # fmt: skip


def test_the_grid_is_the_last_map_row_by_row(resnet):
    photos = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        grid, last = resnet(photos)[0], resnet.stages(photos)[-1][0]
    assert grid.shape == (2 * 3, 2048)
    assert torch.equal(grid[1 * 3 + 2], last[:, 1, 2])


def test_pixels_are_normalised_as_imagenet_is():
    photos = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 4, 4, 3)
    black, white = normalise(photos)[:, :, 0, 0]
    torch.testing.assert_close(black, -torch.tensor([0.485, 0.456, 0.406]) / torch.tensor([0.229, 0.224, 0.225]))
    torch.testing.assert_close(white - black, 1 / torch.tensor([0.229, 0.224, 0.225]))


def test_weights_come_from_a_file(resnet, tmp_path):
    path = tmp_path / "weights.safetensors"
    state = {key: value for key, value in resnet.state_dict().items() if not key.endswith("num_batches_tracked")}
    state["fc.weight"] = torch.zeros(2, 2)  # a classifier is not needed
    save_file(state, path)
    loaded = from_file("resnet50", path)
    assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in resnet.state_dict().items())
    assert not loaded.training


def test_the_distilled_encoder_sees_that_a_mirrored_photo_is_more_alike_than_another_one():
    encoder = from_file("resnet50", ROOT / "models/bundled/encoder.safetensors")
    cat, dogs = (torch.from_numpy(read_photo_file(ROOT / f"samples/{name}.jpg")) for name in ("cat", "dogs"))
    with torch.inference_mode():
        of_cat, of_mirrored, of_dogs = encoder(normalise(torch.stack([cat, cat.flip(1), dogs]))).mean(1)
    alike = torch.cosine_similarity(of_cat, of_mirrored, dim=0)
    assert alike > 0.9
    assert torch.cosine_similarity(of_cat, of_dogs, dim=0) < alike - 0.1


def test_a_file_of_another_network_is_refused(resnet, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"layer9.weight": torch.zeros(2)}, path)
    with pytest.raises(MissingWeights, match=r"weights.pth does not hold a resnet50: \d+ names differ, first conv1"):
        from_file("resnet50", path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path, suffix):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(b"this is not a file of weights")
    with pytest.raises(MissingWeights, match=f"{path.name}: not a file of weights"):
        from_file("resnet50", path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingWeights, match=r"no encoder weights at .*nowhere.pth"):
        from_file("resnet50", tmp_path / "nowhere.pth")


def test_without_network_published_weights_name_the_file_to_put_in_place(offline):
    with pytest.raises(MissingWeights) as error:
        pretrained("resnet50")
    assert "fetch https://" in str(error.value)
    assert str(offline / "hub/checkpoints/resnet50-") in str(error.value)
    assert "\n" not in str(error.value)


def test_published_weights_that_were_put_there_are_used(resnet, offline):
    with pytest.raises(MissingWeights) as error:
        pretrained("resnet50")
    place = error.value.args[0].rpartition("put it at ")[2]
    torch.save(resnet.state_dict(), place)
    assert torch.equal(pretrained("resnet50").conv1.weight, resnet.conv1.weight)


def test_a_teacher_is_a_python_file(tmp_path):
    path = tmp_path / "teacher.py"
    path.write_text("import torch\n\ndef load_teacher():\n    return torch.nn.Conv2d(3, 4, 1)\n")
    teacher = from_module(path)
    assert not teacher.training
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_a_missing_teacher_is_named(tmp_path):
    with pytest.raises(MissingWeights, match=r"no teacher at .*nowhere.py"):
        from_module(tmp_path / "nowhere.py")
