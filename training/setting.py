"""Everything a run stands on, made from its recipe: data, vocabulary, encoder, grids, decoder, reward."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from model import encoders
from model.checkpoint import load_model, save_model
from model.config import ModelConfig
from model.decoders import Decoder, build_decoder
from model.errors import BadData, BadRecipe
from model.vocabulary import END, Vocabulary
from training import parallel
from training.data import Dataset, Example, load_dataset
from training.features import Features, compute_features, key_of
from training.grids import CachedGrids, Grids, LiveGrids
from training.metrics.cider import CiderD
from training.recipe import Recipe
from training.word_vectors import load_word_vectors


@dataclass
class Setting:
    """What the training loop works with."""

    recipe: Recipe
    device: torch.device
    dataset: Dataset
    train: list[Example]
    val: list[Example]
    vocabulary: Vocabulary
    encoder: nn.Module
    grids: Grids
    decoder: Decoder

    @cached_property
    def captions(self) -> dict[str, list[list[int]]]:
        """Photo id -> its training captions as word ids."""
        return {example.id: [self.vocabulary.encode(line) for line in example.captions] for example in self.train}

    @cached_property
    def reward(self) -> CiderD:
        """CIDEr-D with IDF from training references only, the end token a word like any other."""
        references = {photo: [[*line, END] for line in lines] for photo, lines in self.captions.items()}
        reward = CiderD.from_references(references.values())
        for photo, lines in references.items():
            reward.add(photo, lines)
        return reward

    def autocast(self) -> AbstractContextManager:
        """bf16 products where the device is made for them."""
        return torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()

    def encoder_state(self) -> dict[str, Tensor]:
        """Weights of the encoder if any of it is trained, else nothing."""
        return {k: v.detach().clone() for k, v in self.encoder.state_dict().items()} if self.grids.parameters() else {}

    def load_encoder(self, state: dict[str, Tensor]) -> None:
        if state:
            self.encoder.load_state_dict(state)

    def save(self, folder: Path, decoder: nn.Module, metrics: dict) -> None:
        """Write a model folder. A teacher's encoder is not ours to store: the folder then has none."""
        mine = isinstance(self.encoder, encoders.Encoder)
        weights = {name: value.cpu().numpy() for name, value in decoder.state_dict().items()}
        card = f"A captionbot model in training: {self.recipe.decoder} decoder, {metrics['epoch']} epochs.\n"
        stored = storable(self.encoder) if mine else None
        save_model(folder, decoder.config, self.vocabulary, stored, weights, metrics, card)


def storable(encoder: nn.Module) -> dict[str, np.ndarray]:
    """An encoder's weights as model folders keep them: convolutions fp16, the few others fp32."""
    state = {k: v.cpu() for k, v in encoder.state_dict().items() if not k.endswith("num_batches_tracked")}
    return {name: (value.half() if value.dim() == 4 else value.float()).numpy() for name, value in state.items()}


def load_encoder(name: str, source: str) -> nn.Module:
    """An encoder with weights from `source`: imagenet, random, a file, a model folder, or a teacher's Python file."""
    if source == "imagenet":
        return encoders.pretrained(name)
    if source == "random":
        return encoders.Encoder(name).eval()
    path = Path(source)
    if path.suffix == ".py":
        return encoders.from_module(path)
    return encoders.from_file(name, path / "encoder.safetensors" if path.is_dir() else path)


def prepare(recipe: Recipe, device: torch.device, say: Callable[[str], None]) -> Setting:
    """Read data, build networks, compute the features that are missing."""
    if not recipe.data:
        raise BadRecipe("no data set is named; add --set data=FOLDER")
    dataset = load_dataset(Path(recipe.data), format=recipe.format)
    say(str(dataset.report))
    train, val = dataset.split("train"), dataset.split("val")
    if not train or not val:
        raise BadData(f"{recipe.data} has {len(train)} training and {len(val)} validation photos; both are needed")
    encoder = load_encoder(recipe.encoder, recipe.encoder_weights)
    grids: Grids
    if recipe.live:
        grids = LiveGrids(dataset, encoder, recipe.tuned_stages, device)
    else:
        folder = Path(recipe.features) / key_of(recipe.encoder, encoder)
        if parallel.is_main():
            compute_features(dataset, train + val, encoder, folder, views=recipe.views, device=device.type)
        parallel.from_main(None)  # the other processes wait here
        features = Features(folder, recipe.views)
        train, val = _readable(train, features, say), _readable(val, features, say)
        grids = CachedGrids(features, device)
    train = train[: recipe.limit] if recipe.limit else train
    vocabulary, decoder = _decoder(recipe, train, say)
    return Setting(recipe, device, dataset, train, val, vocabulary, encoder, grids, decoder.to(device))


def _readable(examples: Sequence[Example], features: Features, say: Callable[[str], None]) -> list[Example]:
    kept = [example for example in examples if example.id in features]
    if len(kept) < len(examples):
        say(f"{len(examples) - len(kept)} photos could not be read and are left out")
    if not kept:
        raise BadData("none of the photos could be read")
    return kept


def _decoder(recipe: Recipe, train: list[Example], say: Callable[[str], None]) -> tuple[Vocabulary, Decoder]:
    """A fresh decoder and the vocabulary of the training captions; or both from a model folder."""
    if recipe.start_from:
        stored = load_model(Path(recipe.start_from))
        decoder = build_decoder(stored.config)
        decoder.load_state_dict({name: torch.from_numpy(value) for name, value in stored.decoder.items()})
        decoder.drop.p = recipe.dropout
        return stored.vocabulary, decoder
    vocabulary = Vocabulary.build((line for example in train for line in example.captions), recipe.min_count)
    say(f"vocabulary: {len(vocabulary)} words seen {recipe.min_count} times or more")
    names = ("decoder", "encoder", "embedding", "hidden", "heads", "dropout")
    config = ModelConfig(len(vocabulary), **{name: getattr(recipe, name) for name in names})
    decoder = build_decoder(config)
    if recipe.word_vectors:
        known = load_word_vectors(Path(recipe.word_vectors), vocabulary, decoder.words.weight)
        say(f"word vectors: {known} of {len(vocabulary)} words known")
    decoder.words.weight.requires_grad_(not recipe.freeze_words)
    return vocabulary, decoder
