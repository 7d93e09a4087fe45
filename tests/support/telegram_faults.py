"""Faults of the local Bot API server: errors, delays and lost responses that a test orders."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from tests.support.telegram_rules import Rejected

Json = dict[str, Any]


@dataclass
class Fault:
    """An error or delay of the next `times` calls of a method ("download" for files), in all chats or in one."""

    method: str
    code: int  # HTTP status of the error; 0 for a delay only
    times: int
    chat: int | None
    seconds: float  # delay before the call is processed; it ends earlier when `over` is set
    retry_after: int
    why: str  # the description; empty: a usual one of this status
    after: bool  # the call is processed, but the connection is closed instead of a response
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Faults:
    faults: list[Fault]

    def add_fault(
        self,
        method: str,
        code: int = 0,
        *,
        times: int = 1,
        chat: Json | None = None,
        seconds: float = 0,
        retry_after: int = 0,
        why: str = "",
        after: bool = False,
    ) -> Fault:
        """fault("sendMessage", 429, retry_after=2); fault("getFile", 502); fault("download", seconds=3)"""
        new = Fault(method, code, times, chat and chat["id"], seconds, retry_after, why, after)
        self.faults.append(new)
        return new

    async def _apply_fault(self, method: str, chat: str | None) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.method == method and (fault.chat is None or str(fault.chat) == str(chat)):
                fault.times -= 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(fault.over.wait(), fault.seconds)
                if fault.code == 429:
                    why = f"Too Many Requests: retry after {fault.retry_after}"
                    raise Rejected(429, why, retry_after=fault.retry_after)
                if fault.code:
                    usual = {404: "Not Found", 502: "Bad Gateway", 401: "Unauthorized"}.get(fault.code, "Internal")
                    raise Rejected(fault.code, fault.why or usual)
                return fault
        return None
