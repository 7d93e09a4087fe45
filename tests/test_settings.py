from pathlib import Path

import pytest

from settings import ROOT, Settings, WrongSetting, read_settings


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_env_example_lists_every_setting():
    lines = (ROOT / ".env.example").read_text().splitlines()
    listed = [line.lstrip("# ").split("=")[0] for line in lines if "=" in line]
    assert listed == [name.upper() for name in Settings.model_fields]


def test_env_example_shows_the_defaults(tmp_path):
    lines = (ROOT / ".env.example").read_text().splitlines()
    as_if_wanted = tmp_path / ".env"
    as_if_wanted.write_text("\n".join(line.removeprefix("#") for line in lines if "=" in line))
    assert read_settings(as_if_wanted) == read_settings(None)


def test_relative_paths_are_meant_from_the_project_root(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODEL_DIR", "models/mine")
    settings = read_settings(None)
    assert settings.data_dir == ROOT / "data"
    assert settings.model_dir == ROOT / "models/mine"


def test_models_are_kept_in_the_data_folder_unless_said_otherwise(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert read_settings(None).model_store == tmp_path / "models"
    monkeypatch.setenv("MODEL_STORE", "/srv/models")
    assert read_settings(None).model_store == Path("/srv/models")


def test_the_environment_wins_over_the_env_file(monkeypatch, tmp_path):
    file = tmp_path / ".env"
    file.write_text("BEAMS=5\nMAX_BATCH=8\n")
    monkeypatch.setenv("BEAMS", "2")
    settings = read_settings(file)
    assert (settings.beams, settings.max_batch) == (2, 8)


def test_an_empty_value_is_the_default(monkeypatch):
    monkeypatch.setenv("ENGINE", "")
    assert read_settings(None).engine == "auto"


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("ENGINE", "gpu", "'auto', 'openvino' or 'torch'"),
        ("MAX_BATCH", "0", "at least 1"),
        ("BEAMS", "21", "at most 20"),
        ("BEAMS", "many", "a whole number"),
        ("MAX_PHOTO_MB", "-1", "more than 0"),
        ("DATA_DIR", "s3://photos", "a folder, not a URL"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_read_and_what_would_be_right(monkeypatch, name, value, right):
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting) as error:
        read_settings(None)
    assert str(error.value) == f"{name} is {value!r}; it should be {right}"


def test_all_wrong_values_are_named_at_once(monkeypatch):
    monkeypatch.setenv("ENGINE", "gpu")
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(WrongSetting, match=r"ENGINE is 'gpu'.*LOG_FORMAT is 'xml'"):
        read_settings(None)


def test_settings_do_not_change_once_read():
    with pytest.raises(ValueError, match="frozen"):
        read_settings(None).beams = 1
