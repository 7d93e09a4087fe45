"""Breaks a whole captionbot, one fault after another, while people send photos and votes: nothing may be lost.

It starts all servers itself, on free ports and in a temporary folder, and removes them in the end: PostgreSQL with a
standby, Redis, a photo store on a small disk (as root), two workers and the page. Clocks are changed where Debian's
faketime is installed. Exit code 1: something was lost, doubled, answered with 500, or fills the log.

python tests/chaos.py --photos 1500 --minutes 6 --seed 1
python tests/chaos.py --photos 30 --minutes 0.5 --faults 3     a short one
"""

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.progress import Progress

from tests.support.chaos.faults import ALL, chosen
from tests.support.chaos.people import Sender
from tests.support.chaos.stage import Stage
from tests.support.chaos.verdict import Row, Verdict, judge

PEOPLE = 5
CALM = "before the first"
SHARE = 0.4  # of the time of a fault in which something is broken; the rest shows that it recovers
LATEST = 240.0  # seconds after the last fault in which all photos must be described


def run(photos: int, minutes: float, seed: int, faults: int, console: Console) -> Verdict:
    stage = Stage()
    senders: list[Sender] = []
    stop = threading.Event()
    try:
        order, left_out = chosen(faults, seed, stage)
        for name in left_out:
            console.print(f"left out, for this machine does not allow it: {name}")
        rows = [Row(CALM)]
        interval = minutes * 60 * PEOPLE / photos
        senders = [Sender(number, stage.url, interval, lambda: rows[-1].fault, stop) for number in range(1, PEOPLE + 1)]
        for sender in senders:
            sender.start()
        slot = minutes * 60 / (len(order) + 1)
        with Progress(console=console) as progress:
            task = progress.add_task("faults", total=len(order) + 1)
            time.sleep(slot)
            for fault in order:
                progress.update(task, advance=1, description=fault.name)
                before = stage.lines()
                rows.append(Row(fault.name))
                fault.strike(stage)
                time.sleep(slot * SHARE)
                fault.mend(stage)
                stage.restart_exited()
                time.sleep(slot * (1 - SHARE))
                rows[-1].lines = stage.lines() - before
            progress.update(task, advance=1, description="the rest is described")
            stop.set()
            for sender in senders:
                sender.join(LATEST)
            end = time.monotonic() + LATEST
            for sender in senders:
                stage.restart_exited()
                sender.finish(end)
        return judge(stage, senders, rows)
    finally:
        stop.set()
        for sender in senders:
            sender.close()
        stage.remove()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=1500, help="about how many are sent (default: 1500)")
    parser.add_argument("--minutes", type=float, default=6, help="for how long (default: 6)")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the faults (default: 1)")
    parser.add_argument("--faults", type=int, default=len(ALL), help=f"how many of the {len(ALL)} (default: all)")
    given = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    verdict = run(given.photos, given.minutes, given.seed, given.faults, console)
    console.print(verdict.table)
    for complaint in verdict.complaints[:50]:
        console.print(f"does not hold: {complaint}", markup=False)
    console.print(f"{len(verdict.complaints)} lines do not hold" if verdict.complaints else "all lines hold")
    return 1 if verdict.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
