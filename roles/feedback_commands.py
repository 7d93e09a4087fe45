"""The commands that train on feedback: export, review, finetune, promote, rollback, learn.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from roles.startup import NOTHING_YET, configure, database_errors, is_empty
from roles.training_commands import Format, Overrides, recipe_path

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from db.photo_store import PhotoStore
    from settings import Settings

app = typer.Typer()

Canary = Annotated[
    int, typer.Option(min=0, max=99, help="Serve the model to this percentage of chats only; 0 = to all.")
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
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Only feedback from this day on.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder to write.  [default: DATA_DIR/exports/feedback]")
    ] = None,
    format: Annotated[Literal["jsonl", "coco", "csv"], typer.Option(help="Training reads jsonl.")] = "jsonl",
) -> None:
    """Write the feedback of people to a folder.

    It contains captions, votes and corrections, and photos (256 pixels) if their senders agreed. Its README.md
    describes the files. The same feedback gives the same files.
    """
    if is_empty(configure()):
        print(NOTHING_YET)
        return
    settings, sessions = _database()
    from db import feedback_export
    from model.errors import BadData
    from training.promotion.serving import current_model, known_words

    folder = out or settings.data_dir / "exports/feedback"
    start = since and since.replace(tzinfo=UTC)
    vocabulary = known_words(current_model(sessions, settings.model_dir))
    try:
        exported = feedback_export.export(
            sessions, _photo_store(settings), folder, format=format, since=start, known=vocabulary
        )
    except (feedback_export.NotAnExport, feedback_export.Overtaken) as error:
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
    accept: Annotated[
        list[int] | None, typer.Option(metavar="NUMBER", help="Accept this correction for training; repeatable.")
    ] = None,
    reject: Annotated[
        list[int] | None, typer.Option(metavar="NUMBER", help="Reject this correction; repeatable.")
    ] = None,
    accepted: Annotated[
        bool, typer.Option("--accepted", help="Also show corrections that the filter accepted.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="How many corrections to show.")] = 50,
) -> None:
    """Show undecided corrections, and accept or reject them.

    A correction that the automatic filter accepted is used for training, and shown again to its writer and chat. One
    that an admin accepted is shown to everybody.
    """
    if is_empty(configure()):
        print(NOTHING_YET)
        return
    _, sessions = _database()
    from db.correction_review import UnknownCorrection, decide, judge_all, undecided
    from db.tables import Review
    from model.errors import BadData
    from roles.correction_table import show_corrections

    try:
        with sessions.begin() as session:
            for number in (*(accept or ()), *(reject or ())):
                decide(session, number, number in (accept or ()), _operator())
            judge_all(session)
    except UnknownCorrection as error:
        raise BadData(str(error)) from None
    with sessions() as session:
        show_corrections(undecided(session, Review.QUARANTINED, limit), "quarantined")
        if accepted:
            show_corrections(undecided(session, Review.ACCEPTED, limit), "accepted by the filter")


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
    model: Annotated[
        Path | None, typer.Option(help="Model folder to start from.  [default: the model that serves]")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder.  [default: DATA_DIR/runs/feedback-HASH]")] = None,
    format: Format = "auto",
) -> None:
    """Fine-tune the current model on the feedback of people.

    Writes a candidate model to the run folder. captionbot evaluate judges it, and captionbot promote lets it serve.
    """
    if is_empty(configure()):
        print(NOTHING_YET)
        return
    settings, sessions = _database()
    from training.data import load_dataset
    from training.feedback.dataset import read_feedback
    from training.feedback.finetune import finetune as run
    from training.feedback.recipe import FeedbackRecipe
    from training.promotion.serving import current_model

    dataset = read_feedback(feedback)
    folder = out or settings.data_dir / f"runs/feedback-{dataset.hash[:12]}"
    current = model or current_model(sessions, settings.model_dir)
    original = load_dataset(replay, format=format)
    run_recipe, cache = FeedbackRecipe.load(recipe_path(recipe), set), settings.data_dir / "features"
    candidate = run(run_recipe, current, dataset, original, folder, features=cache)
    print(f"The candidate is in {candidate}. To judge it:")
    print(f"captionbot evaluate {candidate} --compare {current} --data {replay} --feedback {feedback}")


@app.command(
    epilog="""\b
Examples:
  captionbot promote data/runs/feedback-1f0c2d3e4a5b
  captionbot promote data/runs/feedback-1f0c2d3e4a5b --canary 10"""
)
def promote(
    run: Annotated[
        str, typer.Argument(help="Run folder of a candidate, or version of a model that was promoted before.")
    ],
    canary: Canary = 0,
) -> None:
    """Let a candidate serve that captionbot evaluate has passed.

    Workers load it without a restart. A candidate that is worse on validation photos, or not better on held-out
    feedback, is refused with the reasons.
    """
    if is_empty(configure()):
        print(NOTHING_YET)
        return
    settings, sessions = _database()
    from training.promotion.promote import promote, promote_again

    if Path(run).is_dir():
        version = promote(sessions, Path(run), settings.model_store, settings.model_dir, by=_operator(), canary=canary)
    else:
        version = promote_again(sessions, run, by=_operator(), canary=canary)
    print(f"{version} serves {f'{canary} % of chats' if canary else 'everybody'}")


@app.command(
    epilog="""\b
Examples:
  captionbot rollback"""
)
def rollback() -> None:
    """Stop the canary, or else go back to the previous model."""
    if is_empty(configure()):
        print(NOTHING_YET)
        return
    _, sessions = _database()
    from db import model_registry
    from model.errors import BadData

    try:
        with sessions.begin() as session:
            now = model_registry.rollback(session, _operator())
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
    """Export, fine-tune, evaluate, and promote what is better.

    All in one command, for cron. Only one can run at a time. If nothing was promoted it prints the reason, and the exit
    code is still 0.
    """
    if is_empty(configure()):
        print(NOTHING_YET)
        return
    settings, sessions = _database()
    from training.data import load_dataset
    from training.feedback.finetune import TooLittleFeedback
    from training.feedback.recipe import FeedbackRecipe
    from training.feedback_loop import AlreadyLearning, LoopPaths, NothingNew, SomebodyForgotten
    from training.feedback_loop import learn as run
    from training.promotion.promote import Refused

    folder = settings.data_dir
    places = LoopPaths(
        settings.model_dir, settings.model_store, folder / "exports", folder / "runs", folder / "features"
    )
    store, run_recipe = _photo_store(settings), FeedbackRecipe.load(recipe_path(recipe), set)
    data = load_dataset(replay, format=format)
    try:
        version = run(sessions, store, places, run_recipe, data, by=_operator(), canary=canary)
    except (AlreadyLearning, NothingNew, SomebodyForgotten, TooLittleFeedback, Refused) as reason:
        print(f"Nothing was promoted: {reason}")
    else:
        print(f"{version} serves {f'{canary} % of chats' if canary else 'everybody'}")


def _photo_store(settings: "Settings") -> "PhotoStore":
    from db.photo_store import PhotoStore

    with database_errors():
        return PhotoStore(settings.photo_store)


def _database() -> "tuple[Settings, sessionmaker[Session]]":
    """The settings, and sessions of the database, after checking that its tables have this version."""
    settings = configure()
    from db.engine import create_engine, sessions
    from db.schema import check_schema

    engine = create_engine(settings.database_url)
    with database_errors():
        check_schema(engine)
    return settings, sessions(engine)


def _operator() -> str:
    """The user who runs the command, for the audit trail of the model registry."""
    return f"command line:{getpass.getuser()}"
