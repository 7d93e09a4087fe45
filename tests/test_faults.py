"""Things that break under a whole captionbot: nothing is lost, nothing captioned twice, work goes on within a minute.

What breaks under a worker alone is in test_run.py.
"""

import os
import shutil
import subprocess
import time

import pytest

from tests.support.processes import until
from tests.support.redis_server import free_port

MINUTE = 60.0


def all_good(captions):
    return all(caption["status"] == "done" and caption["caption"] for caption in captions)


def each_once(*workers):
    written = [row for worker in workers for row in worker.written_rows]
    return len(written) == len(set(written))


def test_what_a_killed_page_had_accepted_is_found_by_the_next(distributed):
    port = free_port()
    web = distributed.start("web", web_port=port)
    with web.person() as person:
        accepted = person.submit_photos(10)
        web.kill()
        worker = distributed.start("worker")
        until(lambda: len(worker.written_rows) == 10)
        distributed.start("web", web_port=port).url()
        assert all_good(person.wait_until_finished(accepted))
    assert each_once(worker)


def test_while_redis_is_down_photos_are_accepted_at_once_and_captioned_when_it_is_back(distributed, redis_server):
    web, worker = distributed.start("web"), distributed.start("worker")
    worker.wait_for_log("the worker is ready")
    with web.person() as person:
        accepted = person.submit_photos(30)
        redis_server.stop()
        stopped, seconds = time.monotonic(), []
        while time.monotonic() < stopped + 10:
            start = time.monotonic()
            accepted += person.submit_photos()
            seconds.append(time.monotonic() - start)
            time.sleep(0.2)
        redis_server.start()
        assert min(seconds) < 0.3  # a publish that waits for Redis would take seconds every time
        assert all_good(person.wait_until_finished(accepted, MINUTE))
        assert all_good(person.wait_until_finished(person.submit_photos()))
    assert each_once(worker)
    assert web.is_running()
    assert worker.is_running()


def test_what_waited_in_a_redis_that_was_wiped_is_captioned(distributed, redis_server):
    web = distributed.start("web")
    with web.person() as person:
        accepted = person.submit_photos(20)
        until(lambda: redis_server.client.dbsize() > 0)
        redis_server.wipe()
        worker = distributed.start("worker")
        worker.wait_for_log("the worker is ready")
        assert all_good(person.wait_until_finished(accepted, MINUTE))
    assert each_once(worker)


def test_photos_that_were_accepted_outlive_a_crash_of_postgresql(distributed, postgresql_server):
    changed = {"database_url": postgresql_server.url}
    web, worker = distributed.start("web", **changed), distributed.start("worker", **changed)
    worker.wait_for_log("the worker is ready")
    with web.person() as person:
        accepted = person.submit_photos(60)
        postgresql_server.stop()
        refused = person.send_photo()
        assert refused.status_code == 503
        assert refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        time.sleep(3)
        postgresql_server.start()
        assert all_good(person.wait_until_finished(accepted, MINUTE))
        assert all_good(person.wait_until_finished(person.submit_photos()))
    assert each_once(worker)
    assert web.is_running()
    assert worker.is_running()


@pytest.fixture
def small_disk(tmp_path):
    """A folder in which 128 kB have room."""
    folder = tmp_path / "photos"
    folder.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_with_the_disk_full_photos_are_refused_with_a_reason_until_there_is_room(embedded, small_disk):
    up = embedded.start("up", photo_store=small_disk)
    with up.person() as person:
        first = person.submit_photos()
        (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free))
        refused = person.send_photo()
        assert refused.status_code == 503
        assert "space" in refused.json()["detail"]
        (small_disk / "filler").unlink()
        assert all_good(person.wait_until_finished(first + person.submit_photos()))
        assert len(person.get("/api/captions").json()["captions"]) == 2
    assert up.stop() == 0
