"""Measures how long photos wait for their answers when many chats send them at once. A benchmark, also used by tests.

python -m tests.support.telegram_flood                     300 photos from 100 chats; bot and worker in one process
python -m tests.support.telegram_flood --photos 60 --chats 20
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.floods import noise, spread
from tests.support.telegram_server import TelegramServer

SECONDS = 600.0  # for all of them
Sent = dict[int, tuple[dict[str, Any], float]]  # message id -> the message, and when it was sent


@dataclass(frozen=True)
class Figures:
    """Results of one run. answered: seconds from the update to the reply, for each answered photo."""

    photos: int
    chats: int
    answered: list[float]
    unanswered: int
    twice: int  # photos with more than one answer
    astray: int  # messages of the bot that reply to no photo of their chat
    seconds: float  # until the last answer

    def __str__(self) -> str:
        return (
            f"{self.photos} photos from {self.chats} chats at once, answered in {self.seconds:.1f} s"
            f" ({self.photos / self.seconds:.1f} a second); {self.unanswered} not at all, {self.twice} twice,"
            f" {self.astray} astray\n"
            f"from the update to the reply: {spread(self.answered)}"
        )


async def flood(telegram: TelegramServer, photos: int, chats: int) -> Figures:
    """Send photos from many chats at the same time, and wait for the answers."""
    begun, sent = time.monotonic(), await send_photos(telegram, photos, chats)
    try:
        await telegram.wait_until(lambda: len(telegram.calls_of("sendMessage")) >= photos, SECONDS)
        await telegram.all_confirmed()
    except TimeoutError:
        print(f"some were not answered within {SECONDS:g} s", file=sys.stderr)
    answers = [len(telegram.bot_replies(message)) for message, _ in sent.values()]
    calls = telegram.calls_of("sendMessage")
    at = {json.loads(call.params["reply_parameters"])["message_id"]: call.at for call in reversed(calls)}
    return Figures(
        photos=photos,
        chats=chats,
        answered=[at[number] - asked for number, (_, asked) in sent.items() if number in at],
        unanswered=answers.count(0),
        twice=sum(count > 1 for count in answers),
        astray=len(calls) - sum(answers),
        seconds=max((call.at for call in calls), default=time.monotonic()) - begun,
    )


async def send_photos(telegram: TelegramServer, count: int, chats: int) -> Sent:
    """Send different photos from this many private chats in turn."""
    people = [telegram.person(f"Person {number}") for number in range(chats)]
    photos = [noise(number) for number in range(count)]  # before the first is sent: drawing takes time
    sent = {}
    for number, photo in enumerate(photos):
        message = await telegram.send_photo(people[number % chats], photo)
        sent[message["message_id"]] = message, time.monotonic()
    return sent


async def main(photos: int, chats: int) -> None:
    from tests.support.processes import Installation

    async with TelegramServer() as telegram:
        with tempfile.TemporaryDirectory() as folder:
            reached = {"telegram_token": telegram.token, "telegram_api_url": telegram.url}
            installation = Installation(Path(folder), **reached)
            try:
                bot = installation.start("telegram")
                await asyncio.to_thread(bot.wait_for_log, "the worker is ready")
                await asyncio.to_thread(bot.wait_for_log, "listens")
                print(await flood(telegram, photos, chats))
                await asyncio.to_thread(bot.stop)
            finally:
                installation.clean()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--chats", type=int, default=100)
    asyncio.run(main(**vars(parser.parse_args())))
