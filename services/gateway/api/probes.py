"""Liveness and readiness. Kafka is not among the checks: the gateway accepts jobs without it."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.gateway.parts import Parts
from services.runtime.health import readiness


def probe_router(parts: Parts) -> APIRouter:
    """Make /healthz and /readyz."""
    router = APIRouter(tags=["probes"])

    @router.get("/healthz", summary="Is the process alive?", operation_id="get_health")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @router.get("/readyz", summary="Can it take requests?", operation_id="get_readiness")
    async def readyz() -> JSONResponse:
        ready, reasons = await readiness(parts.checks)
        if ready:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reasons": reasons}, status_code=503)

    return router
