"""The seeds' inbound webhooks: a backend reports with a shared secret."""

import hmac

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from contracts.kinds import Kind
from contracts.legacy_webhook import SECRET_HEADER, WebhookRefused, read_backend_webhook
from services.gateway.api import schemas
from services.gateway.parts import Parts
from services.gateway.usecases.accept_backend_webhook import IgnoredReport, Parked, Refused
from services.runtime.bodies import refused
from services.runtime.http_body import read_object
from services.runtime.problems import Problem
from services.runtime.tracing import trace_of

BODY_LIMIT = 1024 * 1024


def backend_webhook_router(parts: Parts, kind: Kind) -> APIRouter:
    """Make POST /api/webhooks/<kind>-completion."""
    router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])

    @router.post(
        f"/{kind.name}-completion",
        summary=f"A backend reports on a job for {kind.plural}",
        operation_id=f"report_{kind.name}",
        responses=schemas.problems(400, 401, 404, 409, 413, 415, 422, 503) | {200: {"model": schemas.WebhookAnswer}},
        openapi_extra={
            "parameters": [{"name": SECRET_HEADER, "in": "header", "required": True, "schema": {"type": "string"}}],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
        },
    )
    async def report(request: Request) -> JSONResponse:
        _check_secret(parts, request.headers.get(SECRET_HEADER, ""))
        body = await read_object(request, limit=BODY_LIMIT)
        try:
            said = read_backend_webhook(kind, body)
        except WebhookRefused as error:
            if error.mismatch:
                raise Problem(409, "job_id_mismatch", error.faults[0].detail) from None
            raise refused(error.faults) from None
        outcome = await parts.accept_backend_webhook(said, body, trace_of(request))
        match outcome:
            case Refused():
                raise Problem(404, "job_not_found", "no job has this id, and unknown jobs are refused here")
            case IgnoredReport(state):
                return JSONResponse({"success": True, "ignored": True, "state": state})
            case Parked():
                return JSONResponse({"success": True, "parked": True})
            case _:
                return JSONResponse({"success": True})

    return router


def _check_secret(parts: Parts, given: str) -> None:
    secret = parts.settings.webhook_secret
    expected = secret.get_secret_value() if secret else ""
    if not expected:
        raise Problem(503, "webhook_secret_unset", "set WEBHOOK_SECRET; without it no webhook can be believed")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Problem(401, "webhook_signature_invalid", f"the {SECRET_HEADER} header is missing or wrong")
