"""The command line. Each command reads its options, calls the package that does the work, and shows what came back.

Heavy imports stand inside the commands, so that `captionbot --help` answers at once.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperGroup

import roles.commands
import roles.learning_commands
import roles.operating_commands
import training.commands
from model.errors import CaptionbotError
from roles.start import begin

if TYPE_CHECKING:
    from settings import Settings

Engine = Literal["auto", "openvino", "torch"]
GROUPS = {  # of `captionbot --help`; what is in none of them is in the last
    "Run": "up web telegram discord worker",
    "Look after it": "doctor migrate stats forget",
    "Caption files": "caption models bench",
    "Learn from people": "export review finetune promote rollback learn",
}
OTHERS = "Make models"


class Grouped(TyperGroup):
    """A list of commands for each group."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        groups = {title: names.split() for title, names in GROUPS.items()}
        groups[OTHERS] = [name for name in self.commands if not any(name in names for names in groups.values())]
        limit = formatter.width - max(map(len, self.commands)) - 6
        for title, names in groups.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit)) for name in names])


app = typer.Typer(
    cls=Grouped,
    help="Describes photos in a sentence.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain text, and rich need not be imported
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

MOST_DRAWN = 20  # photos in one picture of --attention
INSTALL = {  # a module that is missing -> the extra that brings it
    "torch": "train",
    "torchvision": "train",
    "tqdm": "train",
    "matplotlib": "train",
    "tensorboard": "train",
    "pycocoevalcap": "train",
    "openvino": "worker",
    "celery": "bots,worker",
    "kombu": "bots,worker",
    "redis": "bots,worker",
    "babel": "bots",
    "discord": "bots",
    "fastapi": "bots",
    "itsdangerous": "bots",
    "limits": "bots",
    "prometheus_client": "bots",
    "sse_starlette": "bots",
    "telegram": "bots",
    "uvicorn": "bots",
}


def main() -> None:
    """Run a command. What people can put right is one line on stderr and exit code 1; Ctrl-C is exit code 130."""
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # file names may be any bytes
    try:
        app(prog_name="captionbot")
    except CaptionbotError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        if (extra := INSTALL.get((error.name or "").partition(".")[0])) is None:
            raise
        _fail(f"{error.name} is not installed here; it comes with: pip install -e '.[{extra}]'")


def _fail(message: str) -> NoReturn:
    print(f"captionbot: {message}", file=sys.stderr)
    sys.exit(1)


@app.callback()
def _commands() -> None:
    """Describes photos in a sentence. `captionbot COMMAND --help` tells more, with examples."""


# In an epilog \b keeps the line breaks of its paragraph.
@app.command(
    epilog="""\b
Examples:
  captionbot caption cat.jpg
  captionbot caption holiday/ --nbest 3
  captionbot caption holiday/ --jsonl > captions.jsonl
  captionbot caption dog.jpg --attention looked-at.png"""
)
def caption(
    photos: Annotated[list[Path], typer.Argument(help="Photos, and folders to be searched for photos.")],
    beams: Annotated[int | None, typer.Option(min=1, max=20, help="Width of the search.  [default: BEAMS]")] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="Take the likeliest word, always: --beams 1.")] = False,
    nbest: Annotated[int, typer.Option(min=1, help="Sentences a photo; at most as many as beams.")] = 1,
    engine: Annotated[Engine | None, typer.Option(help="What runs the network.  [default: ENGINE]")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Photos at once.  [default: MAX_BATCH]")] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder.  [default: MODEL_DIR]")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a line.")] = False,
    attention: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Draw where the model looked for each word.")
    ] = None,
) -> None:
    """Say what is on photos, a sentence each.

    A file that is no photo gives a line on stderr and, in the end, exit code 1; the others are captioned all the same.
    """
    settings = begin()
    beams = 1 if greedy else beams or settings.beams
    if nbest > beams:
        raise typer.BadParameter(f"{nbest} sentences need as many beams; there are {beams}", param_hint="--nbest")
    if attention and (attention.suffix.lower() != ".png" or not attention.parent.is_dir()):
        raise typer.BadParameter(f"{attention} is not a .png in a folder that exists", param_hint="--attention")

    from functools import partial

    from model.caption_files import FailedFile, caption_files, find_pictures, read_picture

    paths = find_pictures(photos)
    if attention and len(paths) > MOST_DRAWN:
        raise typer.BadParameter(f"draws at most {MOST_DRAWN} photos, not {len(paths)}", param_hint="--attention")

    from model.attention_picture import attention_picture, stack
    from model.caption_output import printer, with_progress
    from model.captioner import Captioner

    captioner = Captioner.load(
        model or settings.model_dir, engine=engine or settings.engine, neutral_wording=settings.neutral_wording
    )
    show = printer(captioner.version, jsonl=jsonl, names=[path.name for path in paths])
    size, max_bytes = captioner.config.photo_size, settings.max_photo_mb * 1e6
    read = partial(read_picture, size=size, max_bytes=max_bytes, max_pixels=settings.max_pixels)
    size, lanes = batch or settings.max_batch, captioner.engine.lanes
    results = caption_files(captioner, paths, batch=size, beams=beams, nbest=nbest, lanes=lanes, read=read)
    drawn, failed = [], False
    for result in with_progress(results, len(paths)):
        if isinstance(result, FailedFile):
            print(f"captionbot: {result.error}", file=sys.stderr)
            failed = True
            continue
        show(result)
        said = result.caption
        if attention and said.attention is not None:
            drawn.append(attention_picture(result.photo, said.text, said.words, said.attention))
    if attention and drawn:
        stack(drawn).save(attention)
    elif attention and not failed:
        raise CaptionbotError("this model has no attention to draw; choose one with the attention decoder")
    raise typer.Exit(failed)


