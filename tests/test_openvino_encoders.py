import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("openvino")
# ruff: noqa: E402

from random_models import random_model, random_photos

from model.encoders import normalise
from model.errors import DamagedModel
from model.openvino_encoders import encoder
from model.openvino_graph import Graph
from model.openvino_runtime import compile_graph, openvino


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "densenet201"])
def test_encoder_gives_the_grid_that_pytorch_gives(name):
    stored, eye, _ = random_model("pooled", name)
    photos = random_photos()
    graph = Graph(stored.encoder)
    parameter, pixels = graph.photos(64)
    grid = compile_graph(openvino.Model([encoder(graph, name, pixels)], [parameter], name))([photos])[0]
    with torch.inference_mode():
        expected = eye(normalise(torch.from_numpy(photos))).numpy()
    np.testing.assert_allclose(grid, expected, atol=1e-4 * np.abs(expected).max())


def test_a_missing_weight_is_named():
    stored, _, _ = random_model()
    del stored.encoder["layer3.1.conv2.weight"]
    graph = Graph(stored.encoder)
    with pytest.raises(DamagedModel, match=r"layer3\.1\.conv2\.weight"):
        encoder(graph, "resnet50", graph.photos(64)[1])
