"""The commands that look after captionbot: its database, what is wrong, how people like it, what they want forgotten.

Heavy imports stand inside the commands, so that `captionbot --help` answers at once.
"""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from roles.start import begin, migrated, with_database

if TYPE_CHECKING:
    from bots.service import CaptionService

app = typer.Typer()


# In an epilog \b keeps the line breaks of its paragraph.
@app.command(
    epilog="""\b
Examples:
  captionbot doctor"""
)
def doctor() -> None:
    """Check settings, tokens, database, broker, photo store and model.

    A line for each, with what to do about what is wrong; then the exit code is 1.
    """
    settings = begin()
    from roles.doctor import diagnose

    well = True
    for finding in diagnose(settings):
        print(f"{'ok   ' if finding.well else 'WRONG'}  {finding.what:<12} {finding.said}", flush=True)
        well &= finding.well
    raise typer.Exit(not well)


@app.command(
    epilog="""\b
Examples:
  captionbot migrate"""
)
def migrate() -> None:
    """Make the tables of the database, or bring them to this version."""
    migrated(begin())
    print("The database has the tables of this version.")


@app.command(
    epilog="""\b
Examples:
  captionbot stats
  captionbot stats --since 2026-03-01"""
)
def stats(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only captions from this day on.")
    ] = None,
) -> None:
    """Show how people like the captions.

    By model version and front-end, with 95 % intervals.
    """
    service = _service()
    from roles.statistics_table import show_statistics

    with with_database():
        show_statistics(service.stats(since and since.replace(tzinfo=UTC)))


@app.command(
    epilog="""\b
Examples:
  captionbot forget telegram:1234
  captionbot forget discord:5678 --yes"""
)
def forget(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="telegram:NUMBER, discord:NUMBER or web:SESSION.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove all that is kept of a person.

    Captions, votes, corrections, settings, and photos unless someone else sent them too. What a model has learnt from
    them already stays in its weights.
    """
    if not re.fullmatch(r"(telegram|discord):\d+|web:[\w-]+", person):
        raise typer.BadParameter(f"{person} is none of telegram:NUMBER, discord:NUMBER, web:SESSION")
    service = _service()
    if not yes:
        typer.confirm(f"Remove all that is kept of {person}? This cannot be undone.", abort=True)
    with with_database():
        gone = service.forget(person)
    print(
        f"Removed: {gone.captions} captions, {gone.photos} photos, {gone.votes} votes, {gone.corrections} corrections."
    )


def _service() -> "CaptionService":
    settings = begin()
    from bots.service_setup import create_service

    with with_database():
        return create_service(settings)
