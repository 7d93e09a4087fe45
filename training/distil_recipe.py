"""How an encoder is distilled: the settings of `captionbot distil`, each with a default and a reason."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import BadRecipe
from training.recipe import FromToml

PRECISIONS = ("auto", "bf16", "float32")


@dataclass(frozen=True)
class DistilRecipe(FromToml):
    """Settings of a distillation. Paths are relative to where the command is run."""

    # who teaches, who learns
    teacher: str = (
        ""  # a Python file that defines load_teacher(), imagenet (torchvision's), a weights file, a model folder
    )
    start_from: str = "random"  # random, or weights that go on learning: a file, a model folder, imagenet

    # photos; no captions are needed
    photos: tuple[str, ...] = ()  # data sets (of these the training photos only), folders of photos, tar archives
    limit: int = 0  # use only so many, to try things; 0 = all
    size: int = 224  # pixels a side at which they are kept in memory (150 kB each) and validated; what serves sees 224
    crop: int = 160  # pixels a side of what is learnt from: half the work of 224, objects as large as there
    zoom: float = 1.25  # half of the crops are enlarged or reduced by up to this factor
    stretch: float = 1.1  # the same half: greatest width over height
    colour: float = 0.2  # brightness and contrast change by up to this share, saturation by half of it

    # how long: `steps`, or as long as `minutes` say (0 = not at all)
    steps: int = 20_000
    minutes: float = 0.0
    stagewise: float = (
        0.4  # share of it in which each stage learns alone, on the teacher's input to it; random start only
    )

    # how
    batch: int = 32
    weights: tuple[float, ...] = (0.5, 1.0, 1.0, 1.0, 2.0)  # of the stages' errors; decoders see the last stage alone
    learning_rate: float = 2e-3
    warmup: int = 200  # steps
    weight_decay: float = 1e-4
    clip: float = 5.0  # largest norm of the gradient; that of a rare batch is fifty times as long as others
    ema: float = 0.999  # decay of the averaged weights, which are what is validated and kept

    # the run
    every: int = 500  # steps between two validations; each leaves all that is needed to go on
    seed: int = 1
    device: str = "auto"  # auto, cpu, cuda
    precision: str = "auto"  # of products: bf16 where the device is made for it, else float32
    compile: bool = False  # torch.compile: faster after a minute or two of compiling; needs a C++ compiler
    tensorboard: bool = False  # write the curves for TensorBoard too

    def __post_init__(self) -> None:
        if not self.teacher:
            raise BadRecipe("no teacher is named; add --set teacher=FILE.py, or teacher=imagenet")
        if not self.photos:
            raise BadRecipe('no photos are named; add --set photos=FOLDER, or several: photos=["FOLDER", "FILE.tar"]')
        for name, allowed in {"device": ("auto", "cpu", "cuda"), "precision": PRECISIONS}.items():
            if (value := getattr(self, name)) not in allowed:
                raise BadRecipe(f"{name} is {value!r}; it must be one of {', '.join(allowed)}")
        if len(self.weights) != 5:
            raise BadRecipe(f"weights are {len(self.weights)}; there must be five: the stem's and those of four stages")
        if not 32 <= self.crop <= self.size:
            raise BadRecipe(f"crop is {self.crop}; it must be between 32 and size, which is {self.size}")
        for name, least in {"batch": 2, "steps": 1, "every": 1, "zoom": 1, "stretch": 1}.items():
            if getattr(self, name) < least:
                raise BadRecipe(f"{name} is {getattr(self, name)}; it must be at least {least}")

    def without_folders(self) -> dict[str, Any]:
        """For a file that travels: of each path its last name, nothing else of this machine."""
        names = {name: Path(getattr(self, name)).name for name in ("teacher", "start_from")}
        return self.to_json() | names | {"photos": [Path(photos).name for photos in self.photos]}
