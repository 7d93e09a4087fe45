"""captionbot bench --service: its photos, its conditions, its table."""

import hashlib
import io
import re

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
from tests.support.processes import SECRET_KEY

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
    database = make_url(postgresql_url).database
    with psycopg.connect(SERVER) as server:
        databases = server.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [database]
        ).fetchall()
    assert databases == [(database,)]


def sizes(line: str) -> list[tuple[int, int]]:
    return [(int(size), int(count)) for size, count in re.findall(r"(\d+): (\d+)", line)]
