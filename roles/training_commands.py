"""The commands that train: data, features, train, distil.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roles.command_parts import Format, Overrides, RecipeName, recipe_path

if TYPE_CHECKING:
    from training.captioning.recipe import Recipe

app = typer.Typer()


# In an epilog \b keeps the line breaks of its paragraph.
@app.command(
    epilog="""\b
Examples:
  captionbot data flickr8k/
  captionbot data my-photos/ --format custom
  captionbot data flickr8k/ my-photos/"""
)
def data(
    folders: Annotated[list[Path], typer.Argument(help="Folders of data sets; several are read as one.")],
    format: Format = "auto",
) -> None:
    """Show what a data set contains, and what is dropped and why.

    Of several, photos that one of them holds out are dropped from the training photos of the others.
    """
    from training.data import load_mixture

    print(load_mixture(folders, format=format).report)


@app.command(
    epilog="""\b
Examples:
  captionbot features attention --set data=flickr8k/
  captionbot features attention --set data=flickr8k/ --set encoder=densenet201"""
)
def features(recipe: RecipeName, set: Overrides = None) -> None:
    """Compute the features that a recipe trains on.

    Training does this itself if they are missing. A run that was interrupted continues where it stopped.
    """
    import torch

    from training.captioning.setup import prepare

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

    Run the same command again to continue after an interruption. The run folder gets the curves and the model folder of
    the best epoch.
    """
    from training.captioning.train import train as run

    run(_read(recipe, set), out or Path("data/runs") / Path(recipe).stem)


@app.command(
    epilog="""\b
Examples:
  captionbot distil distil --set teacher=teacher.py --set photos=flickr8k/
  captionbot distil distil --set teacher=imagenet --set 'photos=["flickr8k/", "more.tar"]' --stop-after 60
  captionbot distil distil --set teacher=teacher.py --set photos=flickr8k/ --set start_from=encoder.safetensors
  torchrun --nproc-per-node 4 -m captionbot distil distil --set teacher=imagenet --set photos=coco/"""
)
def distil(
    recipe: RecipeName,
    set: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="Run folder.  [default: data/runs/RECIPE]")] = None,
    stop_after: Annotated[
        float,
        typer.Option(
            min=0, metavar="MINUTES", help="Stop after so many minutes, to continue another time; 0 = run to the end."
        ),
    ] = 0,
) -> None:
    """Train an encoder by distillation from a teacher network.

    It starts from random weights, or from those of `start_from`, and needs photos but no captions; of a data set only
    training photos are used. Run the same command again to continue after an interruption. To train a captioner on it:
    --set encoder_weights=RUN_FOLDER/encoder.safetensors.
    """
    from training.distillation.recipe import DistilRecipe
    from training.distillation.train import distil as run

    found = run(
        DistilRecipe.load(recipe_path(recipe), set), out or Path("data/runs") / Path(recipe).stem, stop_after=stop_after
    )
    print(f"The encoder is in {found}")


def _read(name: str, overrides: list[str] | None) -> "Recipe":
    """The recipe with this path or name, with overrides applied."""
    from training.captioning.recipe import Recipe

    return Recipe.load(recipe_path(name), overrides)
