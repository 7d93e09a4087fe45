"""The commands by which captionbot learns from people. captionbot.py adds them to its own.

Heavy imports stand inside the commands, so that `captionbot --help` answers at once.
"""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from roles.start import begin, with_database
from training.commands import Format, Overrides, recipe_path

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from settings import Settings

app = typer.Typer()

Canary = Annotated[
    int, typer.Option(min=0, max=99, metavar="PERCENT", help="Let only so many percent of chats have it.")
]


# In an epilog \b keeps the line breaks of its paragraph.
@app.command(
    epilog="""\b
Examples:
  captionbot export
  captionbot export --since 2026-03-01 --out march/
  captionbot export --format coco --out corrections/"""
)
def export(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what was said from that day on.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write.  [default: DATA_DIR/exports/feedback]")] = None,
    format: Annotated[Literal["jsonl", "coco", "csv"], typer.Option(help="Training reads jsonl.")] = "jsonl",
) -> None:
    """Write what people said of captions into a folder.

    Photos (256 pixels) are in it if their senders agreed, with captions, votes and corrections; its README.md describes
    the files. The same feedback gives the same files.
    """
    settings, sessions = _database()
    from db import feedback_export
    from db.photo_store import PhotoStore
    from model.errors import BadData
    from training.serving import current_model, known_words

    folder = out or settings.data_dir / "exports/feedback"
    begin = since and since.replace(tzinfo=UTC)
    known = known_words(current_model(sessions, settings.model_dir))
    try:
        exported = feedback_export.export(
            sessions, PhotoStore(settings.photo_store), folder, format=format, since=begin, known=known
        )
    except feedback_export.NotAnExport as error:
        raise BadData(str(error)) from None
    counts = exported.counts
    print(f"{folder}: {counts.captions:,} captions of {counts.photos:,} photos, {counts.votes:,} votes")
    print(f"corrections: {counts.accepted:,} accepted, {counts.quarantined:,} quarantined (captionbot review)")
    for person in exported.suspicious:
        print(f"person {person['person']}: each vote counts {person['weight']:.2f}: {'; '.join(person['reasons'])}")
    print(f"hash {exported.hash}")


