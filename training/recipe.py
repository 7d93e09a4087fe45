"""What to train and how: a TOML file a recipe, every setting with a default and a reason; a wrong name is an error."""

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from model.config import DECODERS, ENCODERS
from model.errors import BadRecipe

# plain: as it is. flip: mirrored left to right, for captions that name neither side. cut1, cut2 ...: cut and recoloured
# a little, perhaps mirrored, in another way in each view.
VIEWS = ("plain", "flip", *(f"cut{number}" for number in range(1, 10)))


class FromToml:
    """A frozen dataclass of settings, read strictly: a wrong name or type is an error that says what would be right."""

    @classmethod
    def load(cls, path: Path, overrides: list[str] | None = None) -> Self:
        """Read a TOML file, then apply `name=value` overrides."""
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            known = ", ".join(sorted(file.stem for file in (Path(__file__).parent / "configs").glob("*.toml")))
            raise BadRecipe(f"no recipe at {path}; the ones that come with captionbot are {known}") from None
        except (OSError, ValueError) as error:  # a folder, no text, no TOML
            raise BadRecipe(f"{path}: {error}") from None
        for override in overrides or []:
            name, separator, value = override.partition("=")
            if not separator:
                raise BadRecipe(f"--set {override}: write it as name=value")
            values[name.strip()] = _parse(value.strip())
        return cls.of(values)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Check names and types; whole numbers serve as fractions."""
        fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        checked = {}
        for name, value in values.items():
            if name not in fields:
                raise BadRecipe(f"unknown setting {name!r}; the settings are {', '.join(fields)}")
            default = fields[name].default
            if isinstance(default, tuple):
                several, like = value if isinstance(value, list | tuple) else [value], default[0] if default else ""
                checked[name] = tuple(_checked(f"each of {name}", each, like) for each in several)
            else:
                checked[name] = _checked(name, value, default)
        return cls(**checked)

    def to_json(self) -> dict[str, Any]:
        values = dataclasses.asdict(self)  # type: ignore[call-overload]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass(frozen=True)
class Recipe(FromToml):
    """Settings of a training run. Paths are relative to where the command is run."""

    # what is learnt from
    data: str = ""  # folder of a data set; training/data/ lists the formats
    format: str = "auto"
    features: str = "data/features"  # where cached features lie, a folder an encoder
    views: tuple[str, ...] = ("plain",)  # each time a photo is trained on, one of them is taken
    centred: bool = True  # features less their mean; without it two thirds of the first layer fall silent for good
    min_count: int = 4  # a word seen less often in training captions becomes <unk>

    # the network; sizes as in ModelConfig
    encoder: str = "resnet50"
    encoder_weights: str = "imagenet"  # (torchvision's), random, a weights file, a model folder, or a teacher's .py
    decoder: str = "attention"
    embedding: int = 512
    hidden: int = 512
    heads: int = 8
    dropout: float = 0.5  # thirty thousand captions are few: without it dev falls after five passes
    word_vectors: str = ""  # a GloVe text file; its vectors replace the random ones of the words it knows
    freeze_words: bool = False
    start_from: str = ""  # a model folder whose decoder (and vocabulary) training goes on from

    # cross-entropy
    epochs: int = 15
    batch: int = 32  # photos, each with up to `captions` of its captions
    captions: int = 5
    max_words: int = 18  # longer captions are cut in training; one in 26 of Flickr8k's
    learning_rate: float = 1e-3
    warmup: int = 200  # steps
    weight_decay: float = 1e-4
    label_smoothing: float = 0.1
    clip: float = 1.0  # largest norm of the gradient
    ema: float = 0.998  # decay of the averaged weights, which are what is validated and kept
    patience: int = 5  # epochs without a better validation CIDEr before stopping

    # self-critical training, after cross-entropy
    critical_epochs: int = 0
    critical_learning_rate: float = 1e-4
    temperature: float = 0.5  # of sampling; a smoothed model draws too wildly at 1 and learns to play safe
    samples: int = 5  # sentences drawn a photo; each is judged against the mean of the others
    contrast: float = 0.0  # how much of what a sentence would earn on similar photos is taken off its reward
    variety: float = 0.0  # what a sentence would lose of its reward that was drawn for every photo lately

    # the encoder, when it is run live instead of from cached features
    live: bool = False
    tuned_stages: int = 0  # how many of the encoder's last stages are trained; 0 with live = augmentation only
    encoder_learning_rate: float = 1e-5

    # the run
    beams: int = 3  # for validation
    seed: int = 1
    device: str = "auto"  # auto, cpu, cuda
    limit: int = 0  # use only so many training photos, to try things; 0 = all
    tensorboard: bool = False  # write the curves for TensorBoard too

    def __post_init__(self) -> None:
        choices = {"decoder": DECODERS, "encoder": tuple(ENCODERS), "device": ("auto", "cpu", "cuda")}
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
            raise BadRecipe(f"samples is {self.samples}; each is judged against the others, so there must be two")
        if self.hidden % self.heads:
            raise BadRecipe(f"hidden is {self.hidden}; it must be a multiple of heads, {self.heads}")
        if self.tuned_stages and not self.live:
            raise BadRecipe("tuned_stages trains the encoder, so it must run live; set live=true")

    def without_folders(self) -> dict[str, Any]:
        """For a model folder that travels: of each path its last name, nothing else of this machine."""
        paths = ("data", "features", "encoder_weights", "word_vectors", "start_from")
        return self.to_json() | {name: Path(getattr(self, name)).name for name in paths}


def _checked(name: str, value: Any, like: Any) -> Any:
    """The value, if it has the type of `like`."""
    if isinstance(like, float) and type(value) is int:
        return float(value)
    if type(value) is not type(like):
        raise BadRecipe(f"{name} is {value!r}; it must be a {type(like).__name__}, such as {like!r}")
    return value


def _parse(text: str) -> Any:
    """A TOML value; anything that is none is taken as a string, so that --set data=/some/path needs no quotes."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
