"""The features that a captioning run learns from may be those of 8-bit integers, as captions are served."""

import numpy as np
import torch
from safetensors.numpy import save_file

from model.model_folder import load_model
from model.openvino.engine import OpenVinoEngine
from training.captioning.recipe import Recipe
from training.captioning.setup import prepare
from training.features.encoder_weights import load_encoder, stored_weights


def test_a_decoder_can_learn_on_the_features_of_8_bit_integers(shapes, tmp_path):
    torch.manual_seed(1)
    weights = tmp_path / "encoder.safetensors"
    save_file(stored_weights(load_encoder("resnet50", "random")), weights)
    decoder = {"embedding": 32, "hidden": 32, "heads": 4, "min_count": 1, "data": str(shapes)}
    served = decoder | {"encoder": "resnet50", "encoder_weights": str(weights), "features": str(tmp_path)}
    grids = {}
    for precision in ("auto", "int8"):
        setup = prepare(Recipe.of(served | {"feature_precision": precision}), torch.device("cpu"), str)
        grids[precision] = setup.grids.grids(setup.val).numpy()
    assert len(np.unique(grids["int8"])) <= 256 < len(np.unique(grids["auto"]))
    error = np.square(grids["int8"] - grids["auto"]).sum() / np.square(grids["auto"]).sum()
    assert 1e-6 < error < 0.02
    setup.save(tmp_path / "model", setup.decoder, {"epoch": 1})
    assert OpenVinoEngine(load_model(tmp_path / "model")).precision == "int8"
    assert load_model(tmp_path / "model").quantization["scales"]
    again = prepare(
        Recipe.of(served | {"feature_precision": "int8", "encoder_weights": str(tmp_path / "model")}),
        torch.device("cpu"),
        str,
    )
    assert again.quantization == setup.quantization
    assert len([*tmp_path.glob("resnet50-int8-*")]) == 1
