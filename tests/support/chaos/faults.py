"""The faults of a chaos run, one object each. What strikes also mends, whatever happened meanwhile."""

import random
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.chaos.stage import Stage

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
FAILOVER, STANDBY = "PostgreSQL fails over", "PostgreSQL is a standby for a while"


@dataclass(frozen=True)
class Fault:
    """Attributes:
    strike, mend: break something, and make it whole again.
    needs: what must be there: "disk" or "clock"; otherwise the fault is left out.
    """

    name: str
    strike: Callable[[Stage], object]
    mend: Callable[[Stage], object] = lambda stage: None
    needs: str = ""


def _clock(shift: str) -> dict[str, object]:
    """Variables of a process whose clock is wrong by so much. Its monotonic clock is right, as on real machines."""
    return {"ld_preload": FAKETIME, "faketime": shift, "faketime_dont_fake_monotonic": 1, "dont_fake_monotonic": 1}


def _kill_all(stage: Stage) -> None:
    stage.restart_page()
    for number in (0, 1):
        stage.restart_worker(number)


def _on_disk(action: Callable[..., object]) -> Callable[[Stage], object]:
    return lambda stage: action(stage.disk)


ALL = (
    Fault("a worker is killed", lambda stage: stage.restart_worker(0)),
    Fault(
        "both workers are killed",
        lambda stage: [worker.kill() for worker in stage.workers],
        lambda stage: [stage.restart_worker(number) for number in (0, 1)],
    ),
    Fault("the page is killed", lambda stage: stage.page.kill(), lambda stage: stage.restart_page()),
    Fault("page and workers are killed at once", _kill_all),
    Fault(
        "a worker hangs",
        lambda stage: stage.workers[1].signal(signal.SIGSTOP),
        lambda stage: stage.workers[1].signal(signal.SIGCONT),
    ),
    Fault(
        "the page hangs",
        lambda stage: stage.page.signal(signal.SIGSTOP),
        lambda stage: stage.page.signal(signal.SIGCONT),
    ),
    Fault("Redis is wiped", lambda stage: stage.redis.wipe()),
    Fault("Redis is killed", lambda stage: stage.redis.stop(), lambda stage: stage.redis.start()),
    Fault(
        "Redis hangs",
        lambda stage: stage.redis.process.send_signal(signal.SIGSTOP),
        lambda stage: stage.redis.process.send_signal(signal.SIGCONT),
    ),
    Fault("PostgreSQL crashes", lambda stage: stage.database.stop(), lambda stage: stage.database.start()),
    Fault("PostgreSQL hangs", lambda stage: stage.database.hang(), lambda stage: stage.database.go_on()),
    Fault(FAILOVER, lambda stage: stage.fail_over(), lambda stage: stage.promote()),
    Fault(STANDBY, lambda stage: stage.database.demote(), lambda stage: stage.database.promote()),
    Fault(
        "the photo store is full",
        lambda stage: stage.disk and stage.disk.fill(),
        lambda stage: (stage.photos / "filler").unlink(missing_ok=True),
        needs="disk",
    ),
    Fault(
        "the photo store is read-only",
        _on_disk(lambda disk: disk.set_read_only(True)),
        _on_disk(lambda disk: disk.set_read_only(False)),
        needs="disk",
    ),
    Fault(
        "the photo store is away",
        _on_disk(lambda disk: disk.take_away()),
        _on_disk(lambda disk: disk.bring_back()),
        needs="disk",
    ),
    Fault("files of photos rot", lambda stage: stage.rot(random.Random(1))),
    Fault(
        "a worker's clock is an hour ahead",
        lambda stage: stage.restart_worker(0, **_clock("+1h")),
        lambda stage: stage.restart_worker(0),
        needs="clock",
    ),
    Fault(
        "a worker's clock is an hour behind",
        lambda stage: stage.restart_worker(1, **_clock("-1h")),
        lambda stage: stage.restart_worker(1),
        needs="clock",
    ),
    Fault(
        "the page's clock is an hour ahead",
        lambda stage: stage.restart_page(**_clock("+1h")),
        lambda stage: stage.restart_page(),
        needs="clock",
    ),
)


def chosen(count: int, seed: int, stage: Stage) -> tuple[list[Fault], list[str]]:
    """So many faults in an order that the seed decides, and the names of those that this machine does not allow."""
    allowed = {"": True, "disk": stage.disk is not None, "clock": FAKETIME is not None and bool(shutil.which("env"))}
    possible = [fault for fault in ALL if allowed[fault.needs]]
    order = random.Random(seed).sample(possible, min(count, len(possible)))
    names = [fault.name for fault in order]
    if {FAILOVER, STANDBY} <= set(names) and names.index(STANDBY) < names.index(FAILOVER):
        first, second = names.index(STANDBY), names.index(FAILOVER)
        order[first], order[second] = order[second], order[first]  # the pair fails over once, before it is changed
    return order, [fault.name for fault in ALL if not allowed[fault.needs]]
