"""Benchmark: many people use /caption at once. Measures the time until each is acknowledged and answered.

python -m tests.support.discord_flood                     300 commands from 100 people; bot and worker in one process
python -m tests.support.discord_flood --commands 60 --people 20
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

from tests.support.discord_people import Interaction
from tests.support.discord_server import DiscordServer
from tests.support.floods import noise, spread

TIMEOUT = 600.0  # seconds for all commands


@dataclass(frozen=True)
class Figures:
    """The results of one run. Times in seconds, one for each command."""

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
    """Send all commands at the same time, each with a different photo, and wait for the answers.

    held_up: for how long the bot has waited for a processor, on a machine with other work.
    """
    persons = [discord.person(f"Person {number}") for number in range(people)]
    photos = [discord.upload(noise(number)) for number in range(commands)]
    start, held_up_before = time.monotonic(), held_up()
    interactions = await asyncio.gather(
        *(discord.slash("caption", persons[number % people], photo=photo) for number, photo in enumerate(photos))
    )
    acknowledged = asyncio.create_task(_acknowledged(discord, interactions, held_up))
    answered = await _answers(discord, interactions)
    return Figures(
        acknowledged=[one.seconds for one in interactions if one.seconds is not None],
        answered=answered,
        commands=commands,
        unanswered=sum(one.answer is None for one in interactions),
        twice=sum(one.answered > 1 or bool(one.follow_ups) for one in interactions),
        seconds=time.monotonic() - start,
        held_up=await acknowledged - held_up_before,
    )


async def _acknowledged(discord: DiscordServer, interactions: list[Interaction], held_up: Callable[[], float]) -> float:
    """The value of `held_up` when all are acknowledged, or can no longer be."""
    with contextlib.suppress(TimeoutError):
        await discord.until(lambda: all(one.acknowledged_at for one in interactions), discord.acknowledge_seconds)
    return held_up()


async def _answers(discord: DiscordServer, interactions: list[Interaction]) -> list[float]:
    """The time until each answer, without the commands that got none."""
    seconds_of: dict[int, float] = {}

    def all_answered() -> bool:
        for number, one in enumerate(interactions):
            if number not in seconds_of and one.answer:
                seconds_of[number] = time.monotonic() - one.created_at
        # A command that was never acknowledged cannot be answered.
        late = time.monotonic() - max(one.created_at for one in interactions) > 2 * discord.acknowledge_seconds
        return all(number in seconds_of or (late and one.seconds is None) for number, one in enumerate(interactions))

    try:
        await discord.until(all_answered, TIMEOUT)
    except TimeoutError:
        print(f"{len(interactions) - len(seconds_of)} were not answered within {TIMEOUT:g} s", file=sys.stderr)
    return list(seconds_of.values())


async def main(commands: int, people: int) -> None:
    from tests.support.discord_processes import bot_of, ready
    from tests.support.processes import Installation

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
