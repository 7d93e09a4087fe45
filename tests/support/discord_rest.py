"""The REST endpoints of the local Discord server that the bot uses, with the rejections of the real API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from tests.support import discord_payloads as payloads
from tests.support.discord_answers import BODY, FILES, Answers, Json, read_body, reply
from tests.support.discord_rules import Rejected, check_commands, check_message, invalid

if TYPE_CHECKING:
    from tests.support.discord_server import DiscordServer

UNAUTHORIZED = Rejected(401, 0, "401: Unauthorized")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Rest(Answers):
    def __init__(self, server: "DiscordServer"):
        self.server = server

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/users/@me", self.who_am_i),
            web.get("/oauth2/applications/@me", self.application),
            web.get("/gateway/bot", self.gateway),
            web.put("/applications/{app}/commands", self.put_commands),
            web.put("/applications/{app}/guilds/{guild}/commands", self.put_commands),
            web.post("/users/@me/channels", self.open_direct),
            web.post("/channels/{channel}/messages", self.post_message),
            web.get("/channels/{channel}/messages/{message}", self.get_message),
            web.patch("/channels/{channel}/messages/{message}", self.edit_message),
            web.delete("/channels/{channel}/messages/{message}", self.delete_message),
            web.post("/interactions/{interaction}/{token}/callback", self.acknowledge),
            web.post("/webhooks/{app}/{token}", self.follow_up),
            web.patch("/webhooks/{app}/{token}/messages/{message}", self.edit_answer),
            web.delete("/webhooks/{app}/{token}/messages/{message}", self.delete_answer),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record the call, check the token, and apply the faults that a test requested."""
        body, files = await read_body(request)
        request[BODY], request[FILES] = body, files
        path = request.path.removeprefix(self.server.API)
        self.server.record(request.method, path, body)
        fault = self.server.fault_for(request.method, path)
        if fault and not fault.after:
            return reply(fault.body, status=fault.status, headers=fault.headers)
        try:
            open_to_all = path.startswith(("/interactions/", "/webhooks/"))  # their tokens stand in the path
            if not open_to_all and request.headers.get("Authorization") != f"Bot {self.server.token}":
                raise UNAUTHORIZED
            answer = await handler(request)
        except Rejected as rejected:
            return reply(rejected.body, status=rejected.status)
        if fault:  # the work is done, but the response is lost
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0)
        return answer

    async def who_am_i(self, request: web.Request) -> web.Response:
        return reply(self.server.bot)

    async def application(self, request: web.Request) -> web.Response:
        owner = payloads.user("1", "Owner")
        return reply(
            {
                "id": self.server.bot["id"],
                "name": "captionbot",
                "icon": None,
                "description": "",
                "bot_public": True,
                "bot_require_code_grant": False,
                "owner": owner,
                "verify_key": "",
                "team": None,
                "flags": 1 << 19 if self.server.gateway.message_content else 0,
            }
        )

    async def gateway(self, request: web.Request) -> web.Response:
        limits = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        url = self.server.gateway.url
        return reply({"url": url, "shards": self.server.shards, "session_start_limit": limits})

    async def put_commands(self, request: web.Request) -> web.Response:
        check_commands(request[BODY])
        stored = [
            {"id": payloads.snowflake(), "application_id": self.server.bot["id"], "version": "1", "description": ""}
            | {"type": 1, "default_member_permissions": None}
            | command
            for command in request[BODY]
        ]
        self.server.commands[request.match_info.get("guild")] = stored
        return reply(stored)

    async def open_direct(self, request: web.Request) -> web.Response:
        person = self.server.people[str(request[BODY]["recipient_id"])]
        return reply(self.server.direct_channel(person))

    def _channel(self, request: web.Request) -> str:
        """The id of the channel in the path. Rejects channels that the bot cannot see or write to."""
        id = request.match_info["channel"]
        if id not in self.server.channels:
            raise Rejected(404, 10003, "Unknown Channel")
        if id in self.server.no_access:
            raise Rejected(403, 50001, "Missing Access")
        if id in self.server.no_permission:
            raise Rejected(403, 50013, "Missing Permissions")
        if id in self.server.closed_direct:
            raise Rejected(403, 50007, "Cannot send messages to this user")
        return id

    async def post_message(self, request: web.Request) -> web.Response:
        channel, body = self._channel(request), request[BODY]
        check_message(body, len(request[FILES]))
        nonce = body.get("nonce")
        if nonce and body.get("enforce_nonce") and (known := self.server.by_nonce.get((channel, nonce))):
            return reply(known)
        reference = body.get("message_reference")
        if reference:  # ids may come as numbers
            reference |= {key: str(value) for key, value in reference.items() if key.endswith("_id")}
        if reference and reference["message_id"] not in self.server.messages:
            if reference.get("fail_if_not_exists", True):
                raise invalid("message_reference: Unknown message")
            reference = None
        more = {"message_reference": reference, "type": 19} if reference else {}
        sent = self.server.keep_message(channel, self.server.bot, body, request[FILES], **more)
        if nonce:
            sent["nonce"] = nonce
            self.server.by_nonce[channel, nonce] = sent
        return reply(sent)

    def _message(self, request: web.Request) -> Json:
        channel, id = self._channel(request), request.match_info["message"]
        found = self.server.messages.get(id)
        if found is None or found["channel_id"] != channel:
            raise Rejected(404, 10008, "Unknown Message")
        return found

    async def get_message(self, request: web.Request) -> web.Response:
        return reply(self._message(request))

    async def edit_message(self, request: web.Request) -> web.Response:
        found = self._message(request)
        if found["author"]["id"] != self.server.bot["id"]:
            raise Rejected(403, 50005, "Cannot edit a message authored by another user")
        check_message(found | request[BODY])
        found |= {key: value for key, value in request[BODY].items() if key in ("content", "components")}
        return reply(found)

    async def delete_message(self, request: web.Request) -> web.Response:
        found = self._message(request)
        if found["author"]["id"] != self.server.bot["id"]:
            raise Rejected(403, 50013, "Missing Permissions")
        await self.server.delete_message(found["id"])
        return web.Response(status=204)
