"""`captionbot key`: keys with which programs call the API.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from model.errors import CaptionbotError
from roles.startup import NOTHING_YET, configure, database_errors, is_empty, migrate_database

if TYPE_CHECKING:
    from bots.service.service import CaptionService

app = typer.Typer(
    help="""Make, list and revoke keys with which programs call the API.

    A key acts as a person of its own: it sees only its own photos and captions, and RATE_LIMIT holds for each key.""",
    epilog="""\b
Examples:
  captionbot key new camera
  captionbot key list
  captionbot key revoke camera""",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the key is for: a word.")]


@app.command(
    epilog="""\b
Examples:
  captionbot key new camera"""
)
def new(name: Name) -> None:
    """Make a key and print it. It is shown only now: the database holds no more than its hash."""
    from bots.service.api_keys import NameTaken

    settings = configure()
    if is_empty(settings):
        migrate_database(settings)
    service = _service()
    try:
        with database_errors():
            print(service.api_keys.create(name))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except NameTaken:
        raise CaptionbotError(f"There is a key {name} already. To replace it: captionbot key revoke {name}") from None
    finally:
        service.close()


@app.command(
    "list",
    epilog="""\b
Examples:
  captionbot key list
  captionbot key list --json""",
)
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """List the keys, and when each was used last."""
    keys = []
    if not is_empty(configure()):
        service = _service()
        with database_errors():
            keys = service.api_keys.all()
        service.close()
    if as_json:
        print(json.dumps([vars(key) for key in keys], default=datetime.isoformat))
    elif not keys:
        print("There are no keys. To make one: captionbot key new NAME")
    width = max((len(key.name) for key in keys), default=0)
    for key in [] if as_json else keys:
        used = f"last used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
        print(f"{key.name:<{width}}  made {key.created_at:%Y-%m-%d}, {used:<26}  {key.person}")


@app.command(
    epilog="""\b
Examples:
  captionbot key revoke camera
  captionbot key revoke camera --forget"""
)
def revoke(
    name: Name,
    forget: Annotated[
        bool, typer.Option("--forget", help="Also delete its photos, captions, votes and texts.")
    ] = False,
) -> None:
    """Delete a key: it is refused from now on. Its photos and captions stay, unless --forget deletes them."""
    if is_empty(configure()):
        print(NOTHING_YET)
        return
    service = _service()
    with database_errors():
        person = service.api_keys.revoke(name)
        if person is None:
            raise CaptionbotError(f"There is no key {name}. To see all: captionbot key list")
        gone = service.people.forget(person) if forget else None
    service.close()
    if gone is None:
        print(f"The key {name} is refused from now on. To delete its photos and captions: captionbot forget {person}")
        return
    print(f"The key {name} is refused from now on. Deleted: {gone.captions} captions, {gone.photos} photos.")
    if gone.left:
        raise CaptionbotError(
            f"{gone.left} photos or exports cannot be deleted yet, see above. captionbot goes on trying while it runs."
        )


def _service() -> "CaptionService":
    settings = configure()
    from bots.service.setup import create_service

    with database_errors():
        return create_service(settings)
