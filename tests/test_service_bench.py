"""captionbot bench --service: its photos, its conditions, its table."""

import hashlib
import io
import os
import re
import signal
import subprocess
import sys

import psycopg
import pytest
from PIL import Image
from sqlalchemy import make_url

from model.errors import CaptionbotError
from roles.benchmarks import service_bench
from roles.benchmarks.bench_settings import distributed_settings
from roles.benchmarks.distinct_photos import distinct_photos
from settings import ROOT, Settings
from tests.support.database import SERVER
from tests.support.processes import PATIENCE, SECRET_KEY, until

CAT = ROOT / "samples/cat.jpg"


def test_no_two_photos_are_alike_and_all_can_be_read():
    photos = list(distinct_photos([CAT, ROOT / "samples/dogs.jpg"], 9))
    assert len({hashlib.sha256(photo).digest() for photo in photos}) == 9
    assert [Image.open(io.BytesIO(photo)).size for photo in photos[:2]] == [(451, 300), (426, 640)]


def test_photos_stay_distinct_as_they_are_stored():
    def stored(photo: bytes) -> bytes:
        buffer = io.BytesIO()
        Image.open(io.BytesIO(photo)).save(buffer, "JPEG", quality=92)
        return buffer.getvalue()

    assert len({stored(photo) for photo in distinct_photos([CAT], 40)}) == 40


def test_the_bench_needs_servers(tmp_path):
    settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/x.db", redis_url=None)
    with pytest.raises(CaptionbotError, match="DATABASE_URL"), distributed_settings(settings, tmp_path):
        pass


@pytest.mark.slow
def test_a_small_bench_captions_each_photo_once_and_leaves_no_database(
    postgresql_url,
    redis_server,
    tiny_model,
):
    settings = Settings(
        _env_file=None,
        database_url=postgresql_url,
        redis_url=redis_server.url,
        secret_key=SECRET_KEY,
        model_dir=tiny_model,
        max_batch=4,
    )
    found = dict(service_bench.bench_service(settings, [CAT], 12, single=2, flood=20))
    assert list(found) == [
        "submitted",
        "captioned",
        "batches",
        "encoder as it serves",
        "encoder in float32",
        "single, Redis",
        "single, alone",
        "single, flooded",
        "single, embedded",
    ]
    assert found["submitted"].startswith("12 photos, ")
    assert re.fullmatch(r"12 captions, [\d.]+ a second; 0 captioned twice, 0 lost", found["captioned"])
    assert sum(size * count for size, count in sizes(found["batches"])) == 12
    assert "while 20 photos of another person wait" in found["single, flooded"]
    assert databases_of(postgresql_url) == [make_url(postgresql_url).database]


@pytest.mark.slow
def test_a_bench_that_is_terminated_leaves_no_database(postgresql_url, redis_server, tiny_model, tmp_path):
    settings = {"DATABASE_URL": postgresql_url, "REDIS_URL": redis_server.url, "MODEL_DIR": str(tiny_model)}
    command = [sys.executable, "-m", "captionbot", "bench", str(CAT), "--service", "--photos", "100000"]
    bench = subprocess.Popen(command, cwd=tmp_path, env=os.environ | settings, stdout=subprocess.DEVNULL)
    try:
        until(lambda: len(databases_of(postgresql_url)) == 2)
        bench.terminate()
        assert bench.wait(PATIENCE) == 128 + signal.SIGTERM
    finally:
        bench.kill()
    assert databases_of(postgresql_url) == [make_url(postgresql_url).database]


def databases_of(url: str) -> list[str]:
    """A database and those whose names begin with its name."""
    with psycopg.connect(SERVER) as server:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        return [name for (name,) in server.execute(query, [make_url(url).database])]


def sizes(line: str) -> list[tuple[int, int]]:
    return [(int(size), int(count)) for size, count in re.findall(r"(\d+): (\d+)", line)]