@app.command(
    epilog="""\b
Examples:
  captionbot review
  captionbot review --accept 12 --accept 15 --reject 13
  captionbot review --accepted"""
)
def review(
    accept: Annotated[list[int] | None, typer.Option(metavar="NUMBER", help="Learn from it; repeatable.")] = None,
    reject: Annotated[list[int] | None, typer.Option(metavar="NUMBER", help="Never learn from it; repeatable.")] = None,
    accepted: Annotated[bool, typer.Option("--accepted", help="Show those that the filter accepted, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 50,
) -> None:
    """Show corrections that wait for an admin, and decide about them.

    What the filter accepted is learnt from, and remembered for its writer and chat. What an admin accepts is remembered
    for everybody.
    """
    _, sessions = _database()
    from db.review import UnknownCorrection, decide, judge_all, waiting
    from db.tables import Review
    from model.errors import BadData
    from roles.correction_table import show_corrections

    try:
        with sessions.begin() as session:
            for number in (*(accept or ()), *(reject or ())):
                decide(session, number, number in (accept or ()), _who())
            judge_all(session)
    except UnknownCorrection as error:
        raise BadData(str(error)) from None
    with sessions() as session:
        show_corrections(waiting(session, Review.QUARANTINED, limit), "quarantined")
        if accepted:
            show_corrections(waiting(session, Review.ACCEPTED, limit), "accepted by the filter")


@app.command(
    epilog="""\b
Examples:
  captionbot finetune --feedback data/exports/feedback --replay flickr8k/
  captionbot finetune --feedback march/ --replay flickr8k/ --set steps=300 --out data/runs/march"""
)
def finetune(
    feedback: Annotated[Path, typer.Option(help="Folder that captionbot export wrote.")],
    replay: Annotated[Path, typer.Option(help="Folder of the data set that the model was trained on.")],
    recipe: Annotated[str, typer.Option(help="A TOML file, or the name of one in training/configs.")] = "feedback",
    set: Overrides = None,
    model: Annotated[Path | None, typer.Option(help="Model folder to begin with.  [default: what serves]")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder.  [default: DATA_DIR/runs/feedback-HASH]")] = None,
    format: Format = "auto",
) -> None:
    """Teach the current model what people told us.

    The run folder gets a candidate, which captionbot evaluate judges and captionbot promote lets serve.
    """
    settings, sessions = _database()
    from training.data import load_dataset
    from training.feedback import read_feedback
    from training.finetune import finetune as run
    from training.finetune_recipe import FeedbackRecipe
    from training.serving import current_model

    told = read_feedback(feedback)
    folder = out or settings.data_dir / f"runs/feedback-{told.hash[:12]}"
    current = model or current_model(sessions, settings.model_dir)
    original = load_dataset(replay, format=format)
    taught, cache = FeedbackRecipe.load(recipe_path(recipe), set), settings.data_dir / "features"
    candidate = run(taught, current, told, original, folder, features=cache)
    print(f"The candidate is in {candidate}")
    print(f"captionbot evaluate {candidate} --compare {current} --data {replay} --feedback {feedback}  judges it")


@app.command(
    epilog="""\b
Examples:
  captionbot promote data/runs/feedback-1f0c2d3e4a5b
  captionbot promote data/runs/feedback-1f0c2d3e4a5b --canary 10"""
)
def promote(
    run: Annotated[str, typer.Argument(help="Run folder, or version of a model that was promoted before.")],
    canary: Canary = 0,
) -> None:
    """Let a candidate serve that the judge has passed; workers take it up without a restart.

    Refuses, with the reasons, what lost on validation photos or did not win on held-out feedback.
    """
    settings, sessions = _database()
    from training.promote import promote, promote_again

    if Path(run).is_dir():
        version = promote(sessions, Path(run), settings.model_store, settings.model_dir, by=_who(), canary=canary)
    else:
        version = promote_again(sessions, run, by=_who(), canary=canary)
    print(f"{version} serves {f'{canary} % of chats' if canary else 'everybody'}")


@app.command(
    epilog="""\b
Examples:
  captionbot rollback"""
)
def rollback() -> None:
    """Go back to the model before: end a canary, or else let the previous model serve again."""
    _, sessions = _database()
    from db import model_registry
    from model.errors import BadData

    try:
        with sessions.begin() as session:
            now = model_registry.rollback(session, _who())
    except model_registry.NothingToRollBack as error:
        raise BadData(error.__doc__) from None
    print(f"{now or 'The bundled model'} serves everybody")


@app.command(
    epilog="""\b
Examples:
  captionbot learn --replay flickr8k/
  captionbot learn --replay flickr8k/ --canary 10"""
)
def learn(
    replay: Annotated[Path, typer.Option(help="Folder of the data set that the model was trained on.")],
    recipe: Annotated[str, typer.Option(help="A TOML file, or the name of one in training/configs.")] = "feedback",
    set: Overrides = None,
    canary: Canary = 0,
    format: Format = "auto",
) -> None:
    """Export, fine-tune, judge, and promote what is better: all in one, for cron.

    Only one runs at a time. When there is nothing to promote it says why, which is no error.
    """
    settings, sessions = _database()
    from db.photo_store import PhotoStore
    from training.data import load_dataset
    from training.finetune import TooLittleFeedback
    from training.finetune_recipe import FeedbackRecipe
    from training.learn import AlreadyLearning, NothingNew, Places
    from training.learn import learn as run
    from training.promote import Refused

    folder = settings.data_dir
    places = Places(settings.model_dir, settings.model_store, folder / "exports", folder / "runs", folder / "features")
    store, taught = PhotoStore(settings.photo_store), FeedbackRecipe.load(recipe_path(recipe), set)
    data = load_dataset(replay, format=format)
    try:
        version = run(sessions, store, places, taught, data, by=_who(), canary=canary)
    except (AlreadyLearning, NothingNew, TooLittleFeedback, Refused) as reason:
        print(f"Nothing was promoted: {reason}")
    else:
        print(f"{version} serves {f'{canary} % of chats' if canary else 'everybody'}")


def _database() -> "tuple[Settings, sessionmaker[Session]]":
    """The settings, and sessions of a database whose tables are those of this version."""
    settings = begin()
    from db.engine import create_engine, sessions
    from db.schema import check_schema

    engine = create_engine(settings.database_url)
    with with_database():
        check_schema(engine)
    return settings, sessions(engine)


def _who() -> str:
    """For the record of what was done to the registry."""
    return f"command line:{getpass.getuser()}"
