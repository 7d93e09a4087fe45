"""The commands that learn from feedback: finetune, promote, rollback, learn.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

from pathlib import Path
from typing import Annotated

import typer

from roles.command_parts import Canary, Format, Overrides, open_database, open_photo_store, operator, recipe_path
from roles.startup import NOTHING_YET, configure, is_empty

app = typer.Typer()


# In an epilog \b keeps the line breaks of its paragraph.
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
    settings, sessions = open_database()
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
    settings, sessions = open_database()
    from training.promotion.promote import promote, promote_again

    if Path(run).is_dir():
        version = promote(sessions, Path(run), settings.model_store, settings.model_dir, by=operator(), canary=canary)
    else:
        version = promote_again(sessions, run, by=operator(), canary=canary)
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
    _, sessions = open_database()
    from db import model_registry
    from model.errors import BadData

    try:
        with sessions.begin() as session:
            now = model_registry.rollback(session, operator())
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
    settings, sessions = open_database()
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
    store, run_recipe = open_photo_store(settings), FeedbackRecipe.load(recipe_path(recipe), set)
    data = load_dataset(replay, format=format)
    try:
        version = run(sessions, store, places, run_recipe, data, by=operator(), canary=canary)
    except (AlreadyLearning, NothingNew, SomebodyForgotten, TooLittleFeedback, Refused) as reason:
        print(f"Nothing was promoted: {reason}")
    else:
        print(f"{version} serves {f'{canary} % of chats' if canary else 'everybody'}")
