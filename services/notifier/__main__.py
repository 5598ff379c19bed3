"""The notifier's process: real parts, and nothing else touches the real world."""

import sys
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from contracts.cloudevents import judge
from services.notifier.app import build_app
from services.notifier.channels.apprise import AppriseChannels
from services.notifier.channels.streams import Hub
from services.notifier.channels.webhooks import WebhookSender
from services.notifier.handlers import subscribe
from services.notifier.metrics import measure_deliveries
from services.notifier.parts import Parts
from services.notifier.settings import NotifierSettings
from services.notifier.usecases.deliver_webhooks import DeliverWebhooks, operators_own
from services.notifier.usecases.forget import rules
from services.notifier.usecases.job_endpoints import JobEndpoints
from services.notifier.usecases.judge_endpoints import JudgeEndpoints
from services.notifier.usecases.manage_endpoints import ManageEndpoints
from services.notifier.usecases.plan_deliveries import PlanDeliveries
from services.notifier.usecases.send_again import SendAgain
from services.notifier.usecases.stream_tickets import StreamTickets
from services.notifier.usecases.watch_jobs import WatchJobs
from services.runtime.consumer import Subscriptions, build_broker
from services.runtime.database import Pool, measure_pool, service_pool
from services.runtime.dead_letters import burier
from services.runtime.health import database_check
from services.runtime.http_server import HttpServer
from services.runtime.identity import Identities, session_cookie
from services.runtime.internal_http import serve_inside
from services.runtime.issuers import verifier_of
from services.runtime.logs import configure_logs
from services.runtime.process import GRACE_SECONDS, run, run_until_signal
from services.runtime.relay import Relay, build_producer
from services.runtime.retention import Retain
from services.runtime.sealing import Sealer, parse_keys
from services.runtime.settings import load_settings
from services.runtime.webhook_addresses import AddressRules

SERVICE = "notifier"


async def serve_notifier() -> int:
    settings = load_settings(NotifierSettings, SERVICE)
    configure_logs(SERVICE, level=settings.log_level, pretty=settings.log_format == "pretty")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(service_pool(settings, SERVICE))
        sender = WebhookSender(settings.allowed(), settings.webhook_seconds)
        stack.push_async_callback(sender.close)
        relay = Relay(pool, build_producer(settings, SERVICE), service=SERVICE, topic_prefix=settings.topic_prefix)
        subscriptions = Subscriptions(
            build_broker(settings, SERVICE),
            service=SERVICE,
            topic_prefix=settings.topic_prefix,
            read=judge,
            bury=burier(pool, relay, SERVICE),
        )
        parts = build_parts(settings, pool, relay, sender, subscriptions)
        subscribe(subscriptions, parts)
        server = HttpServer(build_app(parts), settings.host, settings.port, port_setting="SORAMI_NOTIFIER_PORT")

        async def end_streams() -> None:
            parts.hub.close()

        samples = [
            relay.measure,
            subscriptions.measure,
            lambda: measure_pool(pool),
            lambda: measure_deliveries(pool),
            parts.hub.measure,
            parts.deliver_webhooks.measure,
        ]
        return await run_until_signal(
            [
                server.run,
                lambda: serve_inside(SERVICE, settings.internal_host, settings.internal_port, parts.checks, samples),
                relay.run,
                subscriptions.run,
                lambda: parts.hub.run(parts.watch_jobs.newest),
                Retain(pool, rules(settings)).run,
                lambda: parts.deliver_webhooks.run(parts.plan_deliveries),
            ],
            [
                lambda: server.linger(settings.linger_seconds),
                end_streams,
                server.stop,
                subscriptions.stop,
                parts.deliver_webhooks.stop,
                relay.close,
            ],
            grace=GRACE_SECONDS + settings.linger_seconds,
        )


def build_parts(
    settings: NotifierSettings, pool: Pool, relay: Relay, sender: WebhookSender, subscriptions: Subscriptions
) -> Parts:
    secret, keys = settings.webhook_secret, settings.encryption_keys
    sealer = Sealer(parse_keys(keys.get_secret_value())) if keys else None
    rules = AddressRules(
        settings.allowed(),
        https_only=settings.environment == "production",
        own_host=urlsplit(settings.public_url).hostname,
    )
    hub = Hub(settings.streams_per_user)
    channels = AppriseChannels(settings.channels, settings.allowed())
    deliver = DeliverWebhooks(
        pool,
        sender,
        JudgeEndpoints(pool, relay.offer),
        sealer,
        channels,
        operators=operators_own(settings.legacy_urls(), secret.get_secret_value() if secret else None),
        send_seconds=settings.webhook_seconds,
    )
    job_endpoints = JobEndpoints(pool, sealer)
    plan = PlanDeliveries(
        pool,
        job_endpoints,
        settings.legacy_urls(),
        environment=settings.environment,
        public_url=settings.public_url,
        shared_database=settings.legacy_shared_db,
        forgotten_after=settings.forgotten_after,
        wake=deliver.wake,
    )
    return Parts(
        settings=settings,
        pool=pool,
        identities=Identities(pool, verifier_of(settings), session_cookie=session_cookie(settings.public_url)),
        hub=hub,
        watch_jobs=WatchJobs(pool, hub),
        stream_tickets=StreamTickets(pool),
        plan_deliveries=plan,
        deliver_webhooks=deliver,
        manage_endpoints=ManageEndpoints(pool, sealer, rules, channels) if sealer else None,
        job_endpoints=job_endpoints,
        send_again=SendAgain(pool, plan, deliver.wake),
        checks={"database": database_check(pool), "consumers": subscriptions.unready},
    )


def main() -> int:
    """Run the notifier until a signal and return the exit code."""
    return run(serve_notifier, SERVICE)


if __name__ == "__main__":
    sys.exit(main())