@app.command(
    epilog="""\b
Examples:
  captionbot models
  captionbot models data/runs"""
)
def models(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Where to look.  [default: MODEL_DIR and MODEL_STORE]")
    ] = None,
) -> None:
    """List model folders, each checked for damage.

    Shown are version, decoder, size of the vocabulary, and CIDEr on the validation photos.
    """
    settings = begin()
    from model.model_list import ListedModel, find_models

    damaged = False
    for found in find_models(folders or [settings.model_dir, settings.model_store]):
        if isinstance(found, ListedModel):
            cider = "-" if found.cider is None else f"{found.cider:.3f}"
            print(f"{found.version}  {found.decoder:<9}  {found.words:>6} words  CIDEr {cider:>5}  {found.folder}")
        else:
            print(f"captionbot: {found}", file=sys.stderr)
            damaged = True
    raise typer.Exit(damaged)


@app.command(
    epilog="""\b
Examples:
  captionbot bench
  captionbot bench holiday/ --photos 500 --batch 32
  captionbot bench --service --photos 2000
  captionbot bench holiday/ --engine torch --device cuda --photos 500"""
)
def bench(
    paths: Annotated[list[Path] | None, typer.Argument(help="Photos and folders.  [default: samples/]")] = None,
    photos: Annotated[int, typer.Option(min=1, help="How many to caption; few files are taken again and again.")] = 200,
    batch: Annotated[int | None, typer.Option(min=1, help="Photos at once.  [default: MAX_BATCH]")] = None,
    beams: Annotated[int | None, typer.Option(min=1, max=20, help="Width of the search.  [default: BEAMS]")] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder.  [default: MODEL_DIR]")] = None,
    service: Annotated[
        bool, typer.Option("--service", help="The whole service instead; needs REDIS_URL, and PostgreSQL.")
    ] = False,
    engine: Annotated[Literal["torch"] | None, typer.Option(help="This one in depth, beside what is possible.")] = None,
    device: Annotated[str, typer.Option(help="That PyTorch runs on: auto, cpu or cuda.")] = "auto",
) -> None:
    """Measure how many photos a second each engine here does.

    With --service: how many go all the way through queue, worker and database. Those get a database of the bench's own.
    With --engine torch: encoder, decoder and both for batches up to --batch (512 on a GPU) and beams of 1, 3 and 5, the
    share of what the device could do, and how many captions are those of float32 on a CPU.
    """
    settings = begin()
    from model.caption_files import find_pictures

    files = find_pictures(paths or [Path(__file__).parent / "samples"])
    if engine:
        from model.torch_bench import bench_torch

        for line in bench_torch(model or settings.model_dir, files, device=device, photos=photos, largest=batch):
            print(line, flush=True)
        return
    batch, beams = batch or settings.max_batch, beams or settings.beams
    if service:
        _bench_service(settings, files, photos, max_batch=batch, beams=beams, model_dir=model or settings.model_dir)
        return
    from model.bench import bench as run

    print(f"{photos} photos, batch {batch}, beam {beams}; photos a second")
    print("engine    precision   encoder     whole   whole/encoder   cold start")
    for speed in run(model or settings.model_dir, files, photos=photos, batch=batch, beams=beams):
        print(
            f"{speed.engine:<9} {speed.precision:<9} {speed.encoder:>9.1f} {speed.whole:>9.1f}"
            f" {speed.share:>15.0%} {speed.cold_start:>10.1f} s"
        )


def _bench_service(settings: "Settings", files: list[Path], photos: int, **chosen: object) -> None:
    from roles.service_bench import bench_service

    for what, said in bench_service(settings.model_copy(update=chosen), files, photos):
        print(f"{what:<20} {said}", flush=True)


app.add_typer(roles.commands.app)
app.add_typer(roles.operating_commands.app)
app.add_typer(roles.learning_commands.app)
app.add_typer(training.commands.app)

if __name__ == "__main__":
    main()
