"""What a recipe is carried out with: data, vocabulary, encoder, grids, decoder and reward, ready before it starts."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

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
from training.encoder_weights import load_encoder, storable
from training.features import Features, compute_features, key_of
from training.grids import CachedGrids, CentredGrids, Grids, LiveGrids
from training.metrics.cider import CiderD
from training.precision import mixed_precision
from training.recipe import Recipe
from training.reward import Reward
from training.similar_photos import similar_photos
from training.word_vectors import load_word_vectors

Say = Callable[[str], None]
SIMILAR = 5  # photos that a sentence must not fit as well
NAMED = 5  # broken photos that are named one by one


@dataclass
class Ingredients:
    """What the training loop works with."""

    recipe: Recipe
    device: torch.device
    dataset: Dataset
    train: list[Example]
    val: list[Example]
    vocabulary: Vocabulary
    encoder: nn.Module
    grids: CentredGrids
    decoder: Decoder  # for centred features; model folders hold it folded

    @cached_property
    def captions(self) -> dict[str, list[list[int]]]:
        """Photo id -> its training captions as word ids."""
        return {example.id: [self.vocabulary.encode(line) for line in example.captions] for example in self.train}

    @cached_property
    def reward(self) -> Reward:
        """By CIDEr-D with IDF from training references only, the end token a word like any other."""
        references = {photo: [[*line, END] for line in lines] for photo, lines in self.captions.items()}
        cider = CiderD.from_references(references.values())
        for photo, lines in references.items():
            cider.add(photo, lines)
        contrast, variety = self.recipe.contrast, self.recipe.variety
        similar = similar_photos(self.captions, SIMILAR) if contrast else None
        return Reward(cider, similar, contrast=contrast, variety=variety)

    def trained(self) -> list[nn.Parameter]:
        """All that gradients are computed for."""
        return [*self.decoder.parameters(), *self.grids.parameters()]

    def autocast(self) -> AbstractContextManager:
        """bf16 products where the device is made for them."""
        return mixed_precision(self.device)

    def encoder_state(self) -> dict[str, Tensor]:
        """Weights of the encoder if any of it is trained, else nothing."""
        return {k: v.detach().clone() for k, v in self.encoder.state_dict().items()} if self.grids.parameters() else {}

    def load(self, decoder: Mapping[str, Tensor], encoder: Mapping[str, Tensor]) -> None:
        """Set the weights. What is empty stays as it is: a run may begin with its second phase."""
        if decoder:
            self.decoder.load_state_dict(decoder)
        if encoder:
            self.encoder.load_state_dict(encoder)

    def save(self, folder: Path, decoder: Decoder, metrics: dict) -> None:
        """Write a model folder. A teacher's encoder is not ours to store: the folder then has none."""
        weights = {name: value.cpu().numpy() for name, value in self.grids.fold(decoder.state_dict()).items()}
        card = f"A captionbot model in training: {decoder.config.decoder} decoder, {metrics['epoch']} epochs.\n"
        stored = storable(self.encoder) if isinstance(self.encoder, encoders.Encoder) else None
        save_model(folder, decoder.config, self.vocabulary, stored, weights, metrics, card)


def prepare(recipe: Recipe, device: torch.device, say: Say) -> Ingredients:
    """Read data, build networks, compute the features that are missing. Raises BadData, BadRecipe, MissingWeights."""
    if not recipe.data:
        raise BadRecipe("no data set is named; add --set data=FOLDER")
    dataset = load_dataset(Path(recipe.data), format=recipe.format)
    say(str(dataset.report))
    train, val = dataset.split("train"), dataset.split("val")
    if not train or not val:
        raise BadData(f"{recipe.data} has {len(train)} training and {len(val)} validation photos; both are needed")
    train = train[: recipe.limit] if recipe.limit else train
    encoder = load_encoder(recipe.encoder, recipe.encoder_weights)
    grids, broken = _grids(recipe, dataset, train, val, encoder, device)
    for reason in [*broken.values()][:NAMED]:
        say(f"left out: {reason}")
    if len(broken) > NAMED:
        say(f"left out: {len(broken) - NAMED} more photos that cannot be read")
    train, val = ([example for example in part if example.id not in broken] for part in (train, val))
    if not train or not val:
        raise BadData(f"{recipe.data}: no training photo, or no validation photo, can be read")
    vocabulary, decoder = _decoder(recipe, train, say)
    centred = CentredGrids(grids, train if recipe.centred else [])
    decoder.to(device)
    if recipe.start_from:
        decoder.load_state_dict(centred.fold(decoder.state_dict(), -1))
    return Ingredients(recipe, device, dataset, train, val, vocabulary, encoder, centred, decoder)


def _grids(
    recipe: Recipe,
    dataset: Dataset,
    train: Sequence[Example],
    val: Sequence[Example],
    encoder: nn.Module,
    device: torch.device,
) -> tuple[Grids, dict[str, str]]:
    """Where the grids come from, and the photos that cannot be read: id -> reason. The main process reads them all."""
    if recipe.live:
        live = LiveGrids(dataset, encoder, recipe.tuned_stages, device)
        return live, parallel.from_main(lambda: live.read_all([*train, *val]))
    folder = Path(recipe.features) / key_of(recipe.encoder, encoder)

    def compute() -> dict[str, str]:  # validation photos are only ever seen as they are
        broken = compute_features(dataset, [*train, *val], encoder, folder, device=device.type)
        good = [example for example in train if example.id not in broken]
        return broken | compute_features(dataset, good, encoder, folder, views=recipe.views, device=device.type)

    broken = parallel.from_main(compute)
    return CachedGrids(Features(folder, recipe.views), device), broken


def _decoder(recipe: Recipe, train: Sequence[Example], say: Say) -> tuple[Vocabulary, Decoder]:
    """A fresh decoder and the vocabulary of the training captions; or both from a model folder."""
    if recipe.start_from:
        stored = load_model(Path(recipe.start_from))
        if stored.config.encoder != recipe.encoder:
            raise BadRecipe(f"{recipe.start_from} was trained on {stored.config.encoder}; set encoder to that")
        vocabulary, decoder = stored.vocabulary, build_decoder(stored.config)
        decoder.load_state_dict({name: torch.from_numpy(value) for name, value in stored.decoder.items()})
        decoder.drop.p = recipe.dropout
    else:
        vocabulary = Vocabulary.build((line for example in train for line in example.captions), recipe.min_count)
        say(f"vocabulary: {len(vocabulary)} words seen {recipe.min_count} times or more")
        names = ("decoder", "encoder", "embedding", "hidden", "heads", "dropout")
        decoder = build_decoder(ModelConfig(len(vocabulary), **{name: getattr(recipe, name) for name in names}))
    if recipe.word_vectors:
        known = load_word_vectors(Path(recipe.word_vectors), vocabulary, decoder.words.weight)
        say(f"word vectors: {known} of {len(vocabulary)} words known")
    decoder.words.weight.requires_grad_(not recipe.freeze_words)
    return vocabulary, decoder
