"""The settings of training a captioner, each with a default and a reason. training/configs has recipes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.config import DECODERS, ENCODERS
from model.errors import BadRecipe
from training.runs.toml_config import TomlConfig

# plain: not augmented. flip: mirrored, if no caption mentions left or right. cut1, cut2 ...: random crops with colour
# jitter, half of them mirrored, different ones in each view.
VIEWS = ("plain", "flip", *(f"cut{number}" for number in range(1, 10)))


@dataclass(frozen=True)
class Recipe(TomlConfig):
    """Settings of a training run. Paths are relative to where the command is run."""

    # data
    data: tuple[str, ...] = ()  # folders of data sets; training/data/ lists the formats
    format: str = "auto"
    data_weights: tuple[float, ...] = (1.0,)  # how often photos of each set are drawn in an epoch; 0.5 = half of them
    machine: float = 1.0  # weight of captions that a model wrote, in the loss and among a photo's references
    derived: float = 0.25  # weight of captions made by rule from other texts; their grammar is often wrong
    features: str = "data/features"  # folder of cached features, with a subfolder for each encoder
    feature_precision: str = "auto"  # int8: features as a CPU serves captions with, so that the decoder is used to them
    views: tuple[str, ...] = ("plain",)  # one of them is drawn each time a photo is trained on
    centred: bool = True  # subtract the mean feature; without it two thirds of the first layer's units die
    min_count: int = 4  # a word seen less often in training captions becomes <unk>

    # the network; sizes as in ModelConfig
    encoder: str = "resnet50"
    encoder_weights: str = "imagenet"  # (torchvision's), random, a weights file, a model folder, or a teacher's .py
    decoder: str = "attention"
    embedding: int = 512
    hidden: int = 512
    heads: int = 8
    dropout: float = 0.5  # thirty thousand captions are few: without it validation CIDEr falls after five epochs
    word_vectors: str = ""  # a GloVe text file, to initialise the embeddings of the words it has
    freeze_words: bool = False
    start_from: str = ""  # a model folder whose decoder and vocabulary training starts from

    # cross-entropy
    epochs: int = 15
    batch: int = 32  # photos, each with up to `captions` of its captions
    captions: int = 5
    max_words: int = 18  # longer captions are truncated in training; one in 26 of Flickr8k's
    learning_rate: float = 1e-3
    warmup: int = 200  # steps
    weight_decay: float = 1e-4
    label_smoothing: float = 0.1
    clip: float = 1.0  # largest norm of the gradient
    ema: float = 0.998  # decay of the averaged weights, which are validated and saved
    patience: int = 5  # epochs without a better validation CIDEr before stopping

    # self-critical training, after cross-entropy
    critical_epochs: int = 0
    critical_learning_rate: float = 1e-4
    temperature: float = 0.5  # of sampling; a smoothed model draws too wildly at 1 and falls back to safe phrases
    samples: int = 5  # sampled sentences of each photo; the baseline of each is the mean reward of the others
    contrast: float = 0.0  # share of the reward for similar photos that is subtracted, see reward.py
    variety: float = 0.0  # penalty of repeated sentences, see reward.py
    word_balance: float = 0.0  # reward for words that people say more often, see word_balance.py

    # the encoder, when it is run live instead of from cached features
    live: bool = False
    tuned_stages: int = 0  # how many of the encoder's last stages are trained; 0 with live = augmentation only
    encoder_learning_rate: float = 1e-5

    # the run
    beams: int = 3  # for validation
    seed: int = 1
    device: str = "auto"  # auto, cpu, cuda
    limit: int = 0  # number of training photos, for quick experiments; 0 = all
    tensorboard: bool = False  # write the curves for TensorBoard too

    def __post_init__(self) -> None:
        choices = {"decoder": DECODERS, "encoder": tuple(ENCODERS), "device": ("auto", "cpu", "cuda")}
        choices |= {"feature_precision": ("auto", "int8")}
        for name, allowed in choices.items():
            if (value := getattr(self, name)) not in allowed:
                raise BadRecipe(f"{name} is {value!r}; it must be one of {', '.join(allowed)}")
        if not {"plain"} <= {*self.views} <= {*VIEWS}:
            raise BadRecipe(f"views are {', '.join(self.views)}; they must be plain, and any of flip, cut1 to cut9")
        for name in ("batch", "captions", "max_words", "patience", "beams", "heads", "embedding", "hidden"):
            if getattr(self, name) < 1:
                raise BadRecipe(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.epochs + self.critical_epochs < 1:
            raise BadRecipe("there is nothing to do; set epochs or critical_epochs")
        if self.critical_epochs and self.samples < 2:
            raise BadRecipe(
                f"samples is {self.samples}; the baseline of each is the mean of the others, so there must be two"
            )
        if len(self.data_weights) not in (1, len(self.data)) or min(self.data_weights) <= 0:
            raise BadRecipe("data_weights must be more than 0: one number for each data set, or one for all")
        if min(self.machine, self.derived) < 0:
            raise BadRecipe(f"machine is {self.machine}, derived {self.derived}; both must be at least 0")
        for name in ("contrast", "variety", "word_balance"):
            if getattr(self, name) < 0:
                raise BadRecipe(f"{name} is {getattr(self, name)}; it must be at least 0")
        if self.hidden % self.heads:
            raise BadRecipe(f"hidden is {self.hidden}; it must be a multiple of heads, {self.heads}")
        if self.feature_precision == "int8" and (self.live or self.encoder_weights.endswith(".py")):
            raise BadRecipe(
                "feature_precision=int8 is for cached features of an encoder that can be served; it goes neither with "
                "live=true nor with a teacher's .py"
            )
        if self.tuned_stages and not self.live:
            raise BadRecipe("tuned_stages trains the encoder, so it must run live; set live=true")

    def without_folders(self) -> dict[str, Any]:
        """The settings for a published model folder: of each path only its last part."""
        paths = ("features", "encoder_weights", "word_vectors", "start_from")
        names = {name: Path(getattr(self, name)).name for name in paths}
        return self.to_json() | names | {"data": [Path(data).name for data in self.data]}
