"""OpenVINO's encoder agrees with PyTorch's."""

import numpy as np
import pytest
import torch

from model.errors import DamagedModel
from model.openvino.encoders import encoder
from model.openvino.layers import Graph
from model.openvino.runtime import compile_graph, openvino
from model.pytorch.encoders import normalise
from tests.support.random_models import random_model, random_photos


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "densenet201"])
def test_encoder_gives_the_grid_that_pytorch_gives(name):
    stored, network, _ = random_model("pooled", name)
    photos = random_photos()
    graph = Graph(stored.encoder)
    parameter, pixels = graph.photos(64)
    grid = compile_graph(openvino.Model([encoder(graph, name, pixels)], [parameter], name))([photos])[0]
    with torch.inference_mode():
        expected = network(normalise(torch.from_numpy(photos))).numpy()
    np.testing.assert_allclose(grid, expected, atol=1e-4 * np.abs(expected).max())


def test_a_missing_weight_is_named():
    stored, _, _ = random_model()
    del stored.encoder["layer3.1.conv2.weight"]
    graph = Graph(stored.encoder)
    with pytest.raises(DamagedModel, match=r"layer3\.1\.conv2\.weight"):
        encoder(graph, "resnet50", graph.photos(64)[1])
