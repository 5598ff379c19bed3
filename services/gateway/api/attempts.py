"""Every attempt at a job, as its owner sees it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.messages import choose_language
from contracts.scopes import Scope
from services.gateway.api import job_schemas, shapes
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.api.job_answers import not_found
from services.gateway.parts import Parts
from services.gateway.queries import jobs
from services.gateway.queries.attempts import attempts


def attempt_router(parts: Parts) -> APIRouter:
    """Make GET /api/jobs/{job_id}/attempts."""
    router = APIRouter(prefix="/api/jobs", tags=["jobs"])

    @router.get(
        "/{job_id}/attempts",
        summary="List every attempt at a job",
        operation_id="list_job_attempts",
        responses=job_schemas.ATTEMPTS,
    )
    async def listed(job_id: str, request: Request) -> Response:
        asking = await caller(parts, request, Scope.JOBS_READ)
        if await jobs.job(parts.own(asking.user_id), job_id) is None:
            raise not_found()
        language = choose_language(request.headers.get("accept-language"))
        found = await attempts(parts.own(asking.user_id), job_id)
        body = {"job_id": job_id, "attempts": [shapes.attempt_body(one, language) for one in found]}
        return answer(request, body, by_language=True)

    return router
