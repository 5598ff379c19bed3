"""Event streams: the notifier's, passed through in a local run."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from contracts.kinds import KINDS
from services.gateway.api import schemas
from services.gateway.api.pass_through import pass_through as forward
from services.gateway.parts import Parts
from services.runtime.cursors import MOST

_PAGING: list[dict[str, Any]] = [
    {
        "name": "after",
        "in": "query",
        "description": "The n of the last event that was seen; 0 from the beginning. Answers JSON instead of a stream.",
        "schema": {"type": "integer", "minimum": 0},
    },
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST}},
]


_WATCHING: list[dict[str, Any]] = [
    {"name": "ticket", "in": "query", "description": "One of /api/stream-tickets.", "schema": {"type": "string"}},
    {
        "name": "last_event_id",
        "in": "query",
        "description": "For whoever cannot send Last-Event-ID: what came after it is told first.",
        "schema": {"type": "integer", "minimum": 0},
    },
]


class EventPage(BaseModel):
    """A page of the catch-up feed: what happened to all jobs of the caller, in order, without gaps."""

    events: list[dict[str, Any]]
    next_after: int = Field(description="The `after` of the next page.")
    more: bool
    gap: bool = Field(description="Whether events between `after` and the first of these are kept no more.")


def stream_router(parts: Parts) -> APIRouter:
    """Make GET /api/events and the streams of single jobs and of batches."""
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

    async def of_all(request: Request) -> Response:
        return await forward(parts, request)

    router.add_api_route(
        "/api/events",
        of_all,
        methods=["GET"],
        summary="Watch all my jobs, or read what happened page by page",
        description="Streams; with `after`, or when JSON is asked for, answers a page of the events after that number.",
        operation_id="stream_events",
        responses=about["responses"]
        | schemas.problems(422)
        | {
            200: {
                "description": "Server-sent events, or a page",
                "content": {
                    "text/event-stream": {"schema": {"type": "string"}},
                    "application/json": {"schema": EventPage.model_json_schema()},
                },
            }
        },
        openapi_extra={"parameters": [*_WATCHING, *_PAGING]},
    )

    async def of_job(job_id: str, request: Request) -> Response:
        return await forward(parts, request)

    for path, name, words in _JOB_STREAMS:
        router.add_api_route(
            f"/api/{path}/{{job_id}}/events",
            of_job,
            methods=["GET"],
            summary=f"Watch one {words}",
            operation_id=f"stream_{name}_events",
            openapi_extra={"parameters": _WATCHING},
            **about,
        )

    async def of_batch(batch_id: str, request: Request) -> Response:
        return await forward(parts, request)

    router.add_api_route(
        "/api/batches/{batch_id}/events",
        of_batch,
        methods=["GET"],
        summary="Watch the jobs of a batch until the last has ended",
        operation_id="stream_batch_events",
        openapi_extra={"parameters": _WATCHING},
        **about,
    )
    return router


_JOB_STREAMS = [(kind.plural, kind.name, f"{kind.name} job") for kind in KINDS.values()]
_JOB_STREAMS.append(("jobs", "job", "job of any kind"))
