"""The gateway's process: real parts, and nothing else touches the real world."""

import sys
from contextlib import AsyncExitStack
from datetime import timedelta

from contracts.models import Models
from contracts.offers import offers
from contracts.workflows import read_workflows
from services.gateway.app import build_app, build_media, build_resolve_input
from services.gateway.metrics import measure_decisions
from services.gateway.parts import Parts
from services.gateway.settings import GatewaySettings, OfferSettings
from services.gateway.store.jobs import Limits
from services.gateway.usecases.accept_backend_webhook import AcceptBackendWebhook
from services.gateway.usecases.await_jobs import AwaitJobs
from services.gateway.usecases.cancel_jobs import CancelJobs
from services.gateway.usecases.estimate_wait import EstimateWait
from services.gateway.usecases.forget import rules
from services.gateway.usecases.hear_provider import HearProvider
from services.gateway.usecases.look_at_health import CONSUMERS, LookAtHealth
from services.gateway.usecases.read_shared_media import SharedMedia
from services.gateway.usecases.replay_parked import ReplayParked
from services.gateway.usecases.request_batch import RequestBatch
from services.gateway.usecases.request_generation import RequestGeneration
from services.gateway.usecases.retry_job import RetryJob
from services.gateway.usecases.search_prompts import SearchPrompts
from services.gateway.usecases.settle_dead_letters import SettleDeadLetters
from services.gateway.usecases.settle_orphan import SettleOrphan
from services.gateway.usecases.share_media import Shares
from services.gateway.usecases.sign_in_at_provider import SignInAtProvider
from services.gateway.usecases.watch_providers import WatchProviders
from services.gateway.usecases.welcome_person import welcome_person
from services.runtime.database import Pool, measure_pool, service_pool
from services.runtime.health import database_check
from services.runtime.http_server import HttpServer
from services.runtime.identity import Identities, session_cookie
from services.runtime.internal_http import serve_inside
from services.runtime.issuers import verifier_of
from services.runtime.json_folder import read_json_folder
from services.runtime.lags import group_lags
from services.runtime.logs import configure_logs
from services.runtime.oidc import OidcProvider
from services.runtime.process import GRACE_SECONDS, run, run_until_signal
from services.runtime.relay import Relay, build_producer
from services.runtime.retention import Retain
from services.runtime.settings import EXIT_WRONG_SETTING, load_settings
from services.runtime.signed_objects import SignedObjects
from services.runtime.signed_urls import UrlSigner, credentials_of

SERVICE = "gateway"


async def serve_gateway() -> int:
    settings = load_settings(GatewaySettings, SERVICE)
    configure_logs(SERVICE, level=settings.log_level, pretty=settings.log_format == "pretty")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(service_pool(settings, SERVICE))
        relay = Relay(pool, build_producer(settings, SERVICE), service=SERVICE, topic_prefix=settings.topic_prefix)
        parts = await build_parts(settings, pool, relay, stack)
        server = HttpServer(build_app(parts), settings.host, settings.port, port_setting="SORAMI_PORT")
        samples = [relay.measure, lambda: measure_pool(pool), lambda: measure_decisions(pool)]
        return await run_until_signal(
            [
                server.run,
                lambda: serve_inside(SERVICE, settings.internal_host, settings.internal_port, parts.checks, samples),
                relay.run,
                parts.media.sweep_uploads.run,
                parts.await_jobs.run,
                ReplayParked(pool, parts.accept_backend_webhook).run,
                Retain(pool, rules(settings)).run,
            ],
            [
                lambda: server.linger(settings.linger_seconds),
                parts.await_jobs.close,
                parts.passed_streams.close,
                server.stop,
                parts.request_generation.close,
                relay.close,
            ],
            grace=GRACE_SECONDS + settings.linger_seconds,
        )


