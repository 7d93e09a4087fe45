"""Runs captionbot with other versions of Kombu and Celery than the installed ones: it captions, over which transport?

Needs PyPI and redis-server, so it is no part of the test suite. The packages go into a folder that wins over the
installed ones:

    python -m tests.support.kombu_versions FOLDER kombu==5.6.2 celery==5.6.3 "redis<6.5"
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.processes import SECRET_KEY, Installation, Process
from tests.support.redis_server import RedisServer

PHOTOS = 20
LINES = r"messages come over (.+)"


def main(folder: Path, packages: list[str]) -> None:
    library = folder / "-".join(packages).replace("=", "").replace("<", "-below-")
    if not library.is_dir():
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", library, *packages], check=True)
    # Processes inherit it: what lies there is imported instead of what is installed.
    os.environ["PYTHONPATH"] = str(library)
    code = "from importlib.metadata import version as v; print(*(f'{n} {v(n)}' for n in ('kombu', 'celery', 'redis')))"
    subprocess.run([sys.executable, "-c", code], check=True)
    server = RedisServer(folder)
    try:
        over_redis = Installation(new(folder / "redis"), redis_url=server.url, secret_key=SECRET_KEY, max_batch=4)
        over_redis.run("migrate")
        worker, page = over_redis.start("worker"), over_redis.start("web")
        show("over Redis", worker, page)
        over_redis.clean()
        in_memory = Installation(new(folder / "memory"), max_batch=4)
        up = in_memory.start("up")
        show("in memory", up, up)
        in_memory.clean()
    finally:
        server.stop()


def new(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def show(where: str, worker: Process, page: Process) -> None:
    person = page.person()
    transport = worker.wait_for_log(LINES)
    captions = person.wait_until_finished(person.submit_photos(PHOTOS))
    done = sum(caption["status"] == "done" for caption in captions)
    print(f"{where}: {done} of {PHOTOS} photos captioned over {transport}")
    for line in worker.log.splitlines():
        if "was tested with" in line:
            print(f"  {line}")
    assert done == PHOTOS
    assert worker.stop() == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
