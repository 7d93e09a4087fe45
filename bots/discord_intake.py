"""Takes pictures in from Discord: acknowledges who asked, reads the pictures, gives them to the service.

A few at a time, so that neither memory nor threads are used up: acknowledgements never wait for pictures.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import aiohttp
import discord

from bots.discord_pictures import Picture, read
from bots.discord_places import Interaction, chat_of, person_key, reply_to_interaction, reply_to_message
from bots.discord_talk import Hurry
from bots.errors import Later, UserError
from bots.service import CaptionService
from bots.views import AS_PREFERRED, Options

log = logging.getLogger(__name__)

AT_ONCE = 8  # pictures being read or checked
SECONDS = 60.0  # for one picture to arrive
REMEMBERED = 1000  # requests, the last ones, of which it is known what was refused


class Intake:
    def __init__(self, service: CaptionService, hurry: Hurry, max_bytes: int):
        self._service, self._hurry, self._max_bytes = service, hurry, max_bytes
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._http: aiohttp.ClientSession | None = None
        self.gathering: set[str] = set()  # requests of which more pictures are to come
        self.refused: dict[str, dict[int, UserError]] = {}  # request -> number of the picture -> why

    async def open(self) -> None:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS), trust_env=True)

    async def close(self) -> None:
        if self._http:
            await self._http.close()

    async def ask(
        self,
        interaction: Interaction,
        pictures: Sequence[Picture],
        *,
        ephemeral: bool,
        about: int | None = None,
        options: Options = AS_PREFERRED,
    ) -> dict[int, UserError]:
        """Submit what an interaction, acknowledged already, hands over. about: the message that the pictures stand in.

        Returns why nothing was taken, by number; nothing if the delivery will answer.
        """
        return await self._submit(
            pictures,
            sender=person_key(interaction.user.id),
            source=f"discord:{about}/{interaction.id}" if about else f"discord:{interaction.id}",
            reply_to=reply_to_interaction(interaction, ephemeral=ephemeral),
            chat=None if ephemeral else chat_of(interaction),
            options=options,
        )

    async def take(
        self, message: discord.Message, pictures: Sequence[Picture], *, about: int, **reply_to: Any
    ) -> dict[int, UserError]:
        """The same for a message. about: that message, or the one it replies to, whichever has the pictures."""
        guild = message.guild
        return await self._submit(
            pictures,
            sender=person_key(message.author.id),
            source=f"discord:{about}" if about == message.id else f"discord:{about}/{message.id}",
            reply_to=reply_to_message(message) | reply_to,
            chat=f"discord:{guild.id}/{message.channel.id}" if guild else None,
        )

    async def _submit(
        self, pictures: Sequence[Picture], *, source: str, reply_to: dict[str, Any], **request: Any
    ) -> dict[int, UserError]:
        several, accepted = len(pictures) > 1, 0
        refused: dict[int, UserError] = {}
        self.gathering.add(source)
        try:
            for number, picture in enumerate(pictures, start=1):
                try:
                    async with self._turns:
                        await self._hurry.over()
                        assert self._http is not None, "not open"
                        data = await read(self._http, picture, most=self._max_bytes)
                        await asyncio.to_thread(
                            self._service.submit,
                            data,
                            front_end="discord",
                            source=f"{source}/{number}",
                            reply_to=reply_to | {"source": source, "number": number if several else 0},
                            album=source if several else None,
                            position=number,
                            **request,
                        )
                    accepted += 1
                except UserError as error:
                    refused[number if several else 0] = error
                    if isinstance(error, Later):  # so would be the others
                        break
            if accepted and refused:
                self.refused[source] = refused
                if len(self.refused) > REMEMBERED:  # their captions were removed before they were delivered
                    del self.refused[next(iter(self.refused))]
        finally:
            self.gathering.discard(source)
        return {} if accepted else refused
