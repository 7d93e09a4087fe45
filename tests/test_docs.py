"""The documents: every command, link, setting and recipe that they show exists."""

import ast
import importlib.util
import itertools
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
from PIL import Image

from captionbot import GROUPS, app
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text()
COMMANDS = typer.main.get_command(app).commands
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
RECIPES = {file.stem for file in ROOT.glob("training/configs/*.toml")}
SAMPLES = sorted(ROOT.glob("samples/*.jpg"))
OTHERS_VARIABLES = {  # that are no settings: of CUDA, uvicorn, HTTP libraries, the compose file's, the tests'
    "CUDA_VISIBLE_DEVICES",
    "FORWARDED_ALLOW_IPS",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "POSTGRES_PASSWORD",
    "CAPTIONBOT_TEST_DATA",
    "CAPTIONBOT_TEST_POSTGRESQL",
}


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def shell_lines(text: str) -> list[str]:
    """Lines of the fenced shell blocks, without comments."""
    blocks = re.findall(r"```(?:sh|bash)\n(.*?)```", text, flags=re.DOTALL)
    lines = [re.sub(r"(^|\s+)#.*", "", line).strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def inline_commands(text: str) -> list[str]:
    """Commands between backticks in a sentence, whole or with arguments in capitals."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]
    return [span for span in spans if re.match(r"(captionbot|make) \S", span)]


def all_commands() -> list[typer.core.TyperCommand]:
    """Also those of groups, such as `captionbot key new`."""
    groups = [command.commands.values() for command in COMMANDS.values() if isinstance(command, typer.core.TyperGroup)]
    return [*COMMANDS.values(), *itertools.chain(*groups)]


def help_examples() -> list[str]:
    return [line.strip() for command in all_commands() for line in command.epilog.splitlines()[2:]]


def shown_commands() -> list[str]:
    texts = [document.read_text() for document in DOCUMENTS]
    found = [line for text in texts for line in [*shell_lines(text), *inline_commands(text)]]
    return list(dict.fromkeys([*found, *help_examples()]))


def check_captionbot(name: str, *arguments: str) -> None:
    """The command exists and has these options; a recipe that is named comes with captionbot."""
    if name in ("COMMAND", "--help"):
        return
    command = COMMANDS[name]
    while isinstance(command, typer.core.TyperGroup):  # such as `captionbot key`
        name, *arguments = arguments  # type: ignore[assignment]
        command = command.commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word.split("=")[0] for word in arguments if word.startswith("-") and word != "-"} <= options | {"--help"}
    recipe = command.make_context(name, list(arguments), resilient_parsing=True).params.get("recipe")
    assert recipe is None or recipe in RECIPES or recipe.endswith(".toml")


@pytest.mark.parametrize("line", shown_commands())
def test_a_shown_command_exists_with_the_options_shown(line):
    words = [Path(word).name if word.endswith("bin/captionbot") else word for word in shlex.split(line.split(">")[0])]
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):  # environment variables
        words.pop(0)
    if words[0] == "make":
        assert all(re.search(rf"^{target}:", MAKEFILE, flags=re.MULTILINE) for target in words[1:] if "=" not in target)
    elif words[0] == "pip":
        assert set(words[-1].removeprefix(".[").removesuffix("]").split(",")) <= EXTRAS
    elif "captionbot" in words:
        check_captionbot(*words[words.index("captionbot") + 1 :])
    elif words[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(words[2]) is not None
    else:
        assert words[0] in (".", "apt", "curl", "docker", "export", "git", "cp", "pg_dump")


def test_the_help_lists_every_command_once():
    listed = [name for names in GROUPS.values() for name in names.split()]
    assert len(listed) == len(set(listed))
    assert set(listed) <= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name):
    assert COMMANDS[name].help
    assert f"captionbot {name}" in COMMANDS[name].epilog


@pytest.mark.parametrize("command", all_commands(), ids=lambda command: command.name)
def test_help_shows_no_range_as_a_formula(command):
    shown = command.make_context(command.name, [], resilient_parsing=True).get_help()
    options = shown.partition("Options")[2].partition("Examples:")[0]
    assert "--help" in options
    assert re.findall(r"[<>]=|<\w+ range>|%Y", options) == []


def test_a_range_is_shown_and_checked():
    assert "--beams 1-20 " in COMMANDS["bench"].make_context("bench", [], resilient_parsing=True).get_help()
    with pytest.raises(Exception, match="less than or equal to 20"):
        COMMANDS["bench"].make_context("bench", ["--beams", "21"])


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def anchors(document: Path) -> set[str]:
    """Of a document's headings, as GitHub makes them: repeated ones are numbered."""
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    found: list[str] = []
    for heading in re.findall(r"^#+ +(.+)$", text, flags=re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_and_image_leads_somewhere(document):
    text = without_code(document.read_text())
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    broken = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_python_file_that_is_named_exists(document):
    named = re.findall(r"`([a-z_]+(?:/[a-z_0-9]+)+\.py)`", document.read_text())
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_shape_that_a_photo_takes_is_a_class_of_one_of_the_packages():
    """In the table of docs/architecture.md that follows a photo through the files."""
    rows = re.findall(r"^\| [^|]+ \| `[^|]+ \| ([^|]+) \|$", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    shapes = {name for row in rows for name in re.findall(r"`([A-Z]\w+)`", row)} - {"Update"}  # python-telegram-bot's
    files = [
        file.read_text() for package in ("bots", "db", "model", "worker") for file in (ROOT / package).rglob("*.py")
    ]
    classes = {name for text in files for name in re.findall(r"^class (\w+)", text, re.MULTILINE)}
    assert len(shapes) > 12
    assert shapes - classes == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_setting_that_is_shown_exists(document):
    text = document.read_text()
    inline = re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`", text)
    in_blocks = [
        name
        for block in re.findall(r"```(?:ini|sh|bash)\n(.*?)```", text, flags=re.DOTALL)
        for name in re.findall(r"\b([A-Z]+(?:_[A-Z]+)+)=", block)
    ]
    unknown = {name for name in {*inline, *in_blocks} if name.lower() not in Settings.model_fields}
    assert unknown - OTHERS_VARIABLES == set()


def test_every_setting_is_explained_in_env_example():
    """Each group of settings stands under a comment."""
    groups = (ROOT / ".env.example").read_text().strip().split("\n\n")
    unexplained = [group for group in groups if "=" in group and not group.startswith("# ")]
    assert unexplained == []


def test_every_python_file_says_what_it_is_for():
    packages = [folder.parent for folder in ROOT.glob("*/__init__.py")]
    files = [*ROOT.glob("*.py"), *(file for package in packages for file in package.rglob("*.py"))]
    silent = [name_of(file) for file in files if not ast.get_docstring(ast.parse(file.read_text()))]
    assert silent == []


def test_every_sample_photo_has_its_licence_listed():
    listed = re.findall(r"^\| `(.+?\.jpg)` \|", (ROOT / "samples/LICENSES.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == [path.name for path in SAMPLES]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_photos_are_small_and_carry_no_metadata(path):
    with Image.open(path) as photo:
        assert max(photo.size) <= 640
        assert not photo.getexif()
    assert path.stat().st_size < 100_000
