"""Answers that routes of one kind and of all kinds give alike: created, cancelled, not there."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from contracts.kinds import Kind
from contracts.messages import choose_language, failure_sentence
from contracts.scopes import Scope
from contracts.status import JobStatus
from services.gateway.api import shapes
from services.gateway.api.asking import limit_headers
from services.gateway.api.callers import caller
from services.gateway.parts import Parts
from services.gateway.queries import generations
from services.gateway.usecases.cancel_jobs import AlreadyFinished, NotOurs
from services.gateway.usecases.new_jobs import Asking
from services.gateway.usecases.request_generation import Accepted
from services.runtime.problems import Problem
from services.runtime.tracing import trace_of


def not_found() -> Problem:
    """Build the one answer for "not there" and "not yours"."""
    return Problem(404, "job_not_found", "there is no job of this id among yours")


def retry_after(body: dict[str, Any]) -> dict[str, str]:
    """Return when to ask again, for a job that goes on."""
    return {"Retry-After": str(body["poll_after"])} if body["poll_after"] is not None else {}


async def created(parts: Parts, asking: Asking, accepted: Accepted, wait: int | None) -> JSONResponse:
    """Answer 202; or, where waiting was preferred and the job ended in time, 200 with how it ended."""
    view = accepted.view
    headers = {"Location": f"/api/{view.kind.plural}/{view.job_id}/status", **limit_headers(accepted.remaining)}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    if wait is not None:
        headers["Preference-Applied"] = f"wait={wait}"
        await parts.await_jobs(view.job_id, wait)
        now = await generations.status(parts.own(asking.caller.user_id), view.kind, view.job_id)
        if now is not None and now.is_terminal:
            return JSONResponse(await _ended_body(parts, now, asking), headers=headers)
    body = shapes.created_body(view, accepted.language)
    return JSONResponse(body, status_code=202, headers=headers | {"Retry-After": "1"})


async def _ended_body(parts: Parts, view: generations.StatusView, asking: Asking) -> dict[str, Any]:
    body = shapes.status_body(view, asking.language)
    if view.status is not JobStatus.COMPLETED:
        return body
    found = await generations.generation(parts.own(asking.caller.user_id), view.kind, view.job_id)
    return body | (shapes.result_body(found, parts.public_url) if found else {})


async def cancelled(parts: Parts, request: Request, job_id: str, kind: Kind | None) -> JSONResponse:
    """Ask for the end of a job: 202 while it goes on, 200 once it is cancelled; raises a 404 or 409 problem."""
    asking = await caller(parts, request, Scope.JOBS_WRITE)
    trace = trace_of(request)
    try:
        view = await parts.cancel_jobs(asking, job_id, kind, trace)
    except AlreadyFinished as error:
        raise Problem(
            409,
            "job_already_finished",
            f"the job is {error.status}; there is nothing to cancel",
            job_status=error.status,
        ) from None
    except NotOurs:
        raise Problem(
            409, "job_not_ours", "an application wrote this generation by itself; cancel it there", job_status="PENDING"
        ) from None
    if view is None:
        raise not_found()
    body = shapes.status_body(view, choose_language(request.headers.get("accept-language")))
    return JSONResponse(body, status_code=200 if view.is_terminal else 202, headers=retry_after(body))


async def failure_of(parts: Parts, request: Request, kind: Kind, job_id: str, owner_id: str) -> dict[str, Any]:
    """Return the typed failure of a job, as every answer about one that failed has it; nothing for any other."""
    view = await generations.status(parts.own(owner_id), kind, job_id)
    if view is None or view.failure is None:
        return {}
    language = choose_language(request.headers.get("accept-language"))
    return {
        "failure": view.failure.model_dump(mode="json"),
        "error_message": failure_sentence(view.failure, language),
    }
