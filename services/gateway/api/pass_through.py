"""What the notifier serves; in a local run, where no ingress routes to it, the gateway passes it through."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

import contracts
from services.gateway.parts import Parts
from services.runtime.bodies import BODY_LIMIT
from services.runtime.callers import caller_of
from services.runtime.http_body import read_bytes
from services.runtime.problems import Problem

_FORWARDED = (
    "accept",
    "accept-language",
    "authorization",
    "content-encoding",
    "content-type",
    "cookie",
    "last-event-id",
    "origin",
    "traceparent",
)
_RETURNED = ("content-type", "cache-control", "location", "retry-after", "www-authenticate", "x-accel-buffering")
_DOCUMENT = Path(contracts.__file__).parent / "schemas" / "notifier.openapi.json"


@cache
def notifier_document() -> dict[str, Any]:
    """Return the notifier's own committed OpenAPI document."""
    document: dict[str, Any] = json.loads(_DOCUMENT.read_text(encoding="utf-8"))
    return document


def notifier_router(parts: Parts, document: dict[str, Any]) -> APIRouter:
    """Make a route for every one of the notifier's document."""
    router = APIRouter(include_in_schema=False)

    async def forward(request: Request) -> Response:
        return await pass_through(parts, request)

    for path, operations in document["paths"].items():
        router.add_api_route(path, forward, methods=[method.upper() for method in operations])
    return router


def with_notifier(document: dict[str, Any], notifiers: dict[str, Any]) -> dict[str, Any]:
    """Return the gateway's document with the notifier's paths and shapes added."""
    document["paths"] |= notifiers["paths"]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= notifiers.get("components", {}).get("schemas", {})
    return document


async def pass_through(parts: Parts, request: Request) -> Response:
    """Answer with what the notifier answers; raises a 503 problem when it is elsewhere or away."""
    import httpx

    if parts.streams is None:
        raise Problem(503, "streams_elsewhere", "the notifier serves this path; route it there")
    # As bytes: what a client sends may be no ASCII, and it is the notifier that judges it.
    headers = [(name, value) for name, value in request.headers.raw if name.decode("latin-1") in _FORWARDED]
    client: httpx.AsyncClient = parts.streams
    if not (request.method == "GET" and "ticket" in request.query_params):
        # Whoever is new here appears, since the notifier may make nobody; a ticket's owner was here before.
        await caller_of(request, parts.identities, own_origins=parts.own_origins)
    body = await read_bytes(request, limit=BODY_LIMIT)
    path = quote(request.scope["path"], safe="/")
    upstream = client.build_request(request.method, path, params=request.query_params, headers=headers, content=body)
    try:
        response = await client.send(upstream, stream=True)
    except httpx.HTTPError:
        raise Problem(
            503,
            "streams_unavailable",
            "the notifier is not available; try again in a moment",
            headers={"Retry-After": "1"},
        ) from None
    returned = {name: response.headers[name] for name in _RETURNED if name in response.headers}
    if response.status_code == 204:
        await response.aclose()
        return Response(status_code=204, headers=returned)
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        # The notifier says so of its own connection only: nothing may follow a stream that ends with its process.
        returned["connection"] = "close"
    return StreamingResponse(parts.passed_streams.chunks(response), status_code=response.status_code, headers=returned)
