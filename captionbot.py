"""The command line. Each command parses its options, calls the code that does the work, and prints the result.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

import sys
import traceback
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup, TyperOption

import roles.caption_command
import roles.feedback_commands
import roles.key_commands
import roles.learning_commands
import roles.measuring_commands
import roles.model_commands
import roles.operations
import roles.run_commands
import roles.training_commands
from model.errors import CaptionbotError
from roles.file_names import accept_all_names
from roles.startup import configure

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


app.add_typer(roles.caption_command.app)
app.add_typer(roles.run_commands.app)
app.add_typer(roles.operations.app)
app.add_typer(roles.key_commands.app, name="key")
app.add_typer(roles.feedback_commands.app)
app.add_typer(roles.learning_commands.app)
app.add_typer(roles.training_commands.app)
app.add_typer(roles.model_commands.app)
app.add_typer(roles.measuring_commands.app)

if __name__ == "__main__":
    main()
