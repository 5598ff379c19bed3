"""The notifier's wiring: routes and topics over use cases, from parts that somebody else made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from services.notifier.api.streams import stream_router
from services.notifier.channels.streams import Hub
from services.notifier.handlers import subscribe
from services.notifier.settings import NotifierSettings
from services.notifier.usecases.deliver_webhooks import DeliverWebhooks
from services.notifier.usecases.plan_deliveries import PlanDeliveries
from services.notifier.usecases.watch_jobs import WatchJobs
from services.runtime.consumer import Subscriptions
from services.runtime.health import Check, readiness
from services.runtime.host_guard import HostGuard
from services.runtime.identity import Identities
from services.runtime.problems import install_problem_handlers


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the notifier's routes and handlers use."""

    settings: NotifierSettings
    identities: Identities
    hub: Hub
    watch_jobs: WatchJobs
    plan_deliveries: PlanDeliveries
    deliver_webhooks: DeliverWebhooks
    checks: Mapping[str, Check]

    @property
    def delivers(self) -> bool:
        """Whether anybody is told by webhook."""
        return bool(self.settings.legacy_urls())


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


def connect(subscriptions: Subscriptions, parts: Parts) -> None:
    """Subscribe the handlers."""
    subscribe(subscriptions, parts)
