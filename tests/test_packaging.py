import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
INSTALLED = packages_distributions()  # top-level module -> the distributions that bring it
OUR_NAMES = {"bots", "worker", "model", "training", "db", "roles", "captionbot", "settings"}


def test_no_installed_distribution_claims_one_of_our_names():
    claimed = {name: set(INSTALLED.get(name, [])) - {"captionbot"} for name in OUR_NAMES}
    assert {name: others for name, others in claimed.items() if others} == {}


def test_the_serving_extras_bring_no_pytorch():
    extras = PROJECT["project"]["optional-dependencies"]
    serving = " ".join([*PROJECT["project"]["dependencies"], *extras["bots"], *extras["worker"]])
    assert not any(heavy in serving for heavy in ("torch", "gpu", "train"))


def test_every_dependency_has_a_lower_and_an_upper_bound():
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *(line for lines in extras.values() for line in lines)]
    loose = [line for line in wanted if not line.startswith("captionbot[") and not (">=" in line and "<" in line)]
    assert loose == []


def imported_by(*files: Path) -> set[str]:
    """Names of the top-level modules that these files import, anywhere in them, that are not Python's and not ours."""
    names = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - OUR_NAMES - {file.stem for file in ROOT.glob("tests/*.py")}


@pytest.mark.parametrize(
    ("files", "extras"),
    [
        (["db/**/*.py"], []),
        (["*.py", "model/**/*.py"], ["worker", "gpu"]),
        (["worker/**/*.py"], ["worker"]),
        (["bots/**/*.py"], ["bots"]),
        (["roles/**/*.py"], ["bots", "worker"]),
        (["training/**/*.py"], ["train", "gpu"]),
        (["tests/*.py"], ["dev", "train", "gpu", "bots", "worker"]),
    ],
    ids=["db", "model", "worker", "bots", "roles", "training", "tests"],
)
def test_every_import_is_of_a_declared_dependency(files, extras):
    project = PROJECT["project"]
    lines = [*project["dependencies"], *(line for name in extras for line in project["optional-dependencies"][name])]
    declared = {re.split(r"[\[<>=]", line)[0].replace("_", "-").lower() for line in lines}
    brought = {
        name: {distribution.replace("_", "-").lower() for distribution in INSTALLED[name]}
        for name in imported_by(*(file for pattern in files for file in ROOT.glob(pattern)))
        if name in INSTALLED  # PyTorch is not, where only serving is
    }
    assert {name for name, distributions in brought.items() if not distributions & declared} == set()


def test_every_file_that_is_no_code_goes_with_its_package():
    listed = PROJECT["tool"]["setuptools"]["package-data"]
    packed = {
        file
        for name, globs in listed.items()
        for glob in globs
        for file in ROOT.glob(f"{name.replace('.', '/')}/{glob}")
    }
    packages = [folder.parent for folder in ROOT.glob("*/__init__.py") if folder.parent.name != "tests"]
    there = {file for package in packages for file in package.rglob("*") if file.is_file()}
    assert {file for file in there if file.suffix not in (".py", ".pyc")} - packed == set()


def test_every_package_of_ours_is_under_the_import_rules():
    packages = {folder.parent.name for folder in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages == set(PROJECT["tool"]["importlinter"]["root_packages"])
