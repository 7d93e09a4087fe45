"""A local Discord server for tests: gateway, REST API and attachments, over real sockets.

async with DiscordServer() as discord:
    ...  # start a bot with discord.api and discord.gateway.url
    interaction = await discord.slash("caption", ada, photo=discord.upload(jpeg))
    await discord.until(lambda: interaction.answer)
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

from tests.support import discord_payloads as payloads
from tests.support.discord_answers import EPHEMERAL
from tests.support.discord_gateway import Gateway
from tests.support.discord_people import LOADING, Interaction, People
from tests.support.discord_rest import Rest

Json = dict[str, Any]
PATIENCE = 90.0  # seconds, on a machine with other work


@dataclass
class Call:
    method: str
    path: str
    body: Any
    at: float


@dataclass
class Fault:
    """A failure of the next `times` calls that match. `after`: the work is done, but the connection is cut."""

    method: str
    path: re.Pattern[str]
    status: int
    body: Json
    headers: dict[str, str]
    times: int
    after: bool


class DiscordServer(People):
    API = "/api/v10"

    def __init__(self, token: str = "", *, message_content: bool = False, shards: int = 1):
        self.bot = payloads.user("900000000000000001", "captionbot", bot=True)
        self.token = token or "OTAwMDAwMDAwMDAwMDAwMDAx.local.token"
        self.message_content, self.shards = message_content, shards
        self.people: dict[str, Json] = {}
        self.channels: dict[str, Json] = {}
        self.messages: dict[str, Json] = {}
        self.by_nonce: dict[tuple[str, str], Json] = {}
        self.interactions: dict[str, Interaction] = {}
        self.commands: dict[str | None, list[Json]] = {}  # by server; None: everywhere
        self.files: dict[str, bytes] = {}  # by path and query, as they are requested
        self.redirects: dict[str, str] = {}  # path -> URL
        self.no_access: set[str] = set()
        self.no_permission: set[str] = set()
        self.closed_direct: set[str] = set()
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.acknowledge_seconds, self.token_seconds = 3.0, 900.0

    async def __aenter__(self) -> Self:
        rest = Rest(self)
        api = web.Application(middlewares=[rest.guard], client_max_size=30 << 20)
        api.add_routes(rest.routes())
        site = web.Application()
        site.add_subapp(self.API, api)
        site.router.add_get("/cdn/{name:.*}", self._download)
        site.router.add_get("/gateway", self._connect)
        self._runner = web.AppRunner(site, shutdown_timeout=1)
        await self._runner.setup()
        listener = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1000)  # as many connect at once
        await listener.start()
        host, port = self._runner.addresses[0][:2]
        self.url, self.api = f"http://{host}:{port}", f"http://{host}:{port}{self.API}"
        self.gateway = Gateway(
            self.token, self.bot, url=f"ws://{host}:{port}/gateway", message_content=self.message_content
        )
        self.guild = self.add_guild()
        self.channel = self.guild["channels"][0]["id"]
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.gateway.drop()
        await self._runner.cleanup()

    # Servers, people, files

    def add_guild(self, permissions: str = payloads.ALL_PERMISSIONS) -> Json:
        """Add a server with two text channels. The bot is a member of it from its next identify on."""
        channels = [payloads.text_channel(payloads.snowflake(), name) for name in ("photos", "talk")]
        guild = payloads.guild(payloads.snowflake(), self.bot, channels, permissions)
        self.channels |= {channel["id"]: channel | {"guild_id": guild["id"]} for channel in channels}
        self.gateway.guilds[guild["id"]] = guild
        return guild

    def person(self, name: str = "Ada") -> Json:
        someone = payloads.user(payloads.snowflake(), name)
        self.people[someone["id"]] = someone
        return someone

    def direct_channel(self, person: Json) -> Json:
        for channel in self.channels.values():
            if channel["type"] == 1 and channel["recipients"][0]["id"] == person["id"]:
                return channel
        channel = payloads.direct_channel(payloads.snowflake(), person)
        return self.channels.setdefault(channel["id"], channel)

    def upload(self, data: bytes, name: str = "photo.jpg", **more: Any) -> Json:
        """Store a file, and return it as an attachment."""
        url = self.serve(data, f"{payloads.snowflake()}/{name}")
        return payloads.attachment(url, name, more.pop("size", len(data)), **more)

    def serve(self, data: bytes, path: str) -> str:
        """Store a file under a path, perhaps with a query, and return its URL. As if it were signed, only exactly this
        URL is served, byte for byte.
        """
        self.files[path] = data
        return f"{self.url}/cdn/{path}"

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        return await self.gateway(request)

    async def _download(self, request: web.Request) -> web.Response:
        if fault := self.fault_for("GET", request.path):
            return web.Response(status=fault.status, headers=fault.headers)
        path = request.raw_path.partition("/cdn/")[2]  # through a proxy it is a whole URL
        if target := self.redirects.get(path):
            return web.Response(status=302, headers={"Location": target})
        data = self.files.get(path)
        return web.Response(status=404) if data is None else web.Response(body=data)

    # Calls and messages of the bot

    def record(self, method: str, path: str, body: Any) -> None:
        self.calls.append(Call(method, path, body, time.monotonic()))

    def called(self, method: str, path: str) -> list[Call]:
        """Calls whose path matches the pattern as a whole."""
        return [call for call in self.calls if call.method == method and re.fullmatch(path, call.path)]

    def keep_message(self, channel: str, author: Json, body: Json, files: list[tuple[str, bytes]], **more: Any) -> Json:
        if more.pop("waiting", False):
            more["flags"] = body.get("flags", 0) | LOADING
        sent = payloads.message(channel, author, **({"flags": body.get("flags", 0)} | more))
        self.messages[sent["id"]] = sent
        self.change_message(sent, body | {"flags": sent["flags"]}, files, thinking=bool(sent["flags"] & LOADING))
        return sent

    def change_message(
        self, message: Json, body: Json, files: list[tuple[str, bytes]], *, thinking: bool = False
    ) -> None:
        message |= {key: body[key] for key in ("components", "embeds", "flags") if body.get(key) is not None}
        message["content"] = body.get("content", message["content"]) or ""
        message["attachments"] = message["attachments"] + [self.upload(data, name) for name, data in files]
        if not thinking:
            message["flags"] &= ~LOADING

    def sent_to(self, channel: str) -> list[Json]:
        """The bot's messages in a channel that all can read, oldest first."""
        mine = [one for one in self.messages.values() if one["channel_id"] == channel and one["author"] == self.bot]
        return [one for one in mine if not one["flags"] & (EPHEMERAL | LOADING)]

    def fault(
        self,
        method: str,
        path: str,
        status: int,
        body: Json | None = None,
        *,
        headers: dict[str, str] | None = None,
        times: int = 1,
        after: bool = False,
    ) -> None:
        """Let the next calls that match fail. The body of a 429 is {"retry_after": seconds, "global": False}."""
        headers = ({"Via": "1.1 google"} if status == 429 else {}) | (headers or {})
        self.faults.append(Fault(method, re.compile(path), status, body or {}, headers, times, after))

    def fault_for(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.method == method and fault.path.fullmatch(path):
                fault.times -= 1
                return fault
        return None

    async def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait until the condition is true, and return its value. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not (held := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds} s")
            await asyncio.sleep(0.01)
        return held
