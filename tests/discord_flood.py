"""Many people use /caption at once: how long until each is acknowledged and answered. A bench, and a part of tests.

python tests/discord_flood.py                     300 commands from 100 people; bot and worker in one process
python tests/discord_flood.py --commands 60 --people 20
"""

import argparse
import asyncio
import io
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from discord_people import Interaction  # noqa: E402
from discord_server import DiscordServer  # noqa: E402

SECONDS = 600.0  # for all of them


@dataclass(frozen=True)
class Figures:
    """Of one flood. Times in seconds, one for each command."""

    acknowledged: list[float]
    answered: list[float]
    commands: int
    unanswered: int
    twice: int  # answered more than once
    seconds: float  # until the last answer

    def __str__(self) -> str:
        return (
            f"{self.commands} commands at once, answered in {self.seconds:.1f} s"
            f" ({self.commands / self.seconds:.1f} a second); {self.unanswered} not at all, {self.twice} twice\n"
            f"acknowledged after {_spread(self.acknowledged)} s\n"
            f"answered after     {_spread(self.answered)} s"
        )


def _spread(times: list[float]) -> str:
    if not times:
        return "-"
    slow = sorted(times)[max(0, round(0.95 * len(times)) - 1)]
    return f"median {statistics.median(times):.2f}, 95 % {slow:.2f}, longest {max(times):.2f}"


async def flood(discord: DiscordServer, commands: int, people: int) -> Figures:
    """Send them all at the same time, each with a photo of its own, and wait for the answers."""
    crowd = [discord.person(f"Person {number}") for number in range(people)]
    photos = [discord.upload(noise(number)) for number in range(commands)]
    begun = time.monotonic()
    asked = await asyncio.gather(
        *(discord.slash("caption", crowd[number % people], photo=photo) for number, photo in enumerate(photos))
    )
    answered = await _answers(discord, asked)
    return Figures(
        acknowledged=[one.seconds for one in asked if one.seconds is not None],
        answered=answered,
        commands=commands,
        unanswered=sum(one.answer is None for one in asked),
        twice=sum(one.answered > 1 or bool(one.follow_ups) for one in asked),
        seconds=time.monotonic() - begun,
    )


async def _answers(discord: DiscordServer, asked: list[Interaction]) -> list[float]:
    """How long each took, of those that were answered at all."""
    took: dict[int, float] = {}

    def look() -> bool:
        for number, one in enumerate(asked):
            if number not in took and one.answer:
                took[number] = time.monotonic() - one.asked_at
        # Who was never acknowledged cannot be answered.
        late = time.monotonic() - max(one.asked_at for one in asked) > 2 * discord.acknowledge_seconds
        return all(number in took or (late and one.seconds is None) for number, one in enumerate(asked))

    try:
        await discord.until(look, SECONDS)
    except TimeoutError:
        print(f"{len(asked) - len(took)} were not answered within {SECONDS:g} s", file=sys.stderr)
    return list(took.values())


def noise(seed: int, size: tuple[int, int] = (640, 480)) -> bytes:
    """A JPEG of soft random colours; every seed is another photo."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


async def main(commands: int, people: int) -> None:
    from discord_processes import bot_of, ready
    from processes import Installation

    async with DiscordServer() as discord:
        with tempfile.TemporaryDirectory() as folder:
            installation = Installation(Path(folder), **bot_of(discord))
            try:
                bot = installation.start("discord")
                await ready(discord, bot, worker=True)
                print(await flood(discord, commands, people))
                await asyncio.to_thread(bot.stop)
            finally:
                installation.clean()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=300)
    parser.add_argument("--people", type=int, default=100)
    asyncio.run(main(**vars(parser.parse_args())))
