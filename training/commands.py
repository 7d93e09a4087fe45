"""The commands that make models and judge them. captionbot.py adds them to its own.

Heavy imports stand inside the commands, so that `captionbot --help` answers at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
        float, typer.Option(min=0, metavar="MINUTES", help="Stop so far, to go on another time; 0 = at the end.")
    ] = 0,
) -> None:
    """Train an encoder from random weights to see what a teacher sees.

    It learns on photos without captions; of a data set only on training photos. Run the same command again to go on
    after a stop. For training a captioner on it: --set encoder_weights=RUN_FOLDER/encoder.safetensors.
    """
    from training.distil import distil as run
    from training.distil_recipe import DistilRecipe

    found = run(
        DistilRecipe.load(recipe_path(recipe), set), out or Path("data/runs") / Path(recipe).stem, stop_after=stop_after
    )
    print(f"The encoder is in {found}")


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
  captionbot average data/runs/attention/cross_entropy data/runs/attention/self_critical --out data/runs/averaged"""
)
def average(
    models: Annotated[list[Path], typer.Argument(help="Model folders that went different ways from one start.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
) -> None:
    """Average the decoders of several models.

    The mean of a model and of what self-critical training made of it is often better than both.
    """
    from training.average import average as run

    run(models, out)
    print(f"The mean of {len(models)} models is in {out}")


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
    length_penalty: Annotated[float | None, typer.Option(min=0, help="Other than the run's.")] = None,
) -> None:
    """Make a trained model ready to serve.

    It gets 8-bit ranges, a calibrated confidence, figures measured as it serves, and a model card.
    """
    from training.bundle import bundle as run
    from training.data import load_dataset

    text = notes.read_text() if notes else ""
    metrics = run(model, load_dataset(data, format=format), out, notes=text, length_penalty=length_penalty)
    print(f"{out}: CIDEr {metrics['validation']['figures']['cider']['value']:.3f} on the validation photos")


@app.command(
    epilog="""\b
Examples:
  captionbot evaluate models/bundled --data flickr8k/
  captionbot evaluate runs/attention/cross_entropy --data flickr8k/ --encoder-weights teacher.py --out figures/
  captionbot evaluate runs/*/cross_entropy --data flickr8k/ --beams 1 --beams 3 > table.md
  captionbot evaluate models/mine --data flickr8k/ --compare models/bundled
  captionbot evaluate RUN/candidate --data flickr8k/ --compare models/bundled --feedback data/exports/feedback"""
)
def evaluate(
    models: Annotated[list[Path], typer.Argument(help="Model folders; several make one table.")],
    data: DataFolder,
    format: Format = "auto",
    split: Annotated[str, typer.Option(help="train, val or test.")] = "val",
    beams: Annotated[list[int] | None, typer.Option(min=1, max=20, help="Repeatable.  [default: 3]")] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="The same as --beams 1.")] = False,
    engine: Annotated[Literal["auto", "openvino", "torch"], typer.Option(help="What runs the network.")] = "auto",
    precision: Annotated[Literal["auto", "int8", "f32"], typer.Option(help="Of OpenVINO.")] = "auto",
    encoder_weights: Annotated[
        str, typer.Option(metavar="FILE", help="Use cached features of this encoder; for models that have none.")
    ] = "",
    features: Annotated[Path, typer.Option(help="Where cached features lie.")] = Path("data/features"),
    length_penalty: Annotated[float | None, typer.Option(min=0, help="Other than the model's.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Only so many photos; 0 = all.")] = 0,
    meteor: Annotated[bool, typer.Option(help="METEOR starts Java, which takes ten seconds a model.")] = True,
    compare: Annotated[Path | None, typer.Option(help="A model folder to compare with, by paired bootstrap.")] = None,
    feedback: Annotated[
        Path | None, typer.Option(help="What captionbot export wrote: judges whether a candidate may be promoted.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for figures, captions and a sample sheet.")] = None,
) -> None:
    """Score models on a split of a data set.

    All metrics with 95 % intervals; as Markdown where the output is no terminal. With --out there are metrics.json,
    captions.jsonl and samples.png for each model, too. With --feedback the model is judged as a candidate in place of
    the one it is compared with: the run folder it lies in gets judgement.json and report.html.
    """
    from training.data import load_dataset
    from training.describe import Method
    from training.evaluate import evaluate_all
    from training.evaluation_report import show, write

    method = Method(engine, precision, encoder_weights, features, length_penalty)
    widths = sorted({*(beams or ()), *([1] if greedy else [])}) or [3]
    dataset = load_dataset(data, format=format)
    if feedback:
        if compare is None or len(models) != 1 or len(widths) != 1 or split != "val":
            raise typer.BadParameter("judges one model on val, with --compare CURRENT", param_hint="--feedback")
        from training.judge_report import judge_and_report

        judge_and_report(compare, models[0], dataset, feedback, beams=widths[0], limit=limit, method=method, out=out)
        return
    folders = [*models, *([compare] if compare else [])]
    evaluations = evaluate_all(folders, dataset, widths, split=split, limit=limit, method=method, meteor=meteor)
    show(evaluations, compare)
    if out:
        write(evaluations, out)


def _read(name: str, overrides: list[str] | None) -> "Recipe":
    """The recipe in that file, or the one of that name that comes with captionbot."""
    from training.recipe import Recipe

    return Recipe.load(recipe_path(name), overrides)


def recipe_path(name: str) -> Path:
    """The file of that name, or else the recipe of that name that comes with captionbot."""
    ours = CONFIGS / f"{name}.toml"
    return ours if ours.is_file() and not Path(name).is_file() else Path(name)
