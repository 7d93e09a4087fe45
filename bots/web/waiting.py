"""Waiting for a caption, for programs that want the sentence in the answer to the upload."""

import asyncio
import time

from sse_starlette.sse import AppStatus

from bots.service.views import CaptionView
from bots.web.events import CaptionEvents

MAX_WAIT = 60.0  # seconds; proxies give up a silent request after about so long
STOP_INTERVAL = 0.5  # seconds between two looks whether the server stops


async def finished(caption_events: CaptionEvents, id: str, person: str, seconds: float) -> CaptionView | None:
    """The caption once it is done or has failed; None if that takes longer, or the server stops meanwhile."""

    async def first() -> CaptionView | None:
        async for view in caption_events.stream([id], person):
            return view
        return None

    end = time.monotonic() + seconds
    waiting = asyncio.create_task(first())
    try:
        while not waiting.done() and not AppStatus.should_exit and (left := end - time.monotonic()) > 0:
            await asyncio.wait([waiting], timeout=min(left, STOP_INTERVAL))
        return await waiting if waiting.done() else None
    finally:
        waiting.cancel()
