"""Create, status, result, cancel and list, for every kind from one factory."""

from dataclasses import replace
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from contracts.faults import RequestRefused
from contracts.kinds import Kind
from contracts.messages import choose_language
from contracts.requests import REQUEST_MODELS, read_request
from contracts.scopes import Scope
from contracts.status import JobStatus
from services.gateway.api import job_schemas, schemas, shapes
from services.gateway.api.asking import (
    KEY_PARAMETER,
    PREFER_PARAMETER,
    WAIT_PARAMETER,
    acting_for,
    answered,
    asking_of,
    preferred_wait,
    read_wait,
)
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.api.job_answers import cancelled, created, failure_of, not_found, retry_after
from services.gateway.parts import Parts
from services.gateway.queries import generations
from services.runtime.bodies import BODY_LIMIT, refused
from services.runtime.cursors import cut_page, read_cursor, read_limit
from services.runtime.http_body import read_object
from services.runtime.problems import Problem

WHOLE_GALLERY = 5_000


def generation_router(parts: Parts, kind: Kind) -> APIRouter:  # noqa: C901 - six routes, each a few lines
    """Make the routes of a kind under /api/<plural>."""
    router = APIRouter(prefix=f"/api/{kind.plural}", tags=[kind.plural])

    @router.post(
        "/generate",
        status_code=202,
        summary=f"Ask for {kind.plural}",
        operation_id=f"request_{kind.name}",
        responses=job_schemas.created(kind),
        openapi_extra={
            "parameters": [KEY_PARAMETER, PREFER_PARAMETER],
            "requestBody": schemas.json_body(REQUEST_MODELS[kind.name]),
        },
    )
    async def generate(request: Request) -> JSONResponse:
        asking = asking_of(request, await caller(parts, request, Scope.JOBS_WRITE))
        wait = preferred_wait(request)
        try:
            wanted = read_request(kind, await read_object(request, limit=BODY_LIMIT))
        except RequestRefused as error:
            raise refused(error.faults) from None
        asking = replace(asking, caller=await acting_for(parts, asking.caller, wanted.user_id))
        return await created(parts, asking, await answered(parts.request_generation(asking, wanted)), wait)

    @router.get(
        "/user",
        summary=f"List my finished {kind.plural}",
        operation_id=f"list_{kind.plural}",
        responses=schemas.listed(kind),
        openapi_extra={"parameters": schemas.PAGING},
    )
    async def listed(request: Request) -> Response:
        asking = await caller(parts, request, Scope.MEDIA_READ)
        limit = read_limit(request.query_params.get("limit"))
        before = read_cursor(request.query_params.get("cursor"), asking.user_id, datetime, str)
        paged = limit is not None or before is not None
        most = (limit or 50) if paged else WHOLE_GALLERY
        found = await generations.completed_generations(parts.own(asking.user_id), kind, before=before, limit=most + 1)
        shown, cursor = cut_page(found, most, asking.user_id, lambda row: (row.created_at, row.id))
        return answer(request, shapes.gallery_body(shown, parts.public_url, cursor, paged=paged))

    @router.get(
        "/{job_id}/status",
        summary="See where a job stands",
        operation_id=f"get_{kind.name}_status",
        responses=schemas.status(kind),
        openapi_extra={"parameters": [WAIT_PARAMETER]},
    )
    async def status(job_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.JOBS_READ)
        wait = read_wait(request)
        view = await generations.status(parts.own(asking.user_id), kind, job_id)
        if view is not None and wait and view.ours and not view.is_terminal:
            await parts.await_jobs(job_id, wait)
            view = await generations.status(parts.own(asking.user_id), kind, job_id)
        if view is None:
            raise not_found()
        language = choose_language(request.headers.get("accept-language"))
        body = shapes.status_body(view, language, await parts.estimate_wait(view))
        return answer(request, body, by_language=True, headers=retry_after(body))

    @router.post(
        "/{job_id}/cancel",
        status_code=202,
        summary=f"Cancel a job for {kind.plural}",
        operation_id=f"cancel_{kind.name}",
        responses=job_schemas.CANCELLED,
    )
    async def cancel(job_id: str, request: Request) -> JSONResponse:
        return await cancelled(parts, request, job_id, kind)

    @router.get(
        "/{job_id}/result",
        summary=f"Get the {kind.plural} of a finished job",
        operation_id=f"get_{kind.name}_result",
        responses=schemas.result(kind),
    )
    async def result(job_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.JOBS_READ)
        found = await generations.generation(parts.own(asking.user_id), kind, job_id)
        if found is None:
            raise not_found()
        if found.job_status is not JobStatus.COMPLETED:
            raise Problem(
                409,
                "job_not_finished"
                if found.job_status in (JobStatus.PENDING, JobStatus.GENERATING)
                else "job_has_no_result",
                f"the job is {found.job_status}; only a COMPLETED job has a result",
                job_status=found.job_status.value,
                **await failure_of(parts, request, kind, job_id, asking.user_id),
            )
        return answer(request, shapes.result_body(found, parts.public_url))

    return router
