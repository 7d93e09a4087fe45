"""The commands for operators: diagnosis, migrations, statistics, and erasing a person's data.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.errors import CaptionbotError
from roles.startup import NOTHING_YET, configure, database_errors, is_empty, migrate_database

if TYPE_CHECKING:
    from bots.service.service import CaptionService

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


# In an epilog \b keeps the line breaks of its paragraph.
@app.command(
    epilog="""\b
Examples:
  captionbot doctor
  captionbot doctor --json"""
)
def doctor(as_json: AsJson = False) -> None:
    """Check settings, tokens, proxies, database, broker, photo store and model.

    Prints one line for each check, with what to do if something is wrong. Then the exit code is 1. It creates nothing.
    """
    settings = configure()
    from roles.doctor.diagnosis import diagnose

    findings = []
    for finding in diagnose(settings):
        findings.append(finding)
        if not as_json:
            print(f"{finding.status:<5}  {finding.check:<12} {finding.message}", flush=True)
    if as_json:
        print(json.dumps([{"check": each.check, "status": each.status, "message": each.message} for each in findings]))
    raise typer.Exit(not all(finding.ok for finding in findings))


@app.command(
    epilog="""\b
Examples:
  captionbot migrate"""
)
def migrate() -> None:
    """Create or upgrade the tables of the database."""
    migrate_database(configure())
    print("The database has the tables of this version.")


@app.command(
    epilog="""\b
Examples:
  captionbot backup /backups/captionbot-$(date +%F).db"""
)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; it must not exist yet.")],
) -> None:
    """Copy the SQLite database into one file, also while captionbot runs.

    For PostgreSQL it prints the command of PostgreSQL's that makes a backup. Photos are not part of it.
    """
    settings = configure()
    from db.backup import NoBackup, back_up

    try:
        back_up(settings.database_url, file)
    except NoBackup as error:
        raise CaptionbotError(str(error)) from None
    print(f"{file} holds the whole database. It contains people's data: protect it, and delete old copies.")


@app.command(
    epilog="""\b
Examples:
  captionbot stats
  captionbot stats --since 2026-03-01
  captionbot stats --json"""
)
def stats(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Only captions from this day on.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how people like the captions.

    One row for each model version and front-end, with 95 % confidence intervals.
    """
    from roles.statistics_table import as_object, show_statistics

    if is_empty(configure()):
        print(json.dumps({"since": None, "models": []}) if as_json else NOTHING_YET)
        return
    service = _service()
    with database_errors():
        statistics = service.admin.stats(since and since.replace(tzinfo=UTC))
    if as_json:
        print(json.dumps(as_object(statistics)))
    elif statistics.lines or statistics.events:
        show_statistics(statistics)
    else:
        print(NOTHING_YET)


@app.command(
    epilog="""\b
Examples:
  captionbot forget telegram:1234
  captionbot forget discord:5678 --yes"""
)
def forget(
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="telegram:NUMBER, discord:NUMBER, web:SESSION, key:ID.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete everything that is stored about a person.

    That is captions, votes, corrections and settings, and photos unless someone else sent the same photo too. What a
    model has already learned from them stays in its weights.
    """
    if not re.fullmatch(r"(telegram|discord):\d+|(web|key):[\w-]+", person):
        raise typer.BadParameter(f"{person} is none of telegram:NUMBER, discord:NUMBER, web:SESSION, key:ID")
    if is_empty(configure()):
        print(NOTHING_YET)
        return
    service = _service()
    if not yes:
        typer.confirm(f"Delete everything that is stored about {person}? This cannot be undone.", abort=True)
    with database_errors():
        gone = service.people.forget(person)
    service.close()
    print(
        f"Deleted: {gone.captions} captions, {gone.photos} photos, {gone.votes} votes, {gone.corrections} corrections, "
        f"{gone.exports} exports."
    )
    if gone.left:
        raise CaptionbotError(
            f"{gone.left} photos or exports cannot be deleted yet, see above. captionbot goes on trying while it runs; "
            "run this command again to try now."
        )


def _service() -> "CaptionService":
    settings = configure()
    from bots.service.setup import create_service

    with database_errors():
        return create_service(settings)
