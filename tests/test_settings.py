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
        ("DATABASE_URL", "captions.db", "a URL that begins with sqlite:// or postgresql:// or postgresql+psycopg://"),
        ("REDIS_URL", "localhost:6379", "a URL that begins with redis:// or rediss:// or unix://"),
        ("TELEGRAM_API_URL", "api.telegram.org", "a URL that begins with https:// or http://"),
        ("DISCORD_MESSAGE_CONTENT", "perhaps", "true or false"),
        ("ADMIN_IDS", "ann", "platform:number, separated by commas, such as telegram:1234,discord:5678"),
        ("RATE_LIMIT", "a few", "photos/time, separated by semicolons, such as 120/hour;30/minute"),
        ("WEB_PORT", "99999", "at most 65535"),
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


def test_without_a_broker_everything_is_in_one_process(monkeypatch):
    assert read_settings(None).embedded
    monkeypatch.setenv("REDIS_URL", "redis://localhost:6379/0")
    settings = read_settings(None)
    assert not settings.embedded
    assert settings.broker_url == "redis://localhost:6379/0"


def test_an_sqlite_file_is_meant_from_the_project_root(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///here.db")
    assert read_settings(None).database_url == f"sqlite:///{ROOT}/here.db"
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/there.db")
    assert read_settings(None).database_url == "sqlite:////srv/there.db"
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@db/captions")
    assert read_settings(None).database_url == "postgresql://me@db/captions"


def test_photos_are_kept_in_a_folder_or_at_a_url(monkeypatch):
    monkeypatch.setenv("PHOTO_STORE", "pictures")
    assert read_settings(None).photo_store == str(ROOT / "pictures")
    monkeypatch.setenv("PHOTO_STORE", "s3://bucket/photos")
    assert read_settings(None).photo_store == "s3://bucket/photos"


def test_admins_are_a_list(monkeypatch):
    monkeypatch.setenv("ADMIN_IDS", "telegram:1234, discord:5678")
    assert read_settings(None).admin_ids == ("telegram:1234", "discord:5678")


@pytest.mark.parametrize("sample", ["change-me", "Secret", "short"])
def test_a_sample_secret_key_is_refused_where_others_can_reach_it(monkeypatch, sample):
    monkeypatch.setenv("SECRET_KEY", sample)
    assert read_settings(None).secret_key.get_secret_value() == sample
    monkeypatch.setenv("BROKER_URL", "redis://localhost:6379/0")
    with pytest.raises(WrongSetting, match=r"SECRET_KEY is .* should be a long random text") as error:
        read_settings(None)
    assert sample not in str(error.value)


def test_a_webhook_needs_a_secret(monkeypatch):
    monkeypatch.setenv("TELEGRAM_WEBHOOK_URL", "https://example.org/telegram")
    with pytest.raises(WrongSetting, match="TELEGRAM_WEBHOOK_SECRET is not set"):
        read_settings(None)
    monkeypatch.setenv("TELEGRAM_WEBHOOK_SECRET", "a_secret")
    assert read_settings(None).telegram_webhook_secret.get_secret_value() == "a_secret"


def test_secrets_and_passwords_are_not_shown(monkeypatch):
    monkeypatch.setenv("TELEGRAM_TOKEN", "123:hunter2")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@db/captions")
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@redis/0")
    monkeypatch.setenv("SECRET_KEY", "hunter2-hunter2-hunter2")
    assert "hunter2" not in repr(read_settings(None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_WEBHOOK_SECRET", "hunter2 !"),
        ("DATABASE_URL", "mysql://me:hunter2@db/captions"),
        ("REDIS_URL", "http://me:hunter2@redis/0"),
    ],
)
def test_a_wrong_secret_is_not_shown_either(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting, match=f"^{name} is ") as error:
        read_settings(None)
    assert "hunter2" not in str(error.value)
