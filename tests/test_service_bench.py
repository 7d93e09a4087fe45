import hashlib
import io
import re

import psycopg
import pytest
from database import SERVER
from PIL import Image
from processes import SECRET_KEY
from redis_server import redis_server  # noqa: F401
from worker_parts import tiny_model  # noqa: F401

from model.errors import CaptionbotError
from roles import service_bench
from roles.bench_settings import distributed_settings
from roles.distinct_photos import distinct_photos
from settings import ROOT, Settings

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
    redis_server,  # noqa: F811
    tiny_model,  # noqa: F811
):
    settings = Settings(
        _env_file=None,
        database_url=postgresql_url,
        redis_url=redis_server.url,
        secret_key=SECRET_KEY,
        model_dir=tiny_model,
        max_batch=4,
    )
    found = dict(service_bench.bench_service(settings, [CAT], 12, lone=2))
    assert list(found) == [
        "accepted",
        "drained",
        "batches",
        "encoder that serves",
        "encoder in float32",
        "lone over Redis",
        "lone embedded",
    ]
    assert found["accepted"].startswith("12 photos, ")
    assert re.fullmatch(r"12 captions, [\d.]+ a second; 0 captioned twice, 0 lost", found["drained"])
    assert sum(size * count for size, count in sizes(found["batches"])) == 12
    with psycopg.connect(SERVER) as server:
        left = server.execute("SELECT datname FROM pg_database WHERE datname LIKE 'captionbot_bench_%'").fetchall()
    assert left == []


def sizes(line: str) -> list[tuple[int, int]]:
    return [(int(size), int(count)) for size, count in re.findall(r"(\d+): (\d+)", line)]
