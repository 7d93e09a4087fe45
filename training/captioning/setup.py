"""Prepares a captioning run: data, vocabulary, encoder, features, decoder and reward."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from model.config import ModelConfig
from model.errors import BadData, BadRecipe
from model.model_folder import load_model, save_model
from model.openvino.quantization import Quantization
from model.pytorch import encoders
from model.pytorch.decoders import Decoder, build_decoder
from model.vocabulary import END, Vocabulary
from training.captioning.features import feature_grids, features_quantization
from training.captioning.recipe import Recipe
from training.captioning.reward import MixedReward, Reward
from training.captioning.similar_photos import similar_photos
from training.captioning.word_balance import WordBalance
from training.captioning.word_vectors import load_word_vectors
from training.data import Dataset, Example, load_mixture
from training.data.dataset import dataset_name
from training.data.raw import DERIVED, HUMAN, MACHINE
from training.features.decode import load_decoder
from training.features.encoder_weights import load_encoder, stored_weights
from training.features.feature_sources import CentredGrids
from training.metrics.cider import CiderD
from training.runs.distributed import mixed_precision

Echo = Callable[[str], None]
SIMILAR = 5  # photos whose references a sentence should not fit as well
LISTED = 5  # unreadable photos that are named one by one


@dataclass
class TrainingSetup:
    """What the training loop works with."""

    recipe: Recipe
    device: torch.device
    dataset: Dataset
    train: list[Example]
    val: list[Example]
    vocabulary: Vocabulary
    encoder: nn.Module
    grids: CentredGrids  # where features come from
    decoder: Decoder  # for centred features; model folders have the centring folded into it
    quantization: Quantization | None = None  # of the encoder that the features are of

    @cached_property
    def captions(self) -> dict[str, list[list[int]]]:
        """Photo id -> its training captions as word ids."""
        return {example.id: [self.vocabulary.encode(line) for line in example.captions] for example in self.train}

    @cached_property
    def weights(self) -> dict[str, list[float]]:
        """Photo id -> the weights of its training captions, by their sources."""
        by_source = {HUMAN: 1.0, MACHINE: self.recipe.machine, DERIVED: self.recipe.derived}
        return {example.id: [by_source[source] for source in example.caption_sources] for example in self.train}

    @cached_property
    def reward(self) -> MixedReward:
        """CIDEr-D with document frequencies from the training references of the photo's data set."""
        sets = {example.id: example.dataset for example in self.train}
        photos = {name: [photo for photo, own in sets.items() if own == name] for name in {*sets.values()}}
        return MixedReward({name: self._reward(own) for name, own in photos.items()}, sets)

    def _reward(self, photos: Sequence[str]) -> Reward:
        """The reward for the photos of one data set. END counts as a word."""
        captions = {photo: self.captions[photo] for photo in photos}
        references = {photo: [[*line, END] for line in lines] for photo, lines in captions.items()}
        cider = CiderD.from_references(references.values())
        for photo, lines in references.items():
            cider.add(photo, lines, self.weights[photo])
        contrast, variety = self.recipe.contrast, self.recipe.variety
        similar = similar_photos(captions, SIMILAR) if contrast else None
        balance = self.recipe.word_balance
        words = WordBalance((line for lines in captions.values() for line in lines), balance) if balance else None
        return Reward(cider, similar, contrast=contrast, variety=variety, words=words)

    def draw(self, random: np.random.Generator) -> list[Example]:
        """The training photos of one epoch: of each data set as many as its weight in the recipe says."""
        names = [dataset_name(Path(data)) for data in self.recipe.data]
        weights = self.recipe.data_weights
        drawn: list[Example] = []
        for name, weight in zip(names, weights * len(names) if len(weights) == 1 else weights, strict=True):
            own = [example for example in self.train if example.dataset == name]
            if not own:  # all of them are held out by another data set, or unreadable
                continue
            times, rest = divmod(max(1, round(weight * len(own))), len(own))
            drawn += own * times
            drawn += [own[number] for number in random.permutation(len(own))[:rest]] if rest else []
        return drawn

    def trained(self) -> list[nn.Parameter]:
        """The parameters that gradients are computed for."""
        return [*self.decoder.parameters(), *self.grids.parameters()]

    def autocast(self) -> AbstractContextManager:
        """bfloat16 where it is faster on the device."""
        return mixed_precision(self.device)

    def encoder_state(self) -> dict[str, Tensor]:
        """The encoder's weights if any of it is trained, else nothing."""
        return {k: v.detach().clone() for k, v in self.encoder.state_dict().items()} if self.grids.parameters() else {}

    def load(self, decoder: Mapping[str, Tensor], encoder: Mapping[str, Tensor]) -> None:
        """Set the weights. An empty state leaves its network as it is: a run may begin with its second phase."""
        if decoder:
            self.decoder.load_state_dict(decoder)
        if encoder:
            self.encoder.load_state_dict(encoder)

    def save(self, folder: Path, decoder: Decoder, metrics: dict) -> None:
        """Write a model folder. It has no encoder when that is a teacher's, which may not be passed on."""
        weights = {
            name: value.cpu().numpy()
            for name, value in self.grids.fold(decoder.state_dict(), decoder.feature_layer).items()
        }
        card = f"A captionbot model in training: {decoder.config.decoder} decoder, {metrics['epoch']} epochs.\n"
        stored = stored_weights(self.encoder) if isinstance(self.encoder, encoders.Encoder) else None
        quantization = self.quantization.to_json() if self.quantization else None
        save_model(folder, decoder.config, self.vocabulary, stored, weights, metrics, card, quantization=quantization)


