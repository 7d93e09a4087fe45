"""A reverse proxy that shows a site below a path of its host, like `location /captions/ { proxy_pass URL/; }` of nginx.

The rest of the host belongs to others, so every request that is not below the path is answered by 404.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding"}


def stripping_proxy(url: str, root_path: str, *, strip: bool = True) -> Starlette:
    """The proxy of the site at this URL. strip: whether it cuts the root path off, as the name says, or leaves it."""
    client = httpx.AsyncClient(base_url=url, timeout=30)

    async def forward(request: Request) -> Response:
        path = request.url.path.removeprefix(root_path) if strip else request.url.path
        asked = client.build_request(
            request.method,
            httpx.URL(path=path, query=request.url.query.encode()),
            headers=[pair for pair in request.headers.raw if pair[0].decode() not in HOP_BY_HOP],
            content=await request.body(),
        )
        answer = await client.send(asked, stream=True)
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
        response.raw_headers = [pair for pair in answer.headers.raw if pair[0].decode().lower() not in HOP_BY_HOP]
        return response

    @asynccontextmanager
    async def closing(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    route = Route(f"{root_path}/{{path:path}}", forward, methods=["GET", "POST", "PUT", "DELETE"])
    return Starlette(routes=[route], lifespan=closing)
