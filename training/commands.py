"""The commands that make models: data, features, train, quantize, bundle. captionbot.py adds them to its own.

Heavy imports stand inside the commands, so that `captionbot --help` answers at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.recipe import Recipe

app = typer.Typer()

CONFIGS = Path(__file__).parent / "configs"
RecipeName = Annotated[str, typer.Argument(help="A TOML file, or the name of one in training/configs.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting of the recipe; repeatable.")
]
ModelFolder = Annotated[Path, typer.Argument(help="A model folder.")]
DataFolder = Annotated[Path, typer.Option(help="Folder of a data set.")]
Format = Annotated[str, typer.Option(help="auto, flickr8k, flickr30k, coco, karpathy or custom.")]


# In an epilog \b keeps the line breaks of its paragraph.
@app.command(
    epilog="""\b
Examples:
  captionbot data flickr8k/
  captionbot data my-photos/ --format custom"""
)
def data(folder: Annotated[Path, typer.Argument(help="Folder of a data set.")], format: Format = "auto") -> None:
    """Say what a data set holds, what is dropped, and why."""
    from training.data import load_dataset

    print(load_dataset(folder, format=format).report)


@app.command(
    epilog="""\b
Examples:
  captionbot features attention --set data=flickr8k/
  captionbot features attention --set data=flickr8k/ --set encoder=densenet201"""
)
def features(recipe: RecipeName, set: Overrides = None) -> None:
    """Compute the features that a recipe trains on.

    Training does so itself when they are not there yet. A run that was stopped goes on.
    """
    import torch

    from training.ingredients import prepare

    prepare(_read(recipe, set), torch.device("cuda" if torch.cuda.is_available() else "cpu"), print)


@app.command(
    epilog="""\b
Examples:
  captionbot train attention --set data=flickr8k/
  captionbot train attention --set data=flickr8k/ --set decoder=pooled --out data/runs/pooled
  captionbot train my-recipe.toml
  torchrun --nproc-per-node 4 -m captionbot train attention --set data=coco/"""
)
def train(
    recipe: RecipeName,
    set: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="Run folder.  [default: data/runs/RECIPE]")] = None,
) -> None:
    """Train a captioner.

    Run the same command again to go on after a stop. The run folder gets the curves and the best epoch's model folder.
    """
    from training.train import train as run

    best = run(_read(recipe, set), out or Path("data/runs") / Path(recipe).stem)
    print(f"The best model is in {best}")


@app.command(
    epilog="""\b
Examples:
  captionbot quantize data/runs/attention/cross_entropy --data flickr8k/"""
)
def quantize(model: ModelFolder, data: DataFolder, format: Format = "auto") -> None:
    """Let a model run on 8-bit integers on a CPU.

    It is several times as fast. What the encoder's activations range over is measured on photos of the training split.
    """
    from training.data import load_dataset
    from training.quantize import calibration_photos, quantize_model

    measured = quantize_model(model, calibration_photos(load_dataset(data, format=format)))
    print(f"{model}: {len(measured.ranges)} activations measured on {measured.photos} photos")


@app.command(
    epilog="""\b
Examples:
  captionbot bundle data/runs/attention/self_critical --data flickr8k/ --out models/mine
  captionbot bundle data/runs/attention/self_critical --data flickr8k/ --out models/mine --notes notes.md"""
)
def bundle(
    model: ModelFolder,
    data: DataFolder,
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    format: Format = "auto",
    notes: Annotated[Path | None, typer.Option(help="Markdown for the model card.")] = None,
) -> None:
    """Make a trained model ready to serve.

    It gets 8-bit ranges, a calibrated confidence, figures measured as it serves, and a model card.
    """
    from training.bundle import bundle as run
    from training.data import load_dataset

    metrics = run(model, load_dataset(data, format=format), out, notes=notes.read_text() if notes else "")
    print(f"{out}: CIDEr {metrics['validation']['figures']['cider']['value']:.3f} on the validation photos")


def _read(name: str, overrides: list[str] | None) -> "Recipe":
    """The recipe in that file, or the one of that name that comes with captionbot."""
    from training.recipe import Recipe

    ours = CONFIGS / f"{name}.toml"
    return Recipe.load(ours if ours.is_file() and not Path(name).is_file() else Path(name), overrides)
