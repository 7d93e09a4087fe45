"""A thousand hostile uploads: each is refused with a reason, and the site still works."""

import asyncio
import logging
import resource

import httpx
import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.support.hostile_files import hostile_files

pytestmark = pytest.mark.database("sqlite")

BATCH, BATCHES = 25, 40
SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
REFUSALS = {
    ("empty-file", 422),
    ("broken-photo", 422),
    ("unreadable-photo", 415),
    ("other-picture", 415),
    ("too-many-pixels", 413),
    ("file-too-large", 413),
    ("photo-too-large", 413),
}


@pytest.fixture
def unlimited(new_client, new_service):
    return new_client(new_service(rates="1000000/minute"), rate_limit="1000000/minute")


async def upload_all(url, files):
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        return await asyncio.gather(
            *(client.post("/api/captions", files={"photo": ("photo.jpg", file)}) for file in files)
        )


@pytest.mark.slow
def test_a_thousand_hostile_files_are_refused_with_a_reason_and_the_site_still_works(unlimited, caplog):
    caplog.set_level(logging.WARNING)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes
    refused = 0

    @hypothesis.settings(max_examples=BATCHES, deadline=None, suppress_health_check=SUPPRESSED, database=None)
    @given(st.lists(hostile_files, min_size=BATCH, max_size=BATCH))
    def upload(files):
        nonlocal refused
        for answer in asyncio.run(upload_all(str(unlimited.base_url), files)):
            problem = answer.json()
            assert (problem["reason"], answer.status_code) in REFUSALS
            assert problem["detail"].endswith(".")
            refused += 1

    upload()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert refused >= BATCH * BATCHES
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert grown < 600_000
    assert unlimited.send_photo().status_code == 202


PIECES = [
    *(b"--x", b"--", b"\r\n", b"\r\n\r\n", b":", b"; ", b"\x00\xff", b"\xff\xd8\xff"),
    *(b'Content-Disposition: form-data; name="photo"', b'; filename="a.jpg"'),
]


@hypothesis.settings(max_examples=100, deadline=None, suppress_health_check=SUPPRESSED, database=None)
@given(body=st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_a_malformed_form_is_refused(unlimited, caplog, body):
    answer = unlimited.post("/api/captions", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status_code in (415, 422)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
