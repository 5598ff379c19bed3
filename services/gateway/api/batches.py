"""Batches: many jobs in one request, watched and cancelled as one."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from contracts.batches import BatchRequest, read_batch
from contracts.faults import RequestRefused
from contracts.messages import choose_language
from contracts.scopes import Scope
from services.gateway.api import job_schemas, schemas, shapes
from services.gateway.api.asking import KEY_PARAMETER, acting_for, answered, asking_of, limit_headers
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.api.jobs import PAGE_PARAMETERS
from services.gateway.parts import Parts
from services.gateway.queries import batches, jobs
from services.gateway.usecases.cancel_jobs import AlreadyFinished
from services.runtime.bodies import refused
from services.runtime.cursors import DEFAULT, cut_page, read_cursor, read_limit
from services.runtime.http_body import read_object
from services.runtime.identity import Caller
from services.runtime.problems import Problem
from services.runtime.tracing import trace_of

BATCH_LIMIT = 1024 * 1024
"""Bytes: room for a hundred prompts of full length."""


def _not_found() -> Problem:
    return Problem(404, "batch_not_found", "there is no batch of this id among yours")


def batch_router(parts: Parts) -> APIRouter:
    """Make the routes under /api/batches."""
    router = APIRouter(prefix="/api/batches", tags=["batches"])

    @router.post(
        "",
        status_code=202,
        summary="Ask for many jobs at once, all or none",
        operation_id="request_batch",
        responses=job_schemas.BATCH_CREATED,
        openapi_extra={"parameters": [KEY_PARAMETER], "requestBody": schemas.json_body(BatchRequest)},
    )
    async def create(request: Request) -> JSONResponse:
        asking = asking_of(request, await caller(parts, request, Scope.JOBS_WRITE))
        try:
            wanted = read_batch(await read_object(request, limit=BATCH_LIMIT))
        except RequestRefused as error:
            raise refused(error.faults) from None
        asking = replace(asking, caller=await acting_for(parts, asking.caller, wanted.jobs[0].user_id))
        accepted = await answered(parts.request_batch(asking, wanted))
        headers = {"Location": f"/api/batches/{accepted.batch_id}", "Retry-After": "1"}
        if accepted.replayed:
            headers["Idempotency-Replayed"] = "true"
        made = [shapes.created_body(view, accepted.language) for view in accepted.views]
        return JSONResponse(
            {"batch_id": accepted.batch_id, "jobs": made},
            status_code=202,
            headers=headers | limit_headers(accepted.remaining),
        )

    @router.get(
        "",
        summary="List my batches",
        operation_id="list_batches",
        responses=job_schemas.BATCHES,
        openapi_extra={"parameters": PAGE_PARAMETERS},
    )
    async def listed(request: Request) -> Response:
        asking = await caller(parts, request, Scope.JOBS_READ)
        most = read_limit(request.query_params.get("limit")) or DEFAULT
        before = read_cursor(request.query_params.get("cursor"), asking.user_id, datetime, str)
        found = await batches.batches_page(parts.own(asking.user_id), before=before, limit=most + 1)
        shown, cursor = cut_page(found, most, asking.user_id, lambda row: (row.created_at, row.id))
        return answer(request, {"batches": [shapes.batch_body(one) for one in shown], "next_cursor": cursor})

    @router.get("/{batch_id}", summary="Watch a batch", operation_id="get_batch", responses=job_schemas.ONE_BATCH)
    async def one(batch_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.JOBS_READ)
        found = await batches.batch(parts.own(asking.user_id), batch_id)
        if found is None:
            raise _not_found()
        return answer(request, await _body(parts, request, asking, found), by_language=True)

    @router.post(
        "/{batch_id}/cancel",
        status_code=202,
        summary="Cancel the open jobs of a batch",
        operation_id="cancel_batch",
        responses=job_schemas.BATCH_CANCELLED,
    )
    async def cancel(batch_id: str, request: Request) -> JSONResponse:
        asking = await caller(parts, request, Scope.JOBS_WRITE)
        trace = trace_of(request)
        try:
            found = await parts.cancel_jobs.batch(asking, batch_id, trace)
        except AlreadyFinished:
            raise Problem(
                409, "batch_already_finished", "every job of this batch has ended; there is nothing to cancel"
            ) from None
        if found is None:
            raise _not_found()
        over = shapes.batch_body(found)["ended"]
        return JSONResponse(await _body(parts, request, asking, found), status_code=200 if over else 202)

    return router


async def _body(parts: Parts, request: Request, asking: Caller, found: batches.BatchView) -> dict[str, Any]:
    language = choose_language(request.headers.get("accept-language"))
    made = await jobs.jobs_of_batch(parts.own(asking.user_id), found.id)
    return shapes.batch_body(found) | {"jobs": [shapes.job_body(job, language) for job in made]}
