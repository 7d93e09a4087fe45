"""The commands that measure: how good models are (evaluate), and how fast (bench).

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from roles.command_parts import DataFolder, Format
from roles.startup import configure

if TYPE_CHECKING:
    from settings import Settings

app = typer.Typer()
SAMPLES = Path(__file__).resolve().parent.parent / "samples"


# In an epilog \b keeps the line breaks of its paragraph.
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


@app.command(
    epilog="""\b
Examples:
  captionbot bench
  captionbot bench holiday/ --photos 500 --batch 32
  captionbot bench --service --photos 2000 --flood 1000
  captionbot bench holiday/ --engine torch --device cuda --photos 500"""
)
def bench(
    paths: Annotated[list[Path] | None, typer.Argument(help="Photos and folders.  [default: samples/]")] = None,
    photos: Annotated[
        int, typer.Option(min=1, metavar="PHOTOS", help="How many photos to caption; the files are repeated as needed.")
    ] = 200,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="PHOTOS", help="Photos in a batch.  [default: MAX_BATCH]")
    ] = None,
    beams: Annotated[
        int | None, typer.Option(min=1, max=20, help="Width of the beam search.  [default: BEAMS]")
    ] = None,
    model: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Model folder.  [default: MODEL_DIR]")] = None,
    service: Annotated[
        bool, typer.Option("--service", help="Measure the whole service instead; needs REDIS_URL and PostgreSQL.")
    ] = False,
    flood: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="PHOTOS",
            help="With --service: also time single photos while so many of another person wait.",
        ),
    ] = 0,
    engine: Annotated[
        Literal["torch"] | None, typer.Option(help="Measure this engine in detail, beside the limits of the device.")
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="Device of --engine torch: auto, cpu or cuda.")
    ] = "auto",
) -> None:
    """Measure the photos per second of each installed engine.

    With --service: how many go through queue, worker and database, in a temporary database of its own. With --engine
    torch: the encoder, the decoder and both, for batches up to --batch (512 on a GPU) and beams of 1, 3 and 5, with the
    share of what the device can do at most, and the share of captions that equal those of float32 on a CPU.
    """
    settings = configure()
    from model.caption_files import find_pictures

    files = find_pictures(paths or [SAMPLES])
    if engine:
        from model.benchmarks.torch_benchmark import bench_torch

        for line in bench_torch(model or settings.model_dir, files, device=device, photos=photos, largest=batch):
            print(line, flush=True)
        return
    batch, beams = batch or settings.max_batch, beams or settings.beams
    if service:
        changes = {"max_batch": batch, "beams": beams, "model_dir": model or settings.model_dir}
        _bench_service(settings.model_copy(update=changes), files, photos, flood)
        return
    from model.benchmarks.benchmark import bench as run

    print(f"{photos} photos, batch {batch}, beam {beams}; photos a second")
    print("engine    precision   encoder     whole   whole/encoder   cold start")
    for speed in run(model or settings.model_dir, files, photos=photos, batch=batch, beams=beams):
        print(
            f"{speed.engine:<9} {speed.precision:<9} {speed.encoder:>9.1f} {speed.whole:>9.1f}"
            f" {speed.share:>15.0%} {speed.cold_start:>10.1f} s"
        )


def _bench_service(settings: "Settings", files: list[Path], photos: int, flood: int) -> None:
    from roles.benchmarks.service_bench import bench_service

    # As after Ctrl-C, its worker is stopped and its database dropped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for name, result in bench_service(settings, files, photos, flood=flood):
        print(f"{name:<20} {result}", flush=True)
