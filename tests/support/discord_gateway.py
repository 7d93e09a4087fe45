"""The gateway of the local Discord server: hello, identify, heartbeats, ready, resume, invalid sessions, events.

As on Discord, events go only to sessions whose intents include them, and without the message content intent messages
are empty.
"""

import asyncio
import json
from dataclasses import dataclass, field
from socket import SHUT_RDWR
from typing import Any

import aiohttp
from aiohttp import web

from tests.support import discord_payloads as payloads

Json = dict[str, Any]
DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACKNOWLEDGED = 0, 1, 2, 6, 7, 9, 10, 11
GUILDS, GUILD_MESSAGES, GUILD_REACTIONS, DM_MESSAGES, DM_REACTIONS = 1 << 0, 1 << 9, 1 << 10, 1 << 12, 1 << 13
MESSAGE_CONTENT, PRIVILEGED = 1 << 15, 1 << 1 | 1 << 8 | 1 << 15
REQUIRED_INTENTS = {  # event -> the intent that it requires in a server, and in a direct message
    "GUILD_CREATE": (GUILDS, GUILDS),
    "GUILD_DELETE": (GUILDS, GUILDS),
    "THREAD_CREATE": (GUILDS, GUILDS),
    "MESSAGE_CREATE": (GUILD_MESSAGES, DM_MESSAGES),
    "MESSAGE_DELETE": (GUILD_MESSAGES, DM_MESSAGES),
    "MESSAGE_DELETE_BULK": (GUILD_MESSAGES, DM_MESSAGES),
    "MESSAGE_REACTION_ADD": (GUILD_REACTIONS, DM_REACTIONS),
    "MESSAGE_REACTION_REMOVE": (GUILD_REACTIONS, DM_REACTIONS),
}


@dataclass
class Session:
    """The session of one shard, with the events sent to it, which are repeated when it resumes."""

    id: str
    intents: int
    shard: tuple[int, int]
    sent: list[Json] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None


class Gateway:
    def __init__(self, token: str, bot: Json, *, url: str, message_content: bool):
        self.token, self.bot, self.url = token, bot, url
        self.message_content = message_content  # whether the intent is enabled in the developer portal
        self.guilds: dict[str, Json] = {}
        self.sessions: dict[str, Session] = {}
        self.identified, self.resumed, self.heartbeats = 0, 0, 0

    async def __call__(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await socket.send_json({"op": HELLO, "d": {"heartbeat_interval": 41_250}})
        session = None
        async for received in socket:
            if received.type != aiohttp.WSMsgType.TEXT:
                break
            packet = json.loads(received.data)
            if packet["op"] == HEARTBEAT:
                self.heartbeats += 1
                await socket.send_json({"op": ACKNOWLEDGED})
            elif packet["op"] == IDENTIFY:
                session = await self._identify(socket, packet["d"])
            elif packet["op"] == RESUME:
                session = await self._resume(socket, packet["d"])
        if session and session.socket is socket:
            session.socket = None
        return socket

    async def _identify(self, socket: web.WebSocketResponse, payload: Json) -> Session | None:
        number, count = payload.get("shard", (0, 1))
        if payload["token"] != self.token:
            await socket.close(code=4004, message=b"Authentication failed.")
        elif not 0 <= number < count:
            await socket.close(code=4010, message=b"Invalid shard.")
        elif payload["intents"] & PRIVILEGED & ~(MESSAGE_CONTENT if self.message_content else 0):
            await socket.close(code=4014, message=b"Disallowed intent(s).")
        else:
            self.identified += 1
            session = Session(payloads.snowflake(), payload["intents"], (number, count), socket=socket)
            self.sessions[session.id] = session
            mine = [guild for guild in self.guilds.values() if self._shard(guild["id"], count) == number]
            await self._send(
                session,
                "READY",
                {
                    "v": 10,
                    "user": self.bot,
                    "guilds": [{"id": guild["id"], "unavailable": True} for guild in mine],
                    "session_id": session.id,
                    "resume_gateway_url": self.url,
                    "shard": [number, count],
                    "application": {"id": self.bot["id"], "flags": 0},
                },
            )
            for guild in mine:
                await self._send(session, "GUILD_CREATE", guild)
            return session
        return None

    async def _resume(self, socket: web.WebSocketResponse, payload: Json) -> Session | None:
        session = self.sessions.get(payload["session_id"])
        if session is None or payload["token"] != self.token:
            await socket.send_json({"op": INVALID, "d": False})
            return None
        self.resumed += 1
        session.socket = socket
        for packet in session.sent[payload["seq"] :]:
            await socket.send_json(packet)
        await self._send(session, "RESUMED", {})
        return session

    async def dispatch(self, event: str, data: Json) -> None:
        """Send an event to the shard it belongs to, if the intents of that session include it."""
        guild = data["id"] if event.startswith("GUILD_") else data.get("guild_id")
        for session in list(self.sessions.values()):
            if self._shard(guild, session.shard[1]) != session.shard[0]:
                continue
            if event in REQUIRED_INTENTS and not session.intents & REQUIRED_INTENTS[event][guild is None]:
                continue
            await self._send(session, event, self._as_seen_by(session, event, data))

    def _as_seen_by(self, session: Session, event: str, data: Json) -> Json:
        if event != "MESSAGE_CREATE" or session.intents & MESSAGE_CONTENT or "guild_id" not in data:
            return data
        hidden = {"content": "", "attachments": [], "embeds": [], "components": []}
        if (other := data.get("referenced_message")) and other["author"]["id"] != self.bot["id"]:
            data = data | {"referenced_message": other | hidden}
        mine = data["author"]["id"] == self.bot["id"]
        return data if mine or any(one["id"] == self.bot["id"] for one in data["mentions"]) else data | hidden

    @staticmethod
    def _shard(guild: str | None, count: int) -> int:
        return (int(guild) >> 22) % count if guild else 0

    async def _send(self, session: Session, event: str, data: Json) -> None:
        """Record the event, and send it if the session is connected. Otherwise it is sent when the session resumes."""
        packet = {"op": DISPATCH, "t": event, "s": len(session.sent) + 1, "d": data}
        session.sent.append(packet)
        if session.socket and not session.socket.closed:
            await session.socket.send_json(packet)

    async def drop(self) -> None:
        """Cut all connections, as a network failure does. Sessions can be resumed."""
        for socket in self._open():
            socket.get_extra_info("socket").shutdown(SHUT_RDWR)
        for session in self.sessions.values():
            session.socket = None

    async def ask_to_reconnect(self) -> None:
        await asyncio.gather(*(socket.send_json({"op": RECONNECT}) for socket in self._open()))

    async def invalidate(self) -> None:
        """End all sessions: clients have to identify again."""
        sockets = self._open()
        self.sessions.clear()
        await asyncio.gather(*(socket.send_json({"op": INVALID, "d": False}) for socket in sockets))

    async def send_raw(self, packet: Json) -> None:
        await asyncio.gather(*(socket.send_json(packet) for socket in self._open()))

    def _open(self) -> list[web.WebSocketResponse]:
        return [session.socket for session in self.sessions.values() if session.socket and not session.socket.closed]
