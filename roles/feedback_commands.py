"""The commands about the feedback of people: export, review.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from roles.command_parts import open_database, open_photo_store, operator
from roles.startup import NOTHING_YET, configure, is_empty

app = typer.Typer()


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
    settings, sessions = open_database()
    from db import feedback_export
    from model.errors import BadData
    from training.promotion.serving import current_model, known_words

    folder = out or settings.data_dir / "exports/feedback"
    start = since and since.replace(tzinfo=UTC)
    vocabulary = known_words(current_model(sessions, settings.model_dir))
    try:
        exported = feedback_export.export(
            sessions, open_photo_store(settings), folder, format=format, since=start, known=vocabulary
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
    _, sessions = open_database()
    from db.correction_review import UnknownCorrection, decide, judge_all, undecided
    from db.tables import Review
    from model.errors import BadData
    from roles.correction_table import show_corrections

    try:
        with sessions.begin() as session:
            for number in (*(accept or ()), *(reject or ())):
                decide(session, number, number in (accept or ()), operator())
            judge_all(session)
    except UnknownCorrection as error:
        raise BadData(str(error)) from None
    with sessions() as session:
        show_corrections(undecided(session, Review.QUARANTINED, limit), "quarantined")
        if accepted:
            show_corrections(undecided(session, Review.ACCEPTED, limit), "accepted by the filter")
