"""What hostile uploads cost a running captionbot: `python -m tests.hostile_uploads [--uploads 200] [--redis]` (Linux).

Uploads of tests/support/hostile_mix.py are sent to a page of its own, 20 at a time by several people, and then again,
to see whether memory grows with their number. Then each is sent alone, to see what time of a processor it takes.
--redis: page and worker are processes of their own; otherwise both are in one (`captionbot up`).
"""

import argparse
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from tests.support.hostile_mix import MIX
from tests.support.processes import PATIENCE, SECRET_KEY, Installation, Person, Process, until
from tests.support.redis_server import RedisServer

PEOPLE, AT_A_TIME = 8, 20
TICKS = os.sysconf("SC_CLK_TCK")


class Watched:
    """A process, as /proc sees it."""

    def __init__(self, name: str, process: Process):
        self.name, self._proc = name, Path(f"/proc/{process.pid}")

    def megabytes(self, kind: str) -> int:
        """VmRSS now, VmHWM at its peak."""
        found = re.search(kind + r":\s+(\d+) kB", (self._proc / "status").read_text())
        assert found is not None
        return int(found[1]) // 1000

    def begin_peak(self) -> None:
        (self._proc / "clear_refs").write_text("5")

    def seconds(self) -> float:
        """Of a processor, until now."""
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def installation(redis: bool) -> Iterator[tuple[str, list[Watched]]]:
    """The URL of the page, and the processes."""
    with tempfile.TemporaryDirectory() as name:
        folder, server = Path(name), None
        settings = {"rate_limit": "1000000/minute"}
        if redis:
            server = RedisServer(folder)
            settings |= {"redis_url": server.url, "secret_key": SECRET_KEY}
        captionbot = Installation(folder, **settings)
        try:
            if redis:
                captionbot.run("migrate")
            page = captionbot.start("web" if redis else "up")
            watched = [Watched("page" if redis else "page and worker", page)]
            url = page.url()
            if redis:
                watched.append(Watched("worker", captionbot.start("worker")))
            with Person(url) as person:
                until(lambda: person.get("/readyz").status_code == 200, PATIENCE)
                person.wait_until_finished(person.submit_photos(20))
            yield url, watched
        finally:
            captionbot.clean()
            if server is not None:
                server.stop()


def send_round(url: str, files: list[bytes], watched: list[Watched], idle: float) -> str:
    """Send all, wait until what was accepted is described, and then for a while. Returns a row of the table."""
    for process in watched:
        process.begin_peak()
    before = [process.megabytes("VmRSS") for process in watched]
    people = [Person(url) for _ in range(PEOPLE)]
    ids = {person: person.submit_photos() for person in people}  # a photo first, which begins the person's session
    statuses: Counter[int] = Counter()

    def send(person: Person, data: bytes) -> None:
        answer = person.post("/api/captions", files={"photo": ("photo.jpg", data)})
        statuses[answer.status_code] += 1
        if answer.status_code in (200, 202):
            ids[person].append(answer.json()["id"])

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        list(threads.map(send, cycle(people), files))
    for person, own in ids.items():
        person.wait_until_finished(own)
        person.close()
    peaks = [process.megabytes("VmHWM") for process in watched]
    time.sleep(idle)
    memory = " | ".join(
        f"{start} | {peak} | {process.megabytes('VmRSS')}"
        for start, peak, process in zip(before, peaks, watched, strict=True)
    )
    accepted = statuses.pop(200, 0) + statuses.pop(202, 0)
    refused = ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items()))
    faults = sum(count for status, count in statuses.items() if status >= 500)
    return f"| {len(files)} | {accepted} | {refused} | {faults} | {memory} |"


def costs(url: str, page: Watched, made: dict[str, bytes]) -> Iterator[tuple[float, int, str]]:
    """Seconds of a processor that the page takes for each upload, its status and its name."""
    with Person(url) as person:
        for name, data in made.items():
            before = page.seconds()
            answer = person.post("/api/captions", files={"photo": ("photo.jpg", data)})
            if answer.status_code == 202:
                person.wait_until_finished([answer.json()["id"]])
            yield page.seconds() - before, answer.status_code, name


def main(uploads: int = 200, rounds: int = 3, redis: bool = False, idle: int = 30) -> None:
    made = {name: make() for name, make in islice(MIX.items(), uploads)}
    files = [*islice(cycle(made.values()), uploads)]
    with installation(redis) as (url, watched):
        names = " | ".join(f"MB of the {one.name} before | at the peak | {idle} s later" for one in watched)
        print(f"| uploads | accepted | refused | answers of 5xx | {names} |")
        for _ in range(rounds):
            print(send_round(url, files, watched, idle), flush=True)
        measured = sorted(costs(url, watched[0], made), reverse=True)
        for text, rows in {
            "refused": [row for row in measured if row[1] >= 400],
            "accepted": [row for row in measured if row[1] < 400],
        }.items():
            print(f"\nSeconds of a processor for what is {text}, the costliest:")
            for seconds, status, name in rows[:4]:
                print(f"  {seconds:.2f} ({status}) {name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--redis", action="store_true")
    main(**vars(parser.parse_args()))
