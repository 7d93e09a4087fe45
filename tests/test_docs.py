"""What the documents promise is there."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
from PIL import Image

from captionbot import GROUPS, app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
COMMANDS = typer.main.get_command(app).commands
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
SAMPLES = sorted(ROOT.glob("samples/*.jpg"))


def shell_lines(text: str) -> list[str]:
    """Lines of the fenced shell blocks, remarks left out."""
    blocks = re.findall(r"```(?:sh|bash)\n(.*?)```", text, flags=re.DOTALL)
    lines = [re.sub(r"\s+#.*", "", line).strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def help_examples() -> list[str]:
    return [line.strip() for command in COMMANDS.values() for line in command.epilog.splitlines()[2:]]


def test_the_readme_shows_commands():
    assert len(shell_lines(README)) >= 5


@pytest.mark.parametrize("line", [*shell_lines(README), *help_examples()])
def test_a_shown_command_exists_with_the_options_shown(line):
    words = [Path(word).name if word.endswith("bin/captionbot") else word for word in shlex.split(line.split(">")[0])]
    if words[0] == "make":
        assert all(re.search(rf"^{target}:", MAKEFILE, flags=re.MULTILINE) for target in words[1:])
    elif words[0] == "pip":
        assert set(words[-1].removeprefix(".[").removesuffix("]").split(",")) <= EXTRAS
    elif "captionbot" in words:
        name, *arguments = words[words.index("captionbot") + 1 :]
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert {word.split("=")[0] for word in arguments if word.startswith("-")} <= options
    else:
        assert words[0] == "."


def test_the_help_lists_every_command_once():
    listed = [name for names in GROUPS.values() for name in names.split()]
    assert len(listed) == len(set(listed))
    assert set(listed) <= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name):
    assert COMMANDS[name].help
    assert f"captionbot {name}" in COMMANDS[name].epilog


def test_every_source_file_has_its_line_in_the_readme():
    packages = [folder.parent for folder in ROOT.glob("*/__init__.py") if folder.parent.name != "tests"]
    files = [*ROOT.glob("*.py"), *(file for package in packages for file in package.rglob("*.py"))]
    names = {str(file.relative_to(ROOT)) for file in files if file.name != "__init__.py"}
    listed = set(re.findall(r"^\| `([\w/]+\.py)` \|", README, flags=re.MULTILINE))
    assert listed == names


def test_every_link_to_a_file_leads_somewhere():
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert links
    assert [target for target in links if not (ROOT / target).exists()] == []


def test_every_sample_photo_has_its_licence_listed():
    listed = re.findall(r"^\| `(.+?\.jpg)` \|", (ROOT / "samples/LICENSES.md").read_text(), flags=re.MULTILINE)
    assert listed == [path.name for path in SAMPLES]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_photos_are_small_and_carry_no_metadata(path):
    with Image.open(path) as photo:
        assert max(photo.size) <= 640
        assert not photo.getexif()
    assert path.stat().st_size < 100_000
