"""The gateway's wiring: routes over use cases, from parts that somebody else made."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from contracts.kinds import KINDS
from services.gateway.api.albums import album_item_router, album_router
from services.gateway.api.attempts import attempt_router
from services.gateway.api.backend_webhooks import backend_webhook_router
from services.gateway.api.batches import batch_router
from services.gateway.api.dead_letters import dead_letter_router
from services.gateway.api.deletions import deletion_router
from services.gateway.api.document import secure_document
from services.gateway.api.downloads import download_router
from services.gateway.api.examples import with_examples
from services.gateway.api.favourites import favourite_router
from services.gateway.api.gallery import gallery_router
from services.gateway.api.generations import generation_router
from services.gateway.api.generators import generator_router
from services.gateway.api.jobs import job_router
from services.gateway.api.keys import key_router
from services.gateway.api.me import me_router
from services.gateway.api.media import media_router
from services.gateway.api.models import model_router
from services.gateway.api.notifications import notification_router
from services.gateway.api.orphans import orphan_router
from services.gateway.api.pages import page_router, security_headers
from services.gateway.api.pass_through import notifier_document, notifier_router, with_notifier
from services.gateway.api.pauses import pause_router
from services.gateway.api.probes import probe_router
from services.gateway.api.problem_pages import problem_router
from services.gateway.api.provider_webhooks import provider_webhook_router
from services.gateway.api.queues import queue_router
from services.gateway.api.shared import shared_router
from services.gateway.api.shares import share_router
from services.gateway.api.signin import signin_router
from services.gateway.api.streams import stream_router
from services.gateway.api.system_health import system_health_router
from services.gateway.api.uploads import upload_router
from services.gateway.parts import MediaParts, Parts
from services.gateway.settings import GatewaySettings
from services.gateway.usecases.begin_upload import BeginUpload
from services.gateway.usecases.begin_worker_upload import BeginWorkerUpload
from services.gateway.usecases.cancel_jobs import CancelJobs
from services.gateway.usecases.delete_generations import DeleteGenerations
from services.gateway.usecases.finish_upload import FinishUpload
from services.gateway.usecases.resolve_input import ResolveInput
from services.gateway.usecases.stream_zip import StreamZip
from services.gateway.usecases.sweep_uploads import SweepUploads
from services.runtime.database import Pool
from services.runtime.host_guard import HostGuard
from services.runtime.http_observer import ObserveRequests
from services.runtime.plain_paths import PlainPaths
from services.runtime.problems import ProblemDocuments
from services.runtime.route_table import RouteTable
from services.runtime.signed_objects import SignedObjects
from services.runtime.signed_urls import UrlSigner
from services.runtime.webhook_addresses import AddressRules

VERSION = "0.1.0"


def allowed_hosts(settings: GatewaySettings) -> frozenset[str]:
    """Host names this gateway answers to."""
    own = urlsplit(settings.public_url).netloc
    local = {f"{name}:{settings.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return frozenset({own, *local, *settings.allow_hosts})


def build_media(
    settings: GatewaySettings, pool: Pool, signer: UrlSigner, objects: SignedObjects, cancel_jobs: CancelJobs
) -> MediaParts:
    """Wire what uploads, deletions and downloads need."""
    return MediaParts(
        begin_upload=BeginUpload(
            pool, signer, most_a_day=settings.uploads_per_day, most_bytes_a_day=settings.upload_bytes_per_day
        ),
        finish_upload=FinishUpload(pool, objects),
        sweep_uploads=SweepUploads(pool, objects, kept_days=settings.upload_days),
        delete_generations=DeleteGenerations(pool, cancel_jobs.ask, window_days=settings.restore_days),
        stream_zip=StreamZip(objects),
        begin_worker_upload=BeginWorkerUpload(pool, signer),
    )


def build_resolve_input(settings: GatewaySettings, pool: Pool, finish_upload: FinishUpload) -> ResolveInput:
    """Wire what input images are judged by: our own addresses and hosts, and those an operator allows."""
    servers = [settings.public_url, settings.s3_endpoint_url, settings.s3_public_endpoint_url]
    hosts = {urlsplit(address).hostname for address in servers if address}
    hosts |= {address.rpartition(":")[0] for address in [*settings.kafka_bootstrap_servers, *settings.allow_hosts]}
    hosts |= {urlsplit(settings.database_url.get_secret_value()).hostname}
    local = [f"http://{host}" for host in allowed_hosts(settings) if "*" not in host]
    return ResolveInput(
        pool,
        finish_upload,
        own_addresses={settings.public_url.rstrip("/"), *local},
        own_hosts={host for host in hosts if host},
        allowed=settings.fetch_allowed_pairs,
        webhooks=AddressRules(
            settings.allowed(),
            https_only=settings.environment == "production",
            own_host=urlsplit(settings.public_url).hostname,
        ),
    )


def build_app(parts: Parts) -> Any:
    """Wire the whole application; nothing is connected here."""
    settings = parts.settings
    app: Any = ProblemDocuments(RouteTable(build_api(parts)))
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "authorization",
                "content-type",
                "idempotency-key",
                "if-none-match",
                "last-event-id",
                "prefer",
                "traceparent",
            ],
            expose_headers=[
                "content-disposition",
                "etag",
                "idempotency-replayed",
                "location",
                "preference-applied",
                "ratelimit",
                "ratelimit-policy",
                "retry-after",
            ],
        )
    return HostGuard(PlainPaths(ObserveRequests(app)), allowed_hosts(settings))


def build_api(parts: Parts, notifiers: Callable[[], dict[str, Any]] = notifier_document) -> FastAPI:
    """Declare the routes; `notifiers` is the document of what the notifier serves beside them."""
    app = FastAPI(
        title="Sorami",
        version=VERSION,
        description="Ask for images and videos, watch them being made, and keep them.",
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(probe_router(parts))
    for kind in KINDS.values():
        app.include_router(generation_router(parts, kind))
        app.include_router(backend_webhook_router(parts, kind))
    app.include_router(job_router(parts))
    app.include_router(attempt_router(parts))
    app.include_router(batch_router(parts))
    app.include_router(model_router(parts))
    app.include_router(provider_webhook_router(parts))
    app.include_router(pause_router(parts))
    app.include_router(queue_router(parts))
    app.include_router(stream_router(parts))
    app.include_router(favourite_router(parts))
    app.include_router(album_router(parts))
    app.include_router(album_item_router(parts))
    app.include_router(share_router(parts))
    app.include_router(shared_router(parts))
    app.include_router(notification_router(parts))
    app.include_router(notifier_router(parts, notifiers()))
    app.include_router(media_router(parts))
    app.include_router(me_router(parts))
    app.include_router(key_router(parts))
    app.include_router(signin_router(parts))
    app.include_router(system_health_router(parts))
    app.include_router(dead_letter_router(parts))
    app.include_router(orphan_router(parts))
    app.include_router(upload_router(parts))
    app.include_router(generator_router(parts))
    # Before routes that take any word for an id of the gallery.
    app.include_router(download_router(parts))
    app.include_router(deletion_router(parts))
    # After the routes of fixed names, which its id would take.
    app.include_router(gallery_router(parts))
    app.include_router(problem_router(security_headers(parts)))
    app.include_router(page_router(parts))
    secure_document(app, lambda document: with_examples(with_notifier(document, notifiers())))
    return app