def prepare(recipe: Recipe, device: torch.device, echo: Echo) -> TrainingSetup:
    """Read data, build networks, and compute the features that are missing.

    Raises:
        BadData: the data set cannot be read or has no training or validation photos.
        BadRecipe: settings do not fit the data or each other.
        MissingWeights: the encoder's weights are not where the recipe says.
    """
    if not all(recipe.data) or not recipe.data:
        raise BadRecipe("no data set is named; add --set data=FOLDER")
    dataset = load_mixture([Path(data) for data in recipe.data], format=recipe.format)
    echo(str(dataset.report))
    train, val = _with_weight(dataset.split("train"), recipe), dataset.split("val")
    if not train or not val:
        raise BadData(
            f"{dataset.report.source} has {len(train)} training and {len(val)} validation photos; both are needed"
        )
    train = train[: recipe.limit] if recipe.limit else train
    encoder = load_encoder(recipe.encoder, recipe.encoder_weights)
    quantization = features_quantization(recipe, dataset, encoder)
    grids, unreadable = feature_grids(recipe, dataset, train, val, encoder, quantization, device)
    for reason in [*unreadable.values()][:LISTED]:
        echo(f"left out: {reason}")
    if len(unreadable) > LISTED:
        echo(f"left out: {len(unreadable) - LISTED} more photos that cannot be read")
    train, val = ([example for example in part if example.id not in unreadable] for part in (train, val))
    if not train or not val:
        raise BadData(f"{dataset.report.source}: no training photo, or no validation photo, can be read")
    vocabulary, decoder = _decoder(recipe, train, echo)
    centred = CentredGrids(grids, train if recipe.centred else [])
    decoder.to(device)
    if recipe.start_from:
        decoder.load_state_dict(centred.fold(decoder.state_dict(), decoder.feature_layer, -1))
    return TrainingSetup(recipe, device, dataset, train, val, vocabulary, encoder, centred, decoder, quantization)


def _with_weight(train: Sequence[Example], recipe: Recipe) -> list[Example]:
    """The examples without the captions whose weight is 0; those left without captions are left out."""
    unwanted = {source for source, weight in ((MACHINE, recipe.machine), (DERIVED, recipe.derived)) if not weight}
    kept = []
    for example in train:
        wanted = [source not in unwanted for source in example.caption_sources]
        if all(wanted):
            kept.append(example)
        elif any(wanted):
            captions, sources = compress(example.captions, wanted), compress(example.sources, wanted)
            kept.append(dataclasses.replace(example, captions=tuple(captions), sources=tuple(sources)))
    return kept


def _decoder(recipe: Recipe, train: Sequence[Example], echo: Echo) -> tuple[Vocabulary, Decoder]:
    """A new decoder with the vocabulary of the training captions, or both from a model folder."""
    if recipe.start_from:
        stored = load_model(Path(recipe.start_from))
        if stored.config.encoder != recipe.encoder:
            raise BadRecipe(f"{recipe.start_from} was trained on {stored.config.encoder}; set encoder to that")
        vocabulary, decoder = stored.vocabulary, load_decoder(stored, torch.device("cpu"))
        decoder.drop.p = recipe.dropout
    else:
        vocabulary = Vocabulary.build((line for example in train for line in example.captions), recipe.min_count)
        echo(f"vocabulary: {len(vocabulary)} words seen {recipe.min_count} times or more")
        names = ("decoder", "encoder", "embedding", "hidden", "heads", "dropout")
        decoder = build_decoder(ModelConfig(len(vocabulary), **{name: getattr(recipe, name) for name in names}))
    if recipe.word_vectors:
        known = load_word_vectors(Path(recipe.word_vectors), vocabulary, decoder.words.weight)
        echo(f"word vectors: {known} of {len(vocabulary)} words known")
    decoder.words.weight.requires_grad_(not recipe.freeze_words)
    return vocabulary, decoder
