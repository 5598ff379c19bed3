"""The notifier's wiring: routes and topics over use cases, from parts that somebody else made."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from services.notifier.api.streams import stream_router
from services.notifier.parts import Parts
from services.notifier.settings import NotifierSettings
from services.runtime.health import readiness
from services.runtime.host_guard import HostGuard
from services.runtime.problems import install_problem_handlers


def allowed_hosts(settings: NotifierSettings) -> frozenset[str]:
    """Host names this notifier answers to: its own address, and the public one that an ingress keeps."""
    local = {f"{name}:{settings.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return frozenset({urlsplit(settings.public_url).netloc, *local, *settings.allow_hosts})


def build_app(parts: Parts) -> Any:
    """Wire the HTTP application; nothing is connected here."""
    app = FastAPI(title="Sorami notifier", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    install_problem_handlers(app)
    app.include_router(stream_router(parts))

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        ready, reasons = await readiness(parts.checks)
        return JSONResponse({"status": "ready" if ready else "not ready", "reasons": reasons}, 200 if ready else 503)

    return HostGuard(app, allowed_hosts(parts.settings))
