"""Answers to interactions on the local Discord server: acknowledge, follow up, edit; and what all endpoints share."""

import json
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.support.discord_rules import MODAL, Rejected, check_message, check_modal, invalid

if TYPE_CHECKING:
    from tests.support.discord_people import Interaction
    from tests.support.discord_server import DiscordServer

Json = dict[str, Any]
EPHEMERAL, LOADING = 1 << 6, 1 << 7
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE = 4, 5, 6, 7  # types of responses to an interaction, beside MODAL
BODY, FILES = web.RequestKey("body", Any), web.RequestKey("files", list)


class Answers:
    """Endpoints by which a bot answers an interaction."""

    server: "DiscordServer"

    def _interaction(self, request: web.Request) -> "Interaction":
        """The interaction with this token. Rejects tokens that have expired or were never acknowledged."""
        found = self.server.interactions.get(request.match_info["token"])
        if found is None or found.answer_id is None or request.match_info["app"] != self.server.bot["id"]:
            raise Rejected(404, 10015, "Unknown Webhook")
        if found.expired or time.monotonic() - found.created_at > self.server.token_seconds:
            raise Rejected(401, 50027, "Invalid Webhook Token")
        return found

    async def acknowledge(self, request: web.Request) -> web.Response:
        found = self.server.interactions.get(request.match_info["token"])
        now = time.monotonic()
        if found is None or now - found.created_at > self.server.acknowledge_seconds:
            raise Rejected(404, 10062, "Unknown interaction")
        if found.acknowledged_at is not None:
            raise Rejected(400, 40060, "Interaction has already been acknowledged.")
        kind, data = request[BODY]["type"], request[BODY].get("data") or {}
        pressed = found.payload["type"] == 3
        if kind == MODAL and found.payload["type"] != 5:
            check_modal(data)
            found.modal = data
        elif kind in (DEFERRED_UPDATE, UPDATE) and found.payload.get("message"):
            found.answer_id = found.payload["message"]["id"]
            if kind == UPDATE:
                check_message(data)
                self.server.messages[found.answer_id] |= data
        elif kind in (MESSAGE, DEFERRED):
            if kind == MESSAGE:
                check_message(data, len(request[FILES]))
            found.ephemeral = bool(data.get("flags", 0) & EPHEMERAL)
            flags = data.get("flags", 0) | (LOADING if kind == DEFERRED else 0)
            sent = self.server.keep_message(
                found.channel, self.server.bot, data | {"flags": flags}, request[FILES], waiting=kind == DEFERRED
            )
            found.answer_id = sent["id"]
        else:
            raise invalid(f"type {kind} does not answer this {'button' if pressed else 'interaction'}")
        found.acknowledged_at = now
        callback = {
            "id": found.payload["id"],
            "type": found.payload["type"],
            "response_message_id": found.answer_id,
            "response_message_loading": kind == DEFERRED,
            "response_message_ephemeral": found.ephemeral,
        }
        answer: Json = {"interaction": callback, "resource": {"type": kind}}
        if kind in (MESSAGE, UPDATE):
            answer["resource"]["message"] = self.server.messages[found.answer_id or ""]
        return reply(answer)

    async def follow_up(self, request: web.Request) -> web.Response:
        found, body = self._interaction(request), request[BODY]
        check_message(body, len(request[FILES]))
        original = self.server.messages.get(found.answer_id or "")
        if original and original["flags"] & LOADING:  # the first follow-up replaces "thinking"
            self.server.change_message(original, body, request[FILES])
            return reply(original)
        sent = self.server.keep_message(found.channel, self.server.bot, body, request[FILES])
        found.follow_ups.append(sent)
        return reply(sent)

    def _answer(self, request: web.Request) -> tuple["Interaction", Json]:
        found, id = self._interaction(request), request.match_info["message"]
        message = self.server.messages.get((found.answer_id if id == "@original" else id) or "")
        if message is None:
            raise Rejected(404, 10008, "Unknown Message")
        return found, message

    async def edit_answer(self, request: web.Request) -> web.Response:
        found, message = self._answer(request)
        check_message({"content": message["content"]} | request[BODY], len(request[FILES]))
        self.server.change_message(message, request[BODY], request[FILES])
        found.answered += 1
        return reply(message)

    async def delete_answer(self, request: web.Request) -> web.Response:
        _, message = self._answer(request)
        await self.server.delete_message(message["id"])
        return web.Response(status=204)


def reply(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON without a charset, as Discord sends it."""
    return web.Response(
        body=json.dumps(data).encode(), status=status, headers={"Content-Type": "application/json"} | (headers or {})
    )


async def read_body(request: web.Request) -> tuple[Any, list[tuple[str, bytes]]]:
    """The JSON of a request, and the files beside it: (name, bytes)."""
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        files = [(part.filename, part.file.read()) for part in form.values() if isinstance(part, web.FileField)]
        return json.loads(str(form["payload_json"])), files
    return (await request.json() if request.can_read_body and request.content_type == "application/json" else {}), []
