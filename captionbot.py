"""The command line. Each command parses its options, calls the code that does the work, and prints the result.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

import json
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperGroup, TyperOption

import roles.caption_command
import roles.feedback_commands
import roles.key_commands
import roles.operations
import roles.run_commands
import roles.training_commands
from model.errors import CaptionbotError
from roles.file_names import accept_all_names
from roles.startup import configure

if TYPE_CHECKING:
    from settings import Settings

GROUPS = {  # of commands in `captionbot --help`; all others are in OTHERS
    "Run": "up web telegram discord worker",
    "Look after it": "doctor migrate backup stats forget key",
    "Caption files": "caption models bench",
    "Learn from people": "export review finetune promote rollback learn",
}
OTHERS = "Make models"


class GroupedCommands(TyperGroup):
    """Lists the commands of each group under a heading, and shows ranges of numbers as 1-20."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        for command in self.commands.values():
            _simplify_ranges(command)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        groups = {title: names.split() for title, names in GROUPS.items()}
        groups[OTHERS] = [name for name in self.commands if not any(name in names for names in groups.values())]
        limit = formatter.width - max(map(len, self.commands)) - 6
        for title, names in groups.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit)) for name in names])


def _simplify_ranges(command: Any) -> None:
    """Show the range of each option as its metavar instead of typer's [1<=x<=20]. Values are checked as before."""
    for parameter in command.params:
        if isinstance(parameter, TyperOption):
            low, high = parameter.min, parameter.max
            if parameter.metavar is None and low is not None and high is not None:
                parameter.metavar = f"{low}-{high}"
            parameter.min = parameter.max = None  # only the help reads them
    for inner in getattr(command, "commands", {}).values():
        _simplify_ranges(inner)


app = typer.Typer(
    cls=GroupedCommands,
    help="Describes photos in a sentence.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain text, which saves importing rich
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

EXTRAS = {  # module -> the extra that installs it
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
    """Run a command. Errors that people can correct are one line on stderr and exit code 1; Ctrl-C is exit code 130."""
    accept_all_names()
    try:
        app(prog_name="captionbot")
    except CaptionbotError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        if (extra := EXTRAS.get((error.name or "").partition(".")[0])) is None:
            _fail_with_traceback()
        _fail(f"{error.name} is not installed here; it comes with: pip install -e '.[{extra}]'")
    except Exception:
        _fail_with_traceback()


def _fail(message: str) -> NoReturn:
    from bots.log_redaction import without_secrets

    print(f"captionbot: {without_secrets(message)}", file=sys.stderr)
    sys.exit(1)


def _fail_with_traceback() -> NoReturn:
    """Python's own traceback would show a secret that is part of an error's message."""
    from bots.log_redaction import without_secrets

    print(without_secrets(traceback.format_exc()), end="", file=sys.stderr)
    sys.exit(1)


def _show_version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import version

    from model.model_folder import load_model

    folder = configure().model_dir
    print(f"captionbot {version('captionbot')}, model {load_model(folder).version} in {folder}")
    raise typer.Exit


@app.callback()
def _commands(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the versions of program and model."
        ),
    ] = False,
) -> None:
    """Describes photos in a sentence. `captionbot COMMAND --help` shows the options of a command, with examples."""


# In an epilog \b keeps the line breaks of its paragraph.
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

    files = find_pictures(paths or [Path(__file__).parent / "samples"])
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

    for name, result in bench_service(settings, files, photos, flood=flood):
        print(f"{name:<20} {result}", flush=True)


app.add_typer(roles.caption_command.app)
app.add_typer(roles.run_commands.app)
app.add_typer(roles.operations.app)
app.add_typer(roles.key_commands.app, name="key")
app.add_typer(roles.feedback_commands.app)
app.add_typer(roles.training_commands.app)

if __name__ == "__main__":
    main()
