"""Event streams are the notifier's; in a local run, where no ingress routes to it, the gateway passes them through."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from contracts.kinds import KINDS
from services.gateway.api import schemas
from services.gateway.parts import Parts
from services.runtime.problems import Problem

_FORWARDED = ("authorization", "cookie", "last-event-id", "accept", "accept-language")
_RETURNED = ("content-type", "cache-control", "retry-after", "www-authenticate", "x-accel-buffering")


def stream_router(parts: Parts) -> APIRouter:
    """Make GET /api/events and GET /api/<plural>/<id>/events."""
    router = APIRouter(tags=["events"])
    about: dict[str, Any] = {
        "responses": {
            200: {
                "description": "Server-sent events",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            204: {"description": "Nothing more will come; a browser stops reconnecting"},
        }
        | schemas.problems(400, 401, 403, 404, 429, 503)
    }

    async def pass_through(request: Request) -> Response:
        return await _pass_through(parts, request)

    router.add_api_route(
        "/api/events",
        pass_through,
        methods=["GET"],
        summary="Watch all my jobs",
        operation_id="stream_events",
        **about,
    )

    async def of_job(job_id: str, request: Request) -> Response:
        return await _pass_through(parts, request)

    for path, name, words in _JOB_STREAMS:
        router.add_api_route(
            f"/api/{path}/{{job_id}}/events",
            of_job,
            methods=["GET"],
            summary=f"Watch one {words}",
            operation_id=f"stream_{name}_events",
            **about,
        )
    return router


_JOB_STREAMS = [(kind.plural, kind.name, f"{kind.name} job") for kind in KINDS.values()]
_JOB_STREAMS.append(("jobs", "job", "job of any kind"))


async def _pass_through(parts: Parts, request: Request) -> Response:
    import httpx

    if parts.streams is None:
        raise Problem(503, "streams_elsewhere", "event streams are served by the notifier; route this path to it")
    # As bytes: what a client sends may be no ASCII, and it is the notifier that judges it.
    headers = [(name, value) for name, value in request.headers.raw if name.decode("latin-1") in _FORWARDED]
    client: httpx.AsyncClient = parts.streams
    path = quote(request.scope["path"], safe="/")
    upstream = client.build_request("GET", path, params=request.query_params, headers=headers)
    try:
        response = await client.send(upstream, stream=True)
    except httpx.HTTPError:
        raise Problem(
            503,
            "streams_unavailable",
            "event streams are not available; try again in a moment",
            headers={"Retry-After": "1"},
        ) from None
    returned = {name: response.headers[name] for name in _RETURNED if name in response.headers}
    return StreamingResponse(_body(response), status_code=response.status_code, headers=returned)


async def _body(response: Any) -> Any:
    import httpx

    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except httpx.HTTPError:
        # The notifier went away; ending the answer makes the client reconnect with its last event id.
        return
    finally:
        await response.aclose()
