"""What an HTTP application answers, counted and traced: by route and never by address."""

import time
from typing import Any

from services.runtime.metrics import HTTP_REQUESTS, HTTP_SECONDS
from services.runtime.tracing import SCOPE_KEY, RequestSpan, span_of_request

UNKNOWN = "(none)"
_PROBES = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds, and part of nobody's work."""


class ObserveRequests:
    """An ASGI layer; a request is over for it when its answer begins, since a stream may last for days."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        span = span_of_request(_traceparent(scope), scope["method"]) if scope["path"] not in _PROBES else None
        if span is not None:
            scope[SCOPE_KEY] = span.context

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                _note(scope, message["status"], time.perf_counter() - began, span)
            await send(message)

        await self._app(scope, receive, sending)


def _traceparent(scope: Any) -> str | None:
    found = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
    return found.decode("latin-1") if found is not None else None


def _note(scope: Any, status: int, seconds: float, span: RequestSpan | None) -> None:
    # RouteTable notes the route it found in the scope; a method of the caller's invention must not be a label.
    route = scope.get("route", UNKNOWN)
    method = scope["method"] if route != UNKNOWN else UNKNOWN
    HTTP_REQUESTS.labels(method, route, str(status)).inc()
    HTTP_SECONDS.labels(method, route).observe(seconds)
    if span is not None:
        span.end(method, route, status)
