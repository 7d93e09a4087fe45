"""`captionbot caption`: describes files.

Heavy imports are inside the command, so that `captionbot --help` starts quickly.
"""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal, TextIO

import typer

from model.errors import CaptionbotError
from roles.file_names import STDIN, without_controls
from roles.startup import configure

app = typer.Typer()

Engine = Literal["auto", "openvino", "torch"]
MAX_ATTENTION_PHOTOS = 20  # in the picture of --attention


# In an epilog \b keeps the line breaks of its paragraph.
@app.command(
    epilog="""\b
Examples:
  captionbot caption cat.jpg
  captionbot caption holiday/ --nbest 3
  captionbot caption holiday/ --jsonl --output captions.jsonl --skip-existing
  curl -L https://example.com/cat.jpg | captionbot caption -
  captionbot caption dog.jpg --attention looked-at.png
  captionbot caption holiday/ --write xmp --min-confidence 0.4 --dry-run"""
)
def caption(
    photos: Annotated[
        list[str], typer.Argument(help="Photos, and folders to search for photos; - reads one photo from stdin.")
    ],
    beams: Annotated[
        int | None, typer.Option(min=1, max=20, help="Width of the beam search.  [default: BEAMS]")
    ] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="Greedy decoding, the same as --beams 1.")] = False,
    nbest: Annotated[
        int, typer.Option(min=1, metavar="1-20", help="Sentences for each photo; at most as many as beams.")
    ] = 1,
    engine: Annotated[Engine | None, typer.Option(help="Inference engine.  [default: ENGINE]")] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="PHOTOS", help="Photos in a batch.  [default: MAX_BATCH]")
    ] = None,
    model: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Model folder.  [default: MODEL_DIR]")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object for each photo.")] = False,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the lines to a file.")] = None,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave out photos that --output has already, and add the others.")
    ] = False,
    attention: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Draw where the model looked for each word.")
    ] = None,
    write: Annotated[
        Literal["xmp", "file"] | None,
        typer.Option(help="Write the sentence as description and alt text into XMP sidecars, or into the files."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="With --write: replace texts that are there, also people's.")
    ] = False,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="With --write: leave out sentences with less.")
    ] = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --write: change nothing.")] = False,
) -> None:
    """Describe each photo in a sentence.

    A file that cannot be read as a photo is reported on stderr, and the exit code is 1. The others are captioned. In
    folders, hidden files and those of operating systems are left out. Of equal photos only one is captioned, and all
    get its sentence. With --write, photos that have a text already are left out unless --overwrite is given.
    """
    settings = configure()
    beams = 1 if greedy else beams or settings.beams
    if nbest > beams:
        raise typer.BadParameter(
            f"{nbest} sentences need as many beams, but there are only {beams}", param_hint="--nbest"
        )
    if attention and (attention.suffix.lower() != ".png" or not attention.parent.is_dir()):
        raise typer.BadParameter(f"{attention} is not a .png in a folder that exists", param_hint="--attention")
    if output and (output.is_dir() or not output.parent.is_dir()):
        raise typer.BadParameter(f"{output} is not a file in a folder that exists", param_hint="--output")
    if skip_existing and not output:
        raise typer.BadParameter("needs --output, the file with the photos to skip", param_hint="--skip-existing")

    if not write and (overwrite or dry_run or min_confidence):
        raise typer.BadParameter("--overwrite, --min-confidence and --dry-run need --write xmp or --write file")
    if write and "-" in photos:
        raise typer.BadParameter("stdin cannot be written to", param_hint="--write")

    from functools import partial

    from model.caption_files import FailedFile, RepeatedPhotos, caption_files, find_pictures, read_picture

    paths = find_pictures(map(_path, photos))
    if attention and len(paths) > MAX_ATTENTION_PHOTOS:
        raise typer.BadParameter(
            f"can draw at most {MAX_ATTENTION_PHOTOS} photos, not {len(paths)}", param_hint="--attention"
        )

    from roles.caption_output import names_in, printer, shown_name, with_progress

    if output and skip_existing:
        known = names_in(output, jsonl=jsonl)
        paths = [
            path for path in paths if (shown_name(path) if jsonl else without_controls(shown_name(path))) not in known
        ]
        if not paths:
            raise typer.Exit(0)

    from model.attention_plot import attention_picture, stack
    from model.captioner import Captioner
    from roles.descriptions.writer import description_writer

    drawn, failed = [], False
    with ExitStack() as resources:
        writer = None
        if write:
            writer = resources.enter_context(
                description_writer(write, overwrite=overwrite, min_confidence=min_confidence, dry_run=dry_run)
            )
            paths = writer.without_text(paths)
            if not paths:
                print(f"captionbot: {writer.summary()}", file=sys.stderr)
                raise typer.Exit(0)
        captioner = Captioner.load(
            model or settings.model_dir, engine=engine or settings.engine, neutral_wording=settings.neutral_wording
        )
        size, max_bytes = captioner.config.photo_size, settings.max_photo_bytes
        read = partial(read_picture, size=size, max_bytes=max_bytes, max_pixels=settings.max_pixels)
        size, lanes = batch or settings.max_batch, captioner.engine.lanes
        results = caption_files(
            RepeatedPhotos(captioner), paths, batch=size, beams=beams, nbest=nbest, lanes=lanes, read=read
        )
        file = resources.enter_context(_opened(output, "a" if skip_existing else "w")) if output else None
        show = printer(captioner.version, jsonl=jsonl, names=[path.name for path in paths], file=file)
        for result in with_progress(results, len(paths), beside_output=file is not None):
            try:
                if isinstance(result, FailedFile):
                    raise result.error
                show(result, writer.write(result.path, result.prediction) if writer else None)
            except CaptionbotError as error:
                print(f"captionbot: {without_controls(str(error))}", file=sys.stderr)
                failed = True
                continue
            best = result.prediction
            if attention and best.attention is not None:
                drawn.append(attention_picture(result.photo, best.text, best.words, best.attention))
        if writer:
            print(f"captionbot: {writer.summary()}", file=sys.stderr)
    if attention and drawn:
        stack(drawn).save(attention)
    elif attention and not failed:
        raise CaptionbotError("This model has no attention to draw. Choose a model with the attention decoder.")
    raise typer.Exit(failed)


def _path(argument: str) -> Path:
    """The file that an argument of the command names."""
    if argument == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise typer.BadParameter("- reads a photo from stdin, but nothing is piped into captionbot")
        return STDIN
    if argument.lower().startswith(("http://", "https://")):
        raise typer.BadParameter(
            f"{argument} is an address, and captionbot loads nothing from the network. "
            f"Use: curl -L {argument} | captionbot caption -"
        )
    return Path(argument)


def _opened(path: Path, mode: Literal["a", "w"]) -> TextIO:
    try:
        return path.open(mode, encoding="utf-8", errors="surrogateescape")  # names may hold bytes that are no text
    except OSError as error:
        raise CaptionbotError(f"{path} cannot be written ({error.strerror}).") from None
