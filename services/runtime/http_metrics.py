"""Counts what an HTTP application answers, by route and never by address."""

import time
from typing import Any

from services.runtime.metrics import HTTP_REQUESTS, HTTP_SECONDS

UNKNOWN = "(none)"


class CountRequests:
    """An ASGI layer; a stream counts when it begins, since it may last for days."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                _count(scope, message["status"], time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, sending)


def _count(scope: Any, status: int, seconds: float) -> None:
    # The router notes the route it found in the scope; a method of the caller's invention must not be a label.
    route = getattr(scope.get("route"), "path", UNKNOWN)
    method = scope["method"] if route != UNKNOWN else UNKNOWN
    HTTP_REQUESTS.labels(method, route, str(status)).inc()
    HTTP_SECONDS.labels(method, route).observe(seconds)
