"""pyproject.toml and constraints.txt say what the code needs, and what is installed is what the code imports."""

import ast
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
INSTALLED = packages_distributions()  # top-level module -> the distributions that bring it
LOCKED = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]
OUR_PACKAGES = {"bots", "worker", "model", "training", "db", "roles", "settings"}
OUR_NAMES = {*OUR_PACKAGES, "captionbot"}


def test_no_installed_distribution_claims_one_of_our_names():
    claimed = {name: set(INSTALLED.get(name, [])) - {"captionbot"} for name in OUR_NAMES}
    assert {name: others for name, others in claimed.items() if others} == {}


def test_the_serving_extras_bring_no_pytorch():
    extras = PROJECT["project"]["optional-dependencies"]
    serving = " ".join([*PROJECT["project"]["dependencies"], *extras["bots"], *extras["worker"]])
    assert not any(heavy in serving for heavy in ("torch", "gpu", "train"))


def requirements() -> list[Requirement]:
    """Of the project and all its extras, without the references from one extra to another."""
    lines = [*PROJECT["project"]["dependencies"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        lines += extra
    return [Requirement(line) for line in lines if not line.startswith("captionbot[")]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_has_a_lower_and_an_upper_bound():
    bounds = {str(line): {bound.operator for bound in line.specifier} for line in requirements()}
    assert [line for line, operators in bounds.items() if operators != {">=", "<"}] == []


def test_the_lock_has_a_version_of_every_dependency_within_its_bounds():
    versions: dict[str, list[str]] = {}
    for locked in LOCKED:
        (version,) = locked.specifier
        assert version.operator == "=="
        versions.setdefault(canonical(locked.name), []).append(version.version)
    wanted = {str(line): versions.get(canonical(line.name), []) for line in requirements()}
    assert [line for line, found in wanted.items() if not found] == []
    assert [line for line, found in wanted.items() if not all(map(Requirement(line).specifier.contains, found))] == []


def test_the_lock_names_no_host_and_no_file():
    assert [str(locked) for locked in LOCKED if locked.url] == []


WITHOUT_PYTORCH = """
import importlib, pkgutil, sys
sys.modules |= dict.fromkeys(["torch", "torchvision"])  # importing one raises ImportError
names = ["captionbot"]
for package in ("bots", "db", "model", "roles", "settings", "worker"):
    folder = importlib.import_module(package).__path__
    names += [module.name for module in pkgutil.walk_packages(folder, f"{package}.", onerror=lambda _: None)]
for name in names:
    if not any(part in name for part in ("torch", "roofline", "db.migrations.")):
        importlib.import_module(name)
print(len(names))
"""


def test_all_of_serving_imports_without_pytorch():
    run = subprocess.run([sys.executable, "-c", WITHOUT_PYTORCH], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 150


def imported_by(*files: Path) -> set[str]:
    """Names of the top-level modules that these files import, anywhere in them, that are not Python's and not ours."""
    names = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - OUR_NAMES - {"tests"}


@pytest.mark.parametrize(
    ("files", "extras"),
    [
        (["db/**/*.py"], []),
        (["*.py", "model/**/*.py"], ["worker", "gpu"]),
        (["worker/**/*.py"], ["worker"]),
        (["settings/**/*.py"], ["worker"]),
        (["bots/**/*.py"], ["bots"]),
        (["roles/**/*.py"], ["bots", "worker", "gpu"]),
        (["training/**/*.py"], ["train", "gpu"]),
        (["tests/**/*.py"], ["dev", "train", "gpu", "bots", "worker"]),
    ],
    ids=["db", "model", "worker", "settings", "bots", "roles", "training", "tests"],
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
    there = {file for name in OUR_PACKAGES for file in (ROOT / name).rglob("*") if file.is_file()}
    assert {file for file in there if file.suffix not in (".py", ".pyc")} - packed == set()


def test_every_folder_with_python_files_is_a_package_and_is_installed():
    folders = {file.parent for name in OUR_PACKAGES for file in (ROOT / name).rglob("*.py")}
    folders -= {ROOT / "db/migrations/versions"}  # Alembic reads its files by their paths
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    patterns = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name for name in packages if not any(fnmatch(name, pattern) for pattern in patterns)} == set()


def test_every_package_of_ours_is_under_the_import_rules():
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == OUR_PACKAGES


def test_our_names_are_all_that_is_here():
    assert {folder.parent.name for folder in ROOT.glob("*/__init__.py")} - {"tests"} == OUR_PACKAGES
    assert {file.stem for file in ROOT.glob("*.py")} == OUR_NAMES - OUR_PACKAGES


@pytest.mark.parametrize("name", ["telegram", "discord"])
def test_a_room_may_have_the_name_of_a_library(name):
    """Imports are absolute: `import telegram` in bots/telegram is python-telegram-bot."""
    code = f"import sys, bots.{name}.run; print(sys.modules[{name!r}].__file__)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ROOT / "bots" not in Path(run.stdout.strip()).parents
