"""Jobs of every kind: list, one, cancel, retry."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BeforeValidator, Field
from starlette.responses import Response

from contracts.faults import fault
from contracts.kinds import KINDS
from contracts.messages import choose_language
from contracts.scopes import Scope
from contracts.status import JobStatus
from services.gateway.api import job_schemas, shapes
from services.gateway.api.asking import (
    KEY_PARAMETER,
    PREFER_PARAMETER,
    WAIT_PARAMETER,
    answered,
    asking_of,
    preferred_wait,
    read_wait,
)
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.api.job_answers import cancelled, created, not_found, retry_after
from services.gateway.parts import Parts
from services.gateway.queries import jobs
from services.gateway.usecases.retry_job import NotFailed
from services.runtime.bodies import BODY_LIMIT, Body, Query, read_body, read_query
from services.runtime.cursors import DEFAULT, cut_page, read_cursor, read_limit
from services.runtime.moments import Moment
from services.runtime.problems import Problem

Words = Annotated[str, Field(min_length=1, max_length=100)]


def _comma_list(value: Any) -> Any:
    return [part for text in value for part in str(text).split(",")] if isinstance(value, list) else value


def _known_kind(name: str) -> str:
    if name not in KINDS:
        raise fault("kind_unsupported", f"kind must be one of {', '.join(KINDS)}")
    return name


class JobsQuery(Query):
    """Which jobs are listed."""

    status: Annotated[list[JobStatus], BeforeValidator(_comma_list)] = Field(default=[], max_length=5)
    kind: Annotated[str, AfterValidator(_known_kind)] | None = None
    model: Words | None = None
    origin: Literal["api", "application", "backend-direct"] | None = None
    batch_id: Words | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    limit: str | None = None
    cursor: str | None = None


class RetryBody(Body):
    """A retry is the same request again: nothing can be changed."""


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_MOMENT = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}
PAGE_PARAMETERS: list[dict[str, Any]] = [
    _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": DEFAULT}, "How many to answer."),
    _parameter("cursor", {"type": "string"}, "The next_cursor of the page before."),
]
_STATUSES = {"type": "array", "items": {"type": "string", "enum": [status.value for status in JobStatus]}}
LIST_PARAMETERS: list[dict[str, Any]] = [
    _parameter("status", _STATUSES, "Only these; several by comma or by repetition."),
    _parameter("kind", {"type": "string", "enum": list(KINDS)}, "Only this kind."),
    _parameter("model", {"type": "string", "minLength": 1, "maxLength": 100}, "Only this model."),
    _parameter("origin", {"type": "string", "enum": ["api", "application", "backend-direct"]}, "Who made the row."),
    _parameter("batch_id", {"type": "string", "minLength": 1, "maxLength": 100}, "Only jobs of this batch."),
    _parameter("created_after", _MOMENT, "From this moment on."),
    _parameter("created_before", _MOMENT, "Before this moment."),
    *PAGE_PARAMETERS,
]


def job_router(parts: Parts) -> APIRouter:
    """Make the routes under /api/jobs."""
    router = APIRouter(prefix="/api/jobs", tags=["jobs"])

    @router.get(
        "",
        summary="List my jobs of every kind and state",
        operation_id="list_jobs",
        responses=job_schemas.LISTED,
        openapi_extra={"parameters": LIST_PARAMETERS},
    )
    async def listed(request: Request) -> Response:
        asking = await caller(parts, request, Scope.JOBS_READ)
        wanted = read_query(request, JobsQuery)
        most = read_limit(wanted.limit) or DEFAULT
        before = read_cursor(wanted.cursor, asking.user_id, datetime, str)
        found = await jobs.jobs_page(parts.own(asking.user_id), _filter(wanted), before=before, limit=most + 1)
        shown, cursor = cut_page(found, most, asking.user_id, lambda job: (job.status.created_at, job.status.job_id))
        language = choose_language(request.headers.get("accept-language"))
        body = {"jobs": [shapes.job_body(job, language) for job in shown], "next_cursor": cursor}
        return answer(request, body, by_language=True)

    @router.get(
        "/{job_id}",
        summary="See a job of any kind",
        operation_id="get_job",
        responses=job_schemas.ONE_JOB,
        openapi_extra={"parameters": [WAIT_PARAMETER]},
    )
    async def one(job_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.JOBS_READ)
        wait = read_wait(request)
        found = await jobs.job(parts.own(asking.user_id), job_id)
        if found is not None and wait and found.status.ours and not found.status.is_terminal:
            await parts.await_jobs(job_id, wait)
            found = await jobs.job(parts.own(asking.user_id), job_id)
        if found is None:
            raise not_found()
        language = choose_language(request.headers.get("accept-language"))
        body = shapes.job_body(found, language, await parts.estimate_wait(found.status))
        return answer(request, body, by_language=True, headers=retry_after(body))

    @router.post(
        "/{job_id}/cancel",
        status_code=202,
        summary="Cancel a job of any kind",
        operation_id="cancel_job",
        responses=job_schemas.CANCELLED,
    )
    async def cancel(job_id: str, request: Request) -> JSONResponse:
        return await cancelled(parts, request, job_id, None)

    @router.post(
        "/{job_id}/retry",
        status_code=202,
        summary="Ask again for what failed",
        operation_id="retry_job",
        responses=job_schemas.RETRIED,
        openapi_extra={"parameters": [KEY_PARAMETER, PREFER_PARAMETER], "requestBody": _OPTIONAL_BODY},
    )
    async def retry(job_id: str, request: Request) -> JSONResponse:
        asking = asking_of(request, await caller(parts, request, Scope.JOBS_WRITE))
        wait = preferred_wait(request)
        await _read_nothing(request)
        try:
            accepted = await answered(parts.retry_job(asking, job_id))
        except NotFailed as error:
            raise Problem(
                409,
                "job_not_failed",
                f"the job is {error.status}; only a job that FAILED or was CANCELLED is retried",
                job_status=error.status,
            ) from None
        if accepted is None:
            raise not_found()
        return await created(parts, asking, accepted, wait)

    return router


_OPTIONAL_BODY: dict[str, Any] = {
    "required": False,
    "content": {"application/json": {"schema": RetryBody.model_json_schema()}},
}


async def _read_nothing(request: Request) -> None:
    """Take an empty body, or an empty object; raises a 4xx problem for any other."""
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return
    await read_body(request, RetryBody, limit=BODY_LIMIT)


def _filter(wanted: JobsQuery) -> jobs.JobFilter:
    return jobs.JobFilter(
        status=[status.value for status in wanted.status],
        kind=wanted.kind,
        model=wanted.model,
        origin=wanted.origin,
        batch_id=wanted.batch_id,
        created_after=wanted.created_after,
        created_before=wanted.created_before,
    )
