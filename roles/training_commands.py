"""The commands that train, package and evaluate models.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from training.captioning.recipe import Recipe

app = typer.Typer()

CONFIGS = Path(__file__).resolve().parent.parent / "training/configs"
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


@app.command(
    epilog="""\b
Examples:
  captionbot quantize data/runs/attention/cross_entropy --data flickr8k/"""
)
def quantize(model: ModelFolder, data: DataFolder, format: Format = "auto") -> None:
    """Quantize a model to 8-bit integers for CPUs.

    It is then several times as fast. The ranges of the encoder's activations are measured on photos of the training
    split.
    """
    from training.data import load_dataset
    from training.packaging.quantize import calibration_photos, quantize_model

    measured = quantize_model(model, calibration_photos(load_dataset(data, format=format)))
    print(f"{model}: {len(measured.ranges)} activations measured on {measured.photos} photos")


@app.command(
    epilog="""\b
Examples:
  captionbot average data/runs/attention/cross_entropy data/runs/attention/self_critical --out data/runs/averaged"""
)
def average(
    models: Annotated[list[Path], typer.Argument(help="Model folders that were trained from the same start.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
) -> None:
    """Average the decoder weights of several models.

    The mean of a model before and after self-critical training is often better than both.
    """
    from training.captioning.weight_averaging import average as run

    run(models, out)
    print(f"The mean of {len(models)} models is in {out}")


@app.command(
    epilog="""\b
Examples:
  captionbot bundle data/runs/attention/self_critical --data flickr8k/ --out models/mine
  captionbot bundle RUN/self_critical --data flickr8k/ --data my-photos/ --out models/mine --notes notes.md"""
)
def bundle(
    model: ModelFolder,
    data: Annotated[list[Path], typer.Option(help="Folder of a data set; repeatable.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    format: Format = "auto",
    notes: Annotated[Path | None, typer.Option(help="Markdown for the model card.")] = None,
    length_penalty: Annotated[
        float | None, typer.Option(min=0, metavar="NUMBER", help="Length penalty.  [default: that of the run]")
    ] = None,
) -> None:
    """Make a trained model ready to serve.

    Adds 8-bit ranges, a calibrated confidence, metrics measured as it serves, and a model card.
    """
    from training.data import load_mixture
    from training.packaging.bundle import bundle as run

    text = notes.read_text() if notes else ""
    metrics = run(model, load_mixture(data, format=format), out, notes=text, length_penalty=length_penalty)
    for of_set in [metrics, *metrics["other_data_sets"]]:
        cider = of_set["validation"]["figures"]["cider"]["value"]
        print(f"{out}: CIDEr {cider:.3f} on the validation photos of {of_set['data_set']}")


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
    engine: Annotated[Literal["auto", "openvino", "torch"], typer.Option(help="Inference engine.")] = "auto",
    precision: Annotated[Literal["auto", "int8", "f32"], typer.Option(help="Precision of OpenVINO.")] = "auto",
    encoder_weights: Annotated[
        str, typer.Option(metavar="FILE", help="Use cached features of this encoder; for models that have none.")
    ] = "",
    features: Annotated[Path, typer.Option(help="Folder of cached features.")] = Path("data/features"),
    length_penalty: Annotated[
        float | None, typer.Option(min=0, metavar="NUMBER", help="Length penalty.  [default: that of the model]")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="PHOTOS", help="How many photos; 0 = all.")] = 0,
    meteor: Annotated[
        bool, typer.Option(help="Compute METEOR, which starts Java and takes ten seconds for each model.")
    ] = True,
    compare: Annotated[Path | None, typer.Option(help="A model folder to compare with, by paired bootstrap.")] = None,
    feedback: Annotated[
        Path | None,
        typer.Option(help="Folder that captionbot export wrote. Judges whether the candidate may be promoted."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for metrics, captions and a sample sheet.")] = None,
) -> None:
    """Score models on a split of a data set.

    Prints all metrics with 95 % confidence intervals, as Markdown if the output is no terminal. --out writes
    metrics.json, captions.jsonl and samples.png for each model. --feedback judges the model as a candidate to replace
    the one of --compare, and writes judgement.json and report.html to its run folder.
    """
    from training.data import load_dataset
    from training.evaluation.evaluate import evaluate_all
    from training.evaluation.predict import InferenceOptions
    from training.evaluation.report import show, write

    inference = InferenceOptions(engine, precision, encoder_weights, features, length_penalty)
    widths = sorted({*(beams or ()), *([1] if greedy else [])}) or [3]
    dataset = load_dataset(data, format=format)
    if feedback:
        if compare is None or len(models) != 1 or len(widths) != 1 or split != "val":
            raise typer.BadParameter(
                "needs one model, --split val, one beam width and --compare CURRENT", param_hint="--feedback"
            )
        from training.promotion.report import judge_and_report

        judge_and_report(
            compare, models[0], dataset, feedback, beams=widths[0], limit=limit, inference=inference, out=out
        )
        return
    folders = [*models, *([compare] if compare else [])]
    evaluations = evaluate_all(folders, dataset, widths, split=split, limit=limit, inference=inference, meteor=meteor)
    show(evaluations, compare)
    if out:
        write(evaluations, out)


def _read(name: str, overrides: list[str] | None) -> "Recipe":
    """The recipe with this path or name, with overrides applied."""
    from training.captioning.recipe import Recipe

    return Recipe.load(recipe_path(name), overrides)


def recipe_path(name: str) -> Path:
    """The path of a recipe: the file `name`, or otherwise the recipe of that name in training/configs."""
    built_in = CONFIGS / f"{name}.toml"
    return built_in if built_in.is_file() and not Path(name).is_file() else Path(name)
