"""The notifier's process: real parts, and nothing else touches the real world."""

import sys
from contextlib import AsyncExitStack

import aiohttp

from contracts.cloudevents import judge
from services.notifier.app import build_app
from services.notifier.channels.streams import Hub
from services.notifier.handlers import subscribe
from services.notifier.parts import Parts
from services.notifier.settings import NotifierSettings
from services.notifier.usecases.deliver_webhooks import DeliverWebhooks
from services.notifier.usecases.plan_deliveries import PlanDeliveries
from services.notifier.usecases.watch_jobs import WatchJobs
from services.runtime.consumer import Subscriptions, build_broker
from services.runtime.database import Pool, open_service_pool
from services.runtime.dead_letters import burier
from services.runtime.health import database_check
from services.runtime.http_server import HttpServer
from services.runtime.identity import Identities, session_cookie
from services.runtime.issuers import verifier_of
from services.runtime.logs import configure_logs
from services.runtime.process import run, run_until_signal
from services.runtime.relay import Relay, build_producer
from services.runtime.settings import load_settings

SERVICE = "notifier"


async def serve_notifier() -> int:
    settings = load_settings(NotifierSettings, SERVICE)
    configure_logs(SERVICE, level=settings.log_level, pretty=settings.log_format == "pretty")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await open_service_pool(settings, SERVICE))
        session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        relay = Relay(pool, build_producer(settings, SERVICE), service=SERVICE, topic_prefix=settings.topic_prefix)
        subscriptions = Subscriptions(
            build_broker(settings, SERVICE),
            service=SERVICE,
            topic_prefix=settings.topic_prefix,
            read=judge,
            bury=burier(pool, relay, SERVICE),
        )
        parts = build_parts(settings, pool, session, subscriptions)
        subscribe(subscriptions, parts)
        server = HttpServer(build_app(parts), settings.host, settings.port, port_setting="SORAMI_NOTIFIER_PORT")

        async def end_streams() -> None:
            parts.hub.close()

        return await run_until_signal(
            [
                server.run,
                relay.run,
                subscriptions.run,
                lambda: parts.deliver_webhooks.run(parts.plan_deliveries),
            ],
            [end_streams, server.stop, subscriptions.stop, parts.deliver_webhooks.stop, relay.close],
        )


def build_parts(
    settings: NotifierSettings, pool: Pool, session: aiohttp.ClientSession, subscriptions: Subscriptions
) -> Parts:
    secret = settings.webhook_secret
    hub = Hub(settings.streams_per_user)
    deliver = DeliverWebhooks(pool, session, settings.legacy_urls(), secret.get_secret_value() if secret else None)
    return Parts(
        settings=settings,
        identities=Identities(pool, verifier_of(settings), session_cookie=session_cookie(settings.public_url)),
        hub=hub,
        watch_jobs=WatchJobs(pool, hub),
        plan_deliveries=PlanDeliveries(
            pool,
            settings.legacy_urls(),
            environment=settings.environment,
            forgotten_after=settings.forgotten_after,
            wake=deliver.wake,
        ),
        deliver_webhooks=deliver,
        checks={"database": database_check(pool), "consumers": subscriptions.unready},
    )


def main() -> int:
    """Run the notifier until a signal and return the exit code."""
    return run(serve_notifier)


if __name__ == "__main__":
    sys.exit(main())
