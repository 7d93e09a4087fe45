"""The commands that make models ready and list them: quantize, average, bundle, models.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from roles.command_parts import Format, ModelFolder
from roles.startup import configure

app = typer.Typer()


# In an epilog \b keeps the line breaks of its paragraph.
@app.command(
    epilog="""\b
Examples:
  captionbot quantize data/runs/attention/cross_entropy --data flickr8k/
  captionbot quantize models/mine --data flickr8k/ --data my-photos/"""
)
def quantize(
    model: ModelFolder,
    data: Annotated[list[Path], typer.Option(help="Folder of a data set; repeatable.")],
    format: Format = "auto",
) -> None:
    """Quantize a model to 8-bit integers for CPUs.

    It is then several times as fast. The encoder's weights are rounded, and the ranges of its activations measured, on
    photos of the training split. `bundle` does the same.
    """
    from training.data import load_mixture
    from training.packaging.quantize import calibration_photos, quantize_model

    made = quantize_model(model, calibration_photos(load_mixture(data, format=format)))
    print(
        f"{model}: {len(made.scales)} layers rounded, {len(made.ranges)} activations measured on {made.photos} photos"
    )


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
    rare_words: Annotated[
        float, typer.Option(min=0, max=1, metavar="NUMBER", help="How much rare words are favoured; 0.1 is moderate.")
    ] = 0.0,
) -> None:
    """Make a trained model ready to serve.

    Adds 8-bit ranges, a calibrated confidence, metrics measured as it serves, and a model card.
    """
    from training.data import load_mixture
    from training.packaging.bundle import bundle as run

    text = notes.read_text() if notes else ""
    mixture = load_mixture(data, format=format)
    metrics = run(model, mixture, out, notes=text, length_penalty=length_penalty, rare_words=rare_words)
    for of_set in [metrics, *metrics["other_data_sets"]]:
        cider = of_set["validation"]["figures"]["cider"]["value"]
        print(f"{out}: CIDEr {cider:.3f} on the validation photos of {of_set['data_set']}")


@app.command(
    epilog="""\b
Examples:
  captionbot models
  captionbot models data/runs
  captionbot models --json"""
)
def models(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders to search.  [default: MODEL_DIR and MODEL_STORE]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List model folders, and check each for damage.

    Prints the version, the decoder, the size of the vocabulary, and CIDEr on the validation photos.
    """
    settings = configure()
    from model.model_list import ListedModel, find_models

    damaged, listed = False, []
    for found in find_models(folders or [settings.model_dir, settings.model_store]):
        if isinstance(found, ListedModel) and as_json:
            listed.append(asdict(found) | {"folder": str(found.folder)})
        elif isinstance(found, ListedModel):
            cider = "-" if found.cider is None else f"{found.cider:.3f}"
            print(f"{found.version}  {found.decoder:<9}  {found.words:>6} words  CIDEr {cider:>5}  {found.folder}")
        else:
            print(f"captionbot: {found}", file=sys.stderr)
            damaged = True
    if as_json:
        print(json.dumps(listed))
    raise typer.Exit(damaged)
