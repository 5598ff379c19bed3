"""Server-sent events: all of my jobs, those of a batch, or one."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from contracts.ids import is_safe_id
from contracts.kinds import KINDS, Kind
from contracts.messages import choose_language
from contracts.status import TERMINAL, JobStatus
from services.notifier.api.callers import watcher, while_allowed
from services.notifier.parts import Parts
from services.notifier.usecases.watch_jobs import Frames
from services.runtime.cursors import DEFAULT, read_limit
from services.runtime.hand_over import LastingAnswer
from services.runtime.problems import Problem

# A stream ends when its process stops, too; a request sent next on the same connection would be lost with it.
_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no", "Connection": "close"}


def _last_event_id(request: Request) -> int | None:
    text = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
    return _number(text, "last_event_id_invalid", "Last-Event-ID must be an id that this stream gave")


def _number(text: str | None, code: str, detail: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Problem(400, code, detail)
    return int(text)


def _wants_pages(request: Request) -> bool:
    """Tell whether JSON pages are asked for; the same address streams when `text/event-stream` is."""
    accept = request.headers.get("accept", "")
    if "text/event-stream" in accept:
        return False
    return "application/json" in accept or "after" in request.query_params


def _streaming(frames: Frames) -> LastingAnswer:
    return LastingAnswer(frames, "text/event-stream; charset=utf-8", _HEADERS)


def _refuse_too_many(parts: Parts, user_id: str) -> None:
    if parts.hub.is_full(user_id):
        raise Problem(
            429,
            "too_many_streams",
            "you watch by too many streams already; close one, or watch all jobs by one at /api/events",
            headers={"Retry-After": "5"},
        )


def stream_router(parts: Parts) -> APIRouter:
    """Make /api/events, /api/batches/<id>/events and /api/<plural>/<id>/events."""
    router = APIRouter(tags=["events"])

    @router.get("/api/events", summary="Watch all my jobs", operation_id="stream_events")
    async def events(request: Request) -> Response:
        who = await watcher(parts, request)
        language = choose_language(request.headers.get("accept-language"))
        if _wants_pages(request):
            after = _number(request.query_params.get("after"), "after_invalid", "after must be the n of an event")
            limit = read_limit(request.query_params.get("limit")) or DEFAULT
            return JSONResponse(await parts.watch_jobs.page_of_user(who.user_id, after or 0, limit, language))
        last_id = _last_event_id(request)
        _refuse_too_many(parts, who.user_id)
        return _streaming(while_allowed(who, parts.watch_jobs.of_user(who.user_id, last_id, language)))

    @router.get("/api/batches/{batch_id}/events", operation_id="stream_batch_events")
    async def of_batch(batch_id: str, request: Request) -> Response:
        who = await watcher(parts, request)
        last_id = _last_event_id(request)
        over = await parts.watch_jobs.batch_is_over(batch_id, who.user_id, last_id) if is_safe_id(batch_id) else None
        if over is None:
            raise Problem(404, "batch_not_found", "there is no batch of this id among yours")
        if over:
            return Response(status_code=204)
        _refuse_too_many(parts, who.user_id)
        language = choose_language(request.headers.get("accept-language"))
        return _streaming(while_allowed(who, parts.watch_jobs.of_batch(who.user_id, batch_id, last_id, language)))

    for kind in KINDS.values():
        _add_job_stream(router, parts, kind, kind.plural)
    _add_job_stream(router, parts, None, "jobs")
    return router


def _add_job_stream(router: APIRouter, parts: Parts, kind: Kind | None, path: str) -> None:
    """Make the stream of a job of one kind, or of any."""

    @router.get(f"/api/{path}/{{job_id}}/events", operation_id=f"stream_{kind.name if kind else 'job'}_events")
    async def of_job(job_id: str, request: Request) -> Response:
        who = await watcher(parts, request)
        last_id = _last_event_id(request)
        job: Any = await parts.watch_jobs.job(kind, job_id, who.user_id)
        if job is None:
            raise Problem(404, "job_not_found", "there is no job of this id among yours")
        over = JobStatus(job["status"]) in TERMINAL
        if over and await parts.watch_jobs.is_over(job_id, last_id or 0):
            # The end was seen, or is so long ago that nothing replays it; after 204 a browser stops reconnecting.
            return Response(status_code=204)
        _refuse_too_many(parts, who.user_id)
        language = choose_language(request.headers.get("accept-language"))
        frames = parts.watch_jobs.of_job(who.user_id, job_id, last_id, language)
        return _streaming(while_allowed(who, frames))
