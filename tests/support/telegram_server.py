"""A local Bot API server for tests, over a real socket. It refuses what the real one refuses.

async with TelegramServer() as telegram:
    ...  # start a bot with telegram.token and telegram.url
    ada = telegram.person("Ada")
    photo = await telegram.send_photo(ada, jpeg)
    answer = await telegram.bot_reply(photo)

Updates for a webhook are posted to `telegram.webhook_target` instead of the https URL that the bot has set.
"""

import asyncio
import json
import time
from copy import deepcopy
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.support import telegram_payloads as payloads
from tests.support.telegram_faults import Fault, Faults
from tests.support.telegram_methods import Methods
from tests.support.telegram_observation import PATIENCE as PATIENCE
from tests.support.telegram_observation import Call, Observation
from tests.support.telegram_people import People
from tests.support.telegram_rules import DEFAULT_UPDATES, Rejected

Json = dict[str, Any]
WEBHOOK_RETRY, LONGEST_RETRY = 0.2, 3.0  # seconds until a failed webhook request is repeated; they grow


class TelegramServer(People, Methods, Faults, Observation):
    def __init__(self, token: str = "") -> None:
        self.bot = payloads.user("captionbot", bot=True, language=None)
        self.token = token or f"{self.bot['id']}:local-test-token_that-is-a-secret"
        self.chats, self.members = {}, {}
        self.messages, self.reactions, self.queries = {}, {}, {}
        self.forced_replies: list[Json] = []
        self.files = payloads.Files()
        self.commands: dict[str, list[Json]] = {}
        self.webhook: Json = {}
        self.webhook_target = ""
        self.webhook_codes: list[int] = []
        self.pending: list[Json] = []
        self.confirmed = 0  # updates before this one are confirmed
        self.allowed = set(DEFAULT_UPDATES)
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self._next_update, self._next_message = 500, 0
        self._posts: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.arrived = asyncio.Condition()
        site = web.Application(client_max_size=60 << 20)
        site.router.add_get("/file/bot{token}/{path:.*}", self._download)
        site.router.add_route("*", "/bot{token}/{method}", self._call)
        self._runner = web.AppRunner(site, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._posts:
            task.cancel()
        await self._http.close()
        await self._runner.cleanup()

    # The socket

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method, params = request.match_info["method"], await self._params(request)
        call = Call(method, params, time.monotonic(), 0)
        self.calls.append(call)
        try:
            self._check_token(request.match_info["token"])
            fault = await self._apply_fault(method, params.get("chat_id"))
            if (do := getattr(self, method, None)) is None or not method[0].islower() or not hasattr(Methods, method):
                raise Rejected(404, "Not Found")
            result = await do(params)
            if fault and fault.after:
                assert request.transport is not None
                request.transport.abort()
            call.code, body = 200, {"ok": True, "result": result}
        except Rejected as error:
            call.code, body = error.code, error.body
        return web.json_response(body, status=call.code)

    async def _params(self, request: web.Request) -> Json:
        if request.content_type == "application/json":
            return dict(await request.json())
        params: Json = dict(request.query)
        for key, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                params |= {key: value.file.read(), f"{key}_name": value.filename}
            else:
                params[key] = value
        for key in ("photo", "document"):  # the file is in another part of the form
            if str(params.get(key, "")).startswith("attach://"):
                part = params[key].removeprefix("attach://")
                params |= {key: params[part], f"{key}_name": params[f"{part}_name"]}
        return params

    def _check_token(self, token: str) -> None:
        if ":" not in token:
            raise Rejected(404, "Not Found")
        if token != self.token:
            raise Rejected(401, "Unauthorized")

    async def _download(self, request: web.Request) -> web.Response:
        self.calls.append(Call("download", dict(request.match_info), time.monotonic()))
        try:
            self._check_token(request.match_info["token"])
            await self._apply_fault("download", None)
        except Rejected as error:
            return web.json_response(error.body, status=error.code)
        data = self.files.data.get(request.match_info["path"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    def write_files(self, folder: Path) -> None:
        """Write all files as a server in local mode does, into a folder that others see under this path."""
        for path, data in self.files.data.items():
            (folder / self.token / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / self.token / path).write_bytes(data)

    # Messages and updates

    def add_message(self, chat: Json, author: Json, **content: Any) -> Json:
        self._next_message += 1
        sent = payloads.message(self._next_message, chat, author, **content)
        self.messages[chat["id"], self._next_message] = sent
        return sent

    def is_administrator(self, chat: Json, person: Json) -> bool:
        return self.members[chat["id"]].get(person["id"]) in ("administrator", "creator")

    def allow(self, kinds: set[str] | None) -> None:
        self.allowed = kinds or self.allowed

    async def add_update(self, kind: str, payload: Json) -> None:
        """Send an update to the bot if its allowed_updates contain this kind."""
        if kind not in self.allowed:
            return
        self._next_update += 1
        self.pending.append({"update_id": self._next_update, kind: deepcopy(payload)})
        async with self.arrived:
            self.arrived.notify_all()
        self.post_pending()

    def confirm(self, offset: int) -> None:
        self.pending = [update for update in self.pending if update["update_id"] >= offset]
        self.confirmed = max(self.confirmed, offset)

    def post_pending(self) -> None:
        """Post pending updates to the webhook, each one until it is accepted."""
        if self.webhook.get("url") and self.webhook_target:
            for update in self.pending:
                task = asyncio.create_task(self._post(update))
                self._posts.add(task)
                task.add_done_callback(self._posts.discard)
            self.pending = []

    async def _post(self, update: Json) -> None:
        delay = WEBHOOK_RETRY
        while not 200 <= await self.post_update(update, self.webhook["secret"]) < 300:
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_RETRY)

    async def post_update(self, update: Json, secret: str | None, target: str = "") -> int:
        """Post an update once. Returns the HTTP status, 599 if there is no response."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        headers["Content-Type"] = "application/json"
        try:
            async with self._http.post(target or self.webhook_target, data=json.dumps(update), headers=headers) as got:
                self.webhook_codes.append(got.status)
        except aiohttp.ClientError:
            self.webhook_codes.append(599)
        return self.webhook_codes[-1]