async def build_parts(settings: GatewaySettings, pool: Pool, relay: Relay, stack: AsyncExitStack) -> Parts:
    verifier = verifier_of(settings)
    identities = Identities(
        pool,
        verifier,
        lambda principal: welcome_person(pool, principal),
        operators=settings.who_operates(),
        session_cookie=session_cookie(settings.public_url),
    )
    streams = None
    if settings.notifier_url:
        import httpx

        streams = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=settings.notifier_url,
                timeout=httpx.Timeout(5.0, read=None),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
                trust_env=False,
            )
        )
    credentials = credentials_of(settings)
    objects = SignedObjects(UrlSigner(settings, credentials, inside=True))
    stack.push_async_callback(objects.close)
    signer = UrlSigner(settings, credentials)
    shared_media = SharedMedia(UrlSigner(settings, credentials, inside=True))
    stack.push_async_callback(shared_media.close)
    cancel_jobs = CancelJobs(pool, relay.offer)
    media = build_media(settings, pool, signer, objects, cancel_jobs)
    lifetime = timedelta(hours=settings.job_lifetime_hours)
    limits = Limits(settings.jobs_per_minute, settings.organization_jobs_per_minute, settings.open_jobs)
    resolve_input = build_resolve_input(settings, pool, media.finish_upload)
    models = offered_models()
    request_generation = RequestGeneration(
        pool, relay.offer, lifetime=lifetime, limits=limits, resolve_input=resolve_input, models=models
    )
    accept_backend_webhook = AcceptBackendWebhook(pool, relay.offer, orphans=settings.orphans)
    return Parts(
        settings=settings,
        pool=pool,
        identities=identities,
        verifier=verifier,
        request_generation=request_generation,
        request_batch=RequestBatch(
            pool, relay.offer, lifetime=lifetime, limits=limits, resolve_input=resolve_input, models=models
        ),
        models=models,
        watch_providers=WatchProviders(pool, models),
        retry_job=RetryJob(pool, request_generation),
        cancel_jobs=cancel_jobs,
        await_jobs=AwaitJobs(pool),
        estimate_wait=EstimateWait(pool, settings.shares),
        accept_backend_webhook=accept_backend_webhook,
        hear_provider=HearProvider(pool, relay.offer),
        look_at_health=LookAtHealth(pool, lambda: group_lags(settings, CONSUMERS)),
        settle_dead_letters=SettleDeadLetters(pool, relay.offer),
        settle_orphan=SettleOrphan(pool, accept_backend_webhook),
        search_prompts=SearchPrompts(pool),
        shares=Shares(pool, shared_media),
        signer=signer,
        streams=streams,
        checks={"database": database_check(pool)},
        sign_in_at_provider=sign_in_at_provider(settings, pool, identities),
        media=media,
    )


def offered_models() -> Models:
    """Return the models of the enabled providers, as the generator computes them; exits with 78 for a wrong one.

    Keys stay with the settings they were read with: what is kept of a provider is that it is enabled.
    """
    try:
        settings = load_settings(OfferSettings, SERVICE)
        return offers(settings, read_workflows(read_json_folder(settings.comfyui_workflows)))
    except ValueError as error:
        print(f"config error: {error}", file=sys.stderr)
        raise SystemExit(EXIT_WRONG_SETTING) from None


def sign_in_at_provider(settings: GatewaySettings, pool: Pool, identities: Identities) -> SignInAtProvider | None:
    """Build the sign-in at the OIDC provider of the settings; None where none is named."""
    issuer, client_id = settings.oidc_issuer, settings.oidc_client_id
    if issuer is None or client_id is None:
        return None
    tokens_from = settings.jwt_issuer or settings.clerk_issuer
    return SignInAtProvider(
        pool,
        OidcProvider(issuer, client_id, settings.oidc_client_secret, settings.oidc_scopes),
        identities,
        redirect_uri=f"{settings.public_url.rstrip('/')}/signin/callback",
        # The same subject of two issuers is two people.
        namespace=issuer if tokens_from not in (None, issuer) else None,
    )


def main() -> int:
    """Run the gateway until a signal and return the exit code."""
    return run(serve_gateway, SERVICE)


if __name__ == "__main__":
    sys.exit(main())
