"""The command line. Each command reads its options, calls the package that does the work, and shows what came back.

Heavy imports stand inside the commands, so that `captionbot --help` answers at once.
"""

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

import training.commands
from model.errors import CaptionbotError

if TYPE_CHECKING:
    from settings import Settings

Engine = Literal["auto", "openvino", "torch"]

app = typer.Typer(
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


def _settings() -> "Settings":
    """Read the settings and start logging as they say."""
    from settings import WrongSetting, read_settings

    try:
        settings = read_settings()
    except WrongSetting as error:
        raise CaptionbotError(str(error)) from None
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonLog() if settings.log_format == "json" else logging.Formatter("%(levelname)s: %(message)s")
    )
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    return settings


class JsonLog(logging.Formatter):
    """One object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": record.created, "level": record.levelname, "logger": record.name, "text": record.getMessage()}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


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
    settings = _settings()
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

    captioner = Captioner.load(model or settings.model_dir, engine=engine or settings.engine)
    show = printer(captioner.version, jsonl=jsonl, names=[path.name for path in paths])
    size, max_bytes = captioner.config.photo_size, settings.max_photo_mb * 1e6
    read = partial(read_picture, size=size, max_bytes=max_bytes, max_pixels=settings.max_pixels)
    results = caption_files(captioner, paths, batch=batch or settings.max_batch, beams=beams, nbest=nbest, read=read)
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
    settings = _settings()
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
  captionbot bench holiday/ --photos 500 --batch 32"""
)
def bench(
    paths: Annotated[list[Path] | None, typer.Argument(help="Photos and folders.  [default: samples/]")] = None,
    photos: Annotated[int, typer.Option(min=1, help="How many to caption; few files are taken again and again.")] = 200,
    batch: Annotated[int | None, typer.Option(min=1, help="Photos at once.  [default: MAX_BATCH]")] = None,
    beams: Annotated[int | None, typer.Option(min=1, max=20, help="Width of the search.  [default: BEAMS]")] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder.  [default: MODEL_DIR]")] = None,
) -> None:
    """Measure how many photos a second each engine here does."""
    settings = _settings()
    from model.bench import bench as run
    from model.caption_files import find_pictures

    files = find_pictures(paths or [Path(__file__).parent / "samples"])
    batch, beams = batch or settings.max_batch, beams or settings.beams
    print(f"{photos} photos, batch {batch}, beam {beams}; photos a second")
    print("engine    precision   encoder     whole   whole/encoder   cold start")
    for speed in run(model or settings.model_dir, files, photos=photos, batch=batch, beams=beams):
        print(
            f"{speed.engine:<9} {speed.precision:<9} {speed.encoder:>9.1f} {speed.whole:>9.1f}"
            f" {speed.whole / speed.encoder:>15.0%} {speed.cold_start:>10.1f} s"
        )


app.add_typer(training.commands.app)

if __name__ == "__main__":
    main()
