"""Settings that are secret: which are needed, and that no message shows them."""

import pytest

from settings import Settings, WrongSetting, read_settings
from settings.messages import without_credentials


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("sample", ["change-me", "Secret", "short"])
def test_a_placeholder_secret_key_is_refused_with_a_broker(monkeypatch, sample):
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
        ("DATABASE_URL", "mysql://me:hun/ter2@db/captions"),
        ("DATABASE_URL", "postgresql://me:hun/ter2@x@db/captions"),
        ("DATABASE_URL", "postgresql//me:hunter2@db/captions"),
        ("DATABASE_URL", "postgresql://me:hunter2/captions"),
        ("DATABASE_URL", "postgresql://db/captions?sslpassword=hunter2&and=more"),
        ("REDIS_URL", "redis://:hun?ter2@redis/0"),
        ("REDIS_URL", "redis://:hunter2"),
        ("REDIS_URL", "redis:hunter2"),
        ("BROKER_URL", "amqp://me:hun/ter2@broker"),
        ("BROKER_URL", "amqp://me:hunter2@broker:port/"),
        ("PHOTO_STORE", "s4://me:hunter2@bucket"),
        ("DATA_DIR", "s3://me:hunter2@bucket"),
        ("TELEGRAM_API_URL", "http://me:hunter2@api:port"),
        ("TELEGRAM_TOKEN", "1:hunter2\nx"),
        ("DISCORD_TOKEN", "hünter2"),
    ],
)
def test_an_invalid_secret_is_not_shown(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting, match=f"^{name} is ") as error:
        read_settings(None)
    assert "hunter2" not in str(error.value)
    assert "ter2" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://user:pa/ss@host/db", "postgres://***@host/db"),
        ("redis://:s3cr/et@host:6379/0", "redis://***@host:6379/0"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://user:pa/ss", "redis://user:***"),
        ("redis://host:port/0", "redis://host:***"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("sentinel://one:1,two:2/m?db=1", "sentinel://one:1,two:2/m?db=1"),
        ("postgresql://h/d?password=x&sslmode=on", "postgresql://h/d?password=***&sslmode=on"),
        ("localhost:6379", "localhost:6379"),
        ("sqlite:///C:/captions.db", "sqlite:///C:/captions.db"),
    ],
)
def test_what_may_be_a_password_is_hidden_though_nobody_knows_where_it_ends(url, shown):
    assert without_credentials(url) == shown
