"""The key that signs cookies: set, generated and stored, or missing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bots.web.secret_key import secret_key
from settings import Settings, WrongSetting

NO_FILE = {"_env_file": None}


def settings(**values):
    return Settings(**NO_FILE, **values)


def test_secret_key_is_used_if_it_is_set(tmp_path):
    assert secret_key(settings(data_dir=tmp_path, secret_key="s" * 32)) == "s" * 32
    assert list(tmp_path.iterdir()) == []


def test_without_a_broker_a_key_is_generated_once_and_readable_by_its_owner_alone(tmp_path):
    folder = tmp_path / "new"
    key = secret_key(settings(data_dir=folder))
    assert len(key) >= 40
    assert secret_key(settings(data_dir=folder)) == key
    assert [path.name for path in folder.iterdir()] == ["secret_key"]
    assert (folder / "secret_key").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_the_same_time_get_the_same_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: secret_key(settings(data_dir=tmp_path)), range(8)))) == 1


def test_with_a_broker_secret_key_is_required(tmp_path):
    with pytest.raises(WrongSetting, match="SECRET_KEY is not set"):
        secret_key(settings(data_dir=tmp_path, redis_url="redis://localhost/0"))
