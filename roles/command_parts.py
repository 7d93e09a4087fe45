"""What several commands share: their options, and the database and photo store that they open."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roles.startup import configure, database_errors

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from db.photo_store import PhotoStore
    from settings import Settings

CONFIGS = Path(__file__).resolve().parent.parent / "training/configs"
RecipeName = Annotated[str, typer.Argument(help="A TOML file, or the name of one in training/configs.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting of the recipe; repeatable.")
]
ModelFolder = Annotated[Path, typer.Argument(help="A model folder.")]
DataFolder = Annotated[Path, typer.Option(help="Folder of a data set.")]
Format = Annotated[str, typer.Option(help="auto, flickr8k, flickr30k, coco, karpathy or custom.")]
Canary = Annotated[
    int, typer.Option(min=0, max=99, help="Serve the model to this percentage of chats only; 0 = to all.")
]


def recipe_path(name: str) -> Path:
    """The path of a recipe: the file `name`, or otherwise the recipe of that name in training/configs."""
    built_in = CONFIGS / f"{name}.toml"
    return built_in if built_in.is_file() and not Path(name).is_file() else Path(name)


def open_database() -> "tuple[Settings, sessionmaker[Session]]":
    """The settings, and sessions of the database, after checking that its tables have this version."""
    settings = configure()
    from db.engine import create_engine, sessions
    from db.schema import check_schema

    engine = create_engine(settings.database_url)
    with database_errors():
        check_schema(engine)
    return settings, sessions(engine)


def open_photo_store(settings: "Settings") -> "PhotoStore":
    from db.photo_store import PhotoStore

    with database_errors():
        return PhotoStore(settings.photo_store)


def operator() -> str:
    """The user who runs the command, for the audit trail of the model registry."""
    return f"command line:{getpass.getuser()}"
