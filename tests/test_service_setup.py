"""How the service is made from settings, also when the broker is away."""

import time

import pytest

from bots.service.setup import create_service
from db.caption_requests import CaptionRequest
from db.engine import create_engine
from db.schema import OldSchema, migrate
from db.tables import State
from settings import Settings
from tests.support.processes import until
from tests.support.redis_server import free_port
from tests.support.service_parts import picture


@pytest.fixture
def make(tmp_path):
    """make(redis_url=...): a service of these settings, on an SQLite file that was migrated."""

    def make_one(migrated=True, **values):
        settings = Settings(_env_file=None, **{"data_dir": tmp_path, "max_photo_mb": 1, "beams": 4} | values)
        if migrated:
            migrate(create_engine(settings.database_url))
        return create_service(settings)

    return make_one


def submit(service, number=0):
    return service.submissions.submit(picture(number), CaptionRequest(sender="web:ann", front_end="web"))


def test_the_service_is_as_the_settings_want_it(make, tmp_path):
    service = make(admin_ids=("discord:5",), retention_hours=2, feedback_retention_days=3, queue_limit=7)
    policy = service.backend.policy
    assert (policy.beams, policy.max_bytes, policy.queue_limit) == (4, 1_000_000, 7)
    assert (policy.retention, policy.feedback_retention) == (7200, 3 * 86400)
    assert service.people.is_admin("discord:5")
    assert submit(service).state is State.QUEUED
    assert (tmp_path / "captionbot.db").is_file()
    assert len([*service.backend.store.names()]) == 1


def test_an_old_database_says_what_to_run(make):
    with pytest.raises(OldSchema, match="captionbot migrate"):
        make(migrated=False)


def test_with_redis_down_photos_are_accepted_at_once(make):
    service = make(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    seconds = []
    for number in range(5):
        start = time.perf_counter()
        assert submit(service, number).state is State.QUEUED
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3  # a publish that waits for Redis takes seconds each time


def test_what_was_accepted_with_redis_down_is_sent_when_it_is_back(make, redis_server):
    service = make(redis_url=redis_server.url, key_prefix="setup")
    redis_server.stop()
    submit(service)
    redis_server.start()
    until(lambda: redis_server.client.llen("setup:setup.captions") == 1)
