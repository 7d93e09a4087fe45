import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OUR_NAMES = {"bots", "worker", "model", "training", "db", "captionbot", "settings"}


def test_no_installed_distribution_claims_one_of_our_names():
    claimed = {name: set(packages_distributions().get(name, [])) - {"captionbot"} for name in OUR_NAMES}
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


def test_every_package_of_ours_is_under_the_import_rules():
    packages = {folder.parent.name for folder in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages == set(PROJECT["tool"]["importlinter"]["root_packages"])
