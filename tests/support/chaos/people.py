"""People who send photos and votes during a chaos run, and try again until each is accepted."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.support.processes import Person
from tests.support.service_parts import picture
from worker.photo_reader import MISSING

TIMEOUT = 15.0  # seconds to wait for an answer
PAUSE = 0.3  # seconds after a refusal; a program would wait for as long as Retry-After says


@dataclass
class Sent:
    """A photo that was accepted. Times are those of time.monotonic()."""

    number: int
    id: str
    during: str  # the fault that had struck last
    accepted_at: float
    finished_at: float | None = None
    status: str = ""
    error: str = ""


@dataclass
class Counts:
    """Answers by the fault that had struck last."""

    refused: Counter[str] = field(default_factory=Counter)  # 503
    unanswered: Counter[str] = field(default_factory=Counter)  # nobody listens, or answers in time
    broken: list[str] = field(default_factory=list)  # anything else, such as 500


class Sender(threading.Thread):
    """One person. Each photo is another one; the same key with each try lets it be accepted once."""

    def __init__(self, number: int, url: str, interval: float, during: Callable[[], str], stop: threading.Event):
        """interval: seconds between two photos."""
        super().__init__(daemon=True, name=f"person {number}")
        self.number, self.interval, self.during, self.stopped = number, interval, during, stop
        self.photos: list[Sent] = []
        self.votes: set[str] = set()
        self.counts = Counts()
        self._person = Person(url)
        self._person.timeout = httpx.Timeout(TIMEOUT)

    def run(self) -> None:
        self.until_answered("GET", "/api/me")  # the session, which all photos belong to
        due = time.monotonic()
        for number in itertools.count(self.number * 1_000_000):
            if self.stopped.wait(max(0.0, due - time.monotonic())):
                return
            due = max(due + self.interval, time.monotonic() - 5 * self.interval)
            self.send(number)
            self.look()

    def send(self, number: int, key: str = "first") -> None:
        files = {"photo": ("photo.png", picture(number))}
        answer = self.until_answered(
            "POST", "/api/captions", files=files, headers={"Idempotency-Key": f"{key}-{number}"}
        )
        if answer is not None:
            self.photos.append(Sent(number, answer.json()["id"], self.during(), time.monotonic()))

    def look(self) -> None:
        """Ask for the photo that waits longest, and vote for it once it is described."""
        waiting = next((photo for photo in self.photos if photo.finished_at is None), None)
        if waiting is None or (answer := self.until_answered("GET", f"/api/captions/{waiting.id}")) is None:
            return
        caption = answer.json()
        if caption["status"] in ("done", "failed"):
            waiting.finished_at, waiting.status = time.monotonic(), caption["status"]
            waiting.error = str(caption.get("error") or "")
            if waiting.error == MISSING:  # its file was damaged: the sentence asks for it again
                self.send(waiting.number, "again")
        if caption["status"] == "done" and len(self.photos) % 3 == 0:
            url = f"/api/captions/{waiting.id}/vote"
            if self.until_answered("PUT", url, json={"value": 1}) is not None:
                self.votes.add(waiting.id)

    def finish(self, end: float) -> None:
        """Ask until all photos are finished, or it is too late."""
        while time.monotonic() < end and any(photo.finished_at is None for photo in self.photos):
            before = sum(photo.finished_at is None for photo in self.photos)
            self.look()
            if sum(photo.finished_at is None for photo in self.photos) == before:
                time.sleep(0.1)

    def until_answered(self, method: str, path: str, **options: object) -> httpx.Response | None:
        """Try until the answer is neither 503 nor missing. None: it was another one, and is noted."""
        while True:
            try:
                answer = self._person.request(method, path, **options)  # type: ignore[arg-type]
            except httpx.TransportError:
                self.counts.unanswered[self.during()] += 1
            else:
                if answer.is_success:
                    return answer
                if answer.status_code != 503:
                    self.counts.broken.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
                    return None
                self.counts.refused[self.during()] += 1
            time.sleep(PAUSE)

    def close(self) -> None:
        self._person.close()
