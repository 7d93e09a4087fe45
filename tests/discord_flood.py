"""Many people use /caption at once: how long until each is acknowledged and answered. A bench, and a part of tests.

python tests/discord_flood.py                     300 commands from 100 people; bot and worker in one process
python tests/discord_flood.py --commands 60 --people 20
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from discord_people import Interaction  # noqa: E402
from discord_server import DiscordServer  # noqa: E402
from floods import noise, spread  # noqa: E402

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
    held_up: float  # seconds for which the bot waited for a processor, until all were acknowledged

    def __str__(self) -> str:
        return (
            f"{self.commands} commands at once, answered in {self.seconds:.1f} s"
            f" ({self.commands / self.seconds:.1f} a second); {self.unanswered} not at all, {self.twice} twice\n"
            f"acknowledged after {spread(self.acknowledged)}\n"
            f"answered after     {spread(self.answered)}"
        )


async def flood(
    discord: DiscordServer, commands: int, people: int, held_up: Callable[[], float] = lambda: 0.0
) -> Figures:
    """Send them all at the same time, each with a photo of its own, and wait for the answers.

    held_up: for how long the bot has waited for a processor, on a machine with other work.
    """
    crowd = [discord.person(f"Person {number}") for number in range(people)]
    photos = [discord.upload(noise(number)) for number in range(commands)]
    begun, before = time.monotonic(), held_up()
    asked = await asyncio.gather(
        *(discord.slash("caption", crowd[number % people], photo=photo) for number, photo in enumerate(photos))
    )
    acknowledged = asyncio.create_task(_acknowledged(discord, asked, held_up))
    answered = await _answers(discord, asked)
    return Figures(
        acknowledged=[one.seconds for one in asked if one.seconds is not None],
        answered=answered,
        commands=commands,
        unanswered=sum(one.answer is None for one in asked),
        twice=sum(one.answered > 1 or bool(one.follow_ups) for one in asked),
        seconds=time.monotonic() - begun,
        held_up=await acknowledged - before,
    )


async def _acknowledged(discord: DiscordServer, asked: list[Interaction], held_up: Callable[[], float]) -> float:
    """What `held_up` says when all are acknowledged, or can no longer be."""
    with contextlib.suppress(TimeoutError):
        await discord.until(lambda: all(one.acknowledged_at for one in asked), discord.acknowledge_seconds)
    return held_up()


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
