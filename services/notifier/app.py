"""The notifier's wiring: routes and topics over use cases, from parts that somebody else made."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.middleware.cors import CORSMiddleware

from services.notifier.api.channels import channel_router
from services.notifier.api.deliveries import delivery_router
from services.notifier.api.endpoints import endpoint_router
from services.notifier.api.streams import stream_router
from services.notifier.api.tickets import ticket_router
from services.notifier.parts import Parts
from services.notifier.settings import NotifierSettings
from services.runtime.hand_over import HandOver
from services.runtime.health import readiness
from services.runtime.host_guard import HostGuard
from services.runtime.http_observer import ObserveRequests
from services.runtime.plain_paths import PlainPaths
from services.runtime.problems import ProblemDocuments
from services.runtime.route_table import RouteTable


def allowed_hosts(settings: NotifierSettings) -> frozenset[str]:
    """Host names this notifier answers to: its own address, and the public one that an ingress keeps."""
    local = {f"{name}:{settings.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return frozenset({urlsplit(settings.public_url).netloc, *local, *settings.allow_hosts})


def build_app(parts: Parts) -> Any:
    """Wire the whole application; nothing is connected here."""
    app: Any = ProblemDocuments(RouteTable(build_api(parts)))
    if parts.settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=parts.settings.cors_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type", "last-event-id", "traceparent"],
            expose_headers=["location", "retry-after"],
        )
    return HostGuard(PlainPaths(HandOver(ObserveRequests(app))), allowed_hosts(parts.settings))


def build_api(parts: Parts) -> FastAPI:
    """Declare the routes; the document of the console's is published with the gateway's."""
    app = FastAPI(title="Sorami notifier", openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(stream_router(parts), include_in_schema=False)
    app.include_router(ticket_router(parts))
    app.include_router(endpoint_router(parts))
    app.include_router(delivery_router(parts))
    app.include_router(channel_router(parts))

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        ready, reasons = await readiness(parts.checks)
        return JSONResponse({"status": "ready" if ready else "not ready", "reasons": reasons}, 200 if ready else 503)

    return app
