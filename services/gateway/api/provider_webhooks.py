"""Providers call when an operation moved; what they say is not read."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.api import schemas
from services.gateway.parts import Parts
from services.runtime.http_body import read_bytes
from services.runtime.tracing import continue_trace

BODY_LIMIT = 256 * 1024
"""Bytes of a body that nobody reads: providers send what they made along."""


def provider_webhook_router(parts: Parts) -> APIRouter:
    """Make POST /api/webhooks/providers/{provider}/{token}."""
    router = APIRouter(prefix="/api/webhooks/providers", tags=["webhooks"])

    @router.post(
        "/{provider}/{token}",
        status_code=204,
        summary="A provider says that an operation moved",
        operation_id="hear_provider",
        responses=schemas.problems(413, 503)
        | {204: {"description": "Heard, whatever the token; the provider is asked, not believed"}},
    )
    async def hear(provider: str, token: str, request: Request) -> Response:
        await read_bytes(request, limit=BODY_LIMIT)
        await parts.hear_provider(provider, token, continue_trace(request.headers.get("traceparent")))
        return Response(status_code=204)

    return router
