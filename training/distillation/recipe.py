"""The settings of `captionbot distil`, each with a default and a reason."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import BadRecipe
from training.runs.toml_config import TomlConfig

CHOICES = {
    "device": ("auto", "cpu", "cuda"),
    "precision": ("auto", "bf16", "float32"),
    "optimiser": ("adamw", "muon"),
}


@dataclass(frozen=True)
class DistilRecipe(TomlConfig):
    """Settings of a distillation. Paths are relative to where the command is run."""

    # teacher and student
    teacher: str = (
        ""  # a Python file that defines load_teacher(), imagenet (torchvision's), a weights file, a model folder
    )
    start_from: str = "random"  # of the student: random, a weights file, a model folder, imagenet
    frozen_norms: bool = False  # fold batch norms' statistics into the convolutions; quicker, and as in serving
    frozen: int = (
        0  # how many of the student's stem and four stages are not trained; saves time if they are good already
    )
    cached_views: int = (
        0  # with frozen=4: views of each photo, of which all but the last stage is computed once; 0 = fresh crops
    )

    # photos; no captions are needed
    photos: tuple[str, ...] = ()  # data sets (their training photos only), folders of photos, tar archives
    leave_out: tuple[str, ...] = ()  # folders in them that are not used, such as "cats-test/" for evaluation
    limit: int = 0  # number of photos, for quick experiments; 0 = all
    size: int = 224  # pixels a side of photos in memory (150 kB each at 224) and in validation; serving uses 224
    crop: int = 160  # pixels a side of training crops: half the work of 224, and objects have the same size
    last_crop: int = 0  # pixels a side of crops in the last part of the run, which adapts to whole photos; 0 = crop
    last_share: float = 0.15  # share of the run that is this last part
    zoom: float = 1.25  # half of the crops are resized by up to this factor
    stretch: float = 1.1  # largest aspect ratio of the same half
    colour: float = 0.2  # brightness and contrast change by up to this share, saturation by half of it
    mixup: float = 0.0  # share of the crops that are blended with another, so that photos are not learnt by heart

    # how long: `steps`, or `minutes` (0 = count steps)
    steps: int = 20_000
    minutes: float = 0.0
    stagewise: float = 0.4  # share of the run in which each stage is trained on the teacher's map before it

    # how
    batch: int = 32
    weights: tuple[float, ...] = (0.5, 1.0, 1.0, 1.0, 2.0)  # of the stages' errors; decoders use only the last stage
    classes: float = 0.0  # weight of the divergence from the teacher's class probabilities
    cell_classes: float = 0.0  # weight of the same divergence in each cell of the last map
    temperature: float = 2.0  # softens these probabilities, so that improbable classes count too (Hinton et al. 2015)
    optimiser: str = "adamw"  # or muon, for convolutions: twice as quick for each photo, a fifth slower on a CPU
    learning_rate: float = 2e-3
    warmup: int = 200  # steps
    weight_decay: float = 1e-4
    clip: float = 5.0  # largest norm of the gradient; in rare batches it is fifty times as large as usual
    ema: float = 0.999  # decay of the averaged weights, which are validated and saved

    # the run
    every: int = 500  # steps between two validations; each saves all that resuming needs
    seed: int = 1
    device: str = "auto"  # auto, cpu, cuda
    precision: str = "auto"  # of matrix products: bf16 where that is faster, else float32
    compile: bool = False  # torch.compile: faster after a minute or two of compiling; needs a C++ compiler
    tensorboard: bool = False  # write the curves for TensorBoard too

    def __post_init__(self) -> None:
        if not self.teacher:
            raise BadRecipe("no teacher is named; add --set teacher=FILE.py, or teacher=imagenet")
        if not self.photos:
            raise BadRecipe('no photos are named; add --set photos=FOLDER, or several: photos=["FOLDER", "FILE.tar"]')
        for name, allowed in CHOICES.items():
            if (value := getattr(self, name)) not in allowed:
                raise BadRecipe(f"{name} is {value!r}; it must be one of {', '.join(allowed)}")
        if len(self.weights) != 5:
            raise BadRecipe(f"weights are {len(self.weights)}; there must be five: the stem's and those of four stages")
        for name in ("crop", "last_crop"):
            if not 32 <= (getattr(self, name) or self.crop) <= self.size:
                raise BadRecipe(
                    f"{name} is {getattr(self, name)}; it must be between 32 and size, which is {self.size}"
                )
        for name, least in {"batch": 2, "steps": 1, "every": 1, "zoom": 1, "stretch": 1}.items():
            if getattr(self, name) < least:
                raise BadRecipe(f"{name} is {getattr(self, name)}; it must be at least {least}")
        shares = dict.fromkeys(("last_share", "stagewise", "mixup"), 1)
        for name, most in {"frozen": 4, **shares}.items():
            if not 0 <= getattr(self, name) <= most:
                raise BadRecipe(f"{name} is {getattr(self, name)}; it must be between 0 and {most}")
        if self.cached_views < 0 or (self.cached_views and self.frozen != 4):
            raise BadRecipe(
                "cached_views is a number of views, for a run that trains only the last stage: set frozen=4"
            )
        if min(self.classes, self.cell_classes) < 0 or self.temperature <= 0:
            raise BadRecipe("classes and cell_classes must be at least 0, temperature more than 0")
        if self.cell_classes and not self.classes:
            raise BadRecipe(f"cell_classes is {self.cell_classes}; set classes too")
        if self.start_from == "random" and (self.frozen or self.frozen_norms):
            raise BadRecipe("frozen and frozen_norms keep what a student has learnt; set start_from too")

    @property
    def bf16(self) -> bool | None:
        """Whether `precision` asks for bfloat16; None for where it is faster."""
        return None if self.precision == "auto" else self.precision == "bf16"

    def crop_at(self, done: float) -> int:
        """Pixels a side of the crops when this share of the run is over."""
        return self.last_crop if self.last_crop and done >= 1 - self.last_share else self.crop

    def without_folders(self) -> dict[str, Any]:
        """The settings for a published file: of each path only its last part."""
        names = {name: Path(getattr(self, name)).name for name in ("teacher", "start_from")}
        return self.to_json() | names | {"photos": [Path(photos).name for photos in self.photos]}
