"""Settings: defaults, their order of precedence, and wrong values."""

import subprocess
import sys
from pathlib import Path

import pytest

from db.engine import create_engine, database_address
from db.photo_store import PhotoStore
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


def test_relative_paths_are_relative_to_the_project_root(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODEL_DIR", "models/mine")
    settings = read_settings(None)
    assert settings.data_dir == ROOT / "data"
    assert settings.model_dir == ROOT / "models/mine"


def test_the_default_model_store_is_in_the_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert read_settings(None).model_store == tmp_path / "models"
    monkeypatch.setenv("MODEL_STORE", "/srv/models")
    assert read_settings(None).model_store == Path("/srv/models")


def test_the_environment_takes_precedence_over_the_env_file(monkeypatch, tmp_path):
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
        ("DATABASE_URL", "captions.db", "a URL such as sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"),
        (
            "REDIS_URL",
            "localhost:6379",
            "a URL that begins with redis:// or rediss:// or unix:// or redis+socket:// or sentinel://",
        ),
        ("REDIS_URL", "unix://run/redis.sock", "a URL such as unix:///run/redis.sock with the path of a Unix socket"),
        (
            "REDIS_URL",
            "sentinel://one:26379,two:26379",
            "a URL such as sentinel://HOST:26379,HOST:26379/MASTER with the master's name in Sentinel",
        ),
        ("BROKER_URL", "localhost", "a URL that Celery takes, such as redis://HOST:6379/0 or amqp://HOST"),
        ("BROKER_TRANSPORT", "ours", "'auto' or 'kombu'"),
        ("TELEGRAM_API_URL", "api.telegram.org", "a URL that begins with https:// or http://"),
        ("DISCORD_MESSAGE_CONTENT", "perhaps", "true or false"),
        ("ADMIN_IDS", "ann", "platform:number, separated by commas, such as telegram:1234,discord:5678"),
        ("RATE_LIMIT", "a few", "photos/time, separated by semicolons, such as 120/hour;30/minute"),
        ("WEB_PORT", "99999", "at most 65535"),
    ],
)
def test_an_invalid_value_is_reported_with_what_it_should_be(monkeypatch, name, value, right):
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting) as error:
        read_settings(None)
    assert str(error.value) == f"{name} is {value!r}; it should be {right}"


def test_all_invalid_values_are_reported_together(monkeypatch):
    monkeypatch.setenv("ENGINE", "gpu")
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(WrongSetting, match=r"ENGINE is 'gpu'.*LOG_FORMAT is 'xml'"):
        read_settings(None)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("BEAMS=2\nSECRET_KEY=hünter2\n".encode("latin-1"), "Line 2 of {file} (SECRET_KEY) is not UTF-8; "),
        ("# über\nBEAMS=2\n".encode("cp1252"), "Line 1 of {file} is not UTF-8; "),
        ("SECRET_KEY=hünter2\n".encode("utf-16"), "Line 1 of {file} is not UTF-8; "),
        ("SECRET_KEY=hunter2\n".encode("utf-16-le"), "Line 1 of {file} is not UTF-8; "),
        (b"BEAMS=2\n\nSECRET KEY=hunter2\n", "Line 2 of {file} cannot be read; it should be NAME=VALUE"),
        (b"SECRET_KEY='hunter2\n", "Line 1 of {file} cannot be read; it should be NAME=VALUE"),
    ],
)
def test_an_env_file_that_cannot_be_read_is_named_with_the_line_and_without_a_value(tmp_path, content, sentence):
    file = tmp_path / ".env"
    file.write_bytes(content)
    with pytest.raises(WrongSetting) as error:
        read_settings(file)
    assert str(error.value).startswith(sentence.format(file=file))
    assert "nter2" not in str(error.value)


def test_a_byte_order_mark_hides_no_setting(tmp_path):
    file = tmp_path / ".env"
    file.write_bytes("KEY_PREFIX=mine\n".encode("utf-8-sig"))
    assert read_settings(file).key_prefix == "mine"


def test_a_folder_in_place_of_the_env_file_is_named(tmp_path):
    with pytest.raises(WrongSetting, match=f"^{tmp_path} is a folder; it should be a file"):
        read_settings(tmp_path)


def test_settings_are_immutable():
    with pytest.raises(ValueError, match="frozen"):
        read_settings(None).beams = 1


def test_without_a_broker_captionbot_is_embedded(monkeypatch):
    assert read_settings(None).embedded
    monkeypatch.setenv("REDIS_URL", "redis://localhost:6379/0")
    settings = read_settings(None)
    assert not settings.embedded
    assert settings.broker_url == "redis://localhost:6379/0"


def test_the_path_of_an_sqlite_file_is_relative_to_the_project_root(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///here.db")
    assert read_settings(None).database_url == f"sqlite:///{ROOT}/here.db"
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/there.db")
    assert read_settings(None).database_url == "sqlite:////srv/there.db"
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@db/captions")
    assert read_settings(None).database_url == "postgresql://me@db/captions"


@pytest.mark.parametrize("name", ["with a space", "100% ü?#::@:$x", "a+b%20c"])
def test_all_that_is_written_lies_in_the_data_folder_whatever_its_name(monkeypatch, tmp_path, name):
    folder = tmp_path / name
    monkeypatch.setenv("DATA_DIR", str(folder))
    settings = read_settings(None)
    with create_engine(settings.database_url).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE photos (id INTEGER)")
    PhotoStore(settings.photo_store).save(b"photo", "0" * 64)
    assert {file.name for file in tmp_path.iterdir()} == {name}
    assert {"captionbot.db", "photos"} <= {file.name for file in folder.iterdir()}


def test_an_sqlite_file_may_lie_in_a_folder_with_a_space(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/my captions/there.db")
    assert database_address(read_settings(None).database_url).database == "/srv/my captions/there.db"


def test_the_photo_store_is_a_folder_or_a_url(monkeypatch):
    monkeypatch.setenv("PHOTO_STORE", "pictures")
    assert read_settings(None).photo_store == str(ROOT / "pictures")
    monkeypatch.setenv("PHOTO_STORE", "s3://bucket/photos")
    assert read_settings(None).photo_store == "s3://bucket/photos"


def test_admins_are_a_list(monkeypatch):
    monkeypatch.setenv("ADMIN_IDS", "telegram:1234, discord:5678")
    assert read_settings(None).admin_ids == ("telegram:1234", "discord:5678")


def test_the_default_settings_are_read_without_the_library_of_the_database():
    code = "import sys; from settings import read_settings; read_settings(None); print('sqlalchemy' in sys.modules)"
    read = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert read.stdout == "False\n"


@pytest.mark.parametrize("name", ["data", "ü?x#y%20 @:+&=;"])
def test_the_default_database_is_in_the_data_folder_whatever_its_name(monkeypatch, tmp_path, name):
    (tmp_path / name).mkdir()
    monkeypatch.setenv("DATA_DIR", str(tmp_path / name))
    url = read_settings(None).database_url
    assert database_address(url).database == str(tmp_path / name / "captionbot.db")
    monkeypatch.setenv("DATABASE_URL", url)
    assert read_settings(None).database_url == url
