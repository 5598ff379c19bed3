"""The process of persistence: real parts, and nothing else touches the real world."""

import sys

from contracts.cloudevents import judge
from services.persistence.app import build_app
from services.persistence.handlers import subscribe
from services.persistence.metrics import measure_backlog
from services.persistence.settings import PersistenceSettings
from services.persistence.usecases.forget import rules
from services.runtime.consumer import Subscriptions, build_broker
from services.runtime.database import measure_pool, service_pool
from services.runtime.dead_letters import burier
from services.runtime.health import database_check
from services.runtime.internal_http import serve_inside
from services.runtime.logs import configure_logs
from services.runtime.process import run, run_until_signal
from services.runtime.relay import Relay, build_producer
from services.runtime.retention import Retain
from services.runtime.settings import load_settings

SERVICE = "persistence"


async def serve_persistence() -> int:
    settings = load_settings(PersistenceSettings, SERVICE)
    configure_logs(SERVICE, level=settings.log_level, pretty=settings.log_format == "pretty")
    async with service_pool(settings, SERVICE) as pool:
        relay = Relay(pool, build_producer(settings, SERVICE), service=SERVICE, topic_prefix=settings.topic_prefix)
        bury = burier(pool, relay, SERVICE)
        parts = build_app(settings, pool, relay, bury)
        subscriptions = Subscriptions(
            build_broker(settings, SERVICE),
            service=SERVICE,
            topic_prefix=settings.topic_prefix,
            read=judge,
            bury=bury,
        )
        subscribe(subscriptions, parts)
        samples = [
            relay.measure,
            subscriptions.measure,
            lambda: measure_pool(pool),
            lambda: measure_backlog(pool),
        ]
        checks = {"database": database_check(pool), "consumers": subscriptions.unready}
        return await run_until_signal(
            [
                lambda: serve_inside(SERVICE, settings.internal_host, settings.internal_port, checks, samples),
                relay.run,
                subscriptions.run,
                parts.reconcile_jobs.run,
                parts.index_prompts.run,
                parts.purge_deleted.run,
                Retain(pool, rules(settings)).run,
            ],
            [subscriptions.stop, relay.close],
        )


def main() -> int:
    """Run persistence until a signal and return the exit code."""
    return run(serve_persistence, SERVICE)


if __name__ == "__main__":
    sys.exit(main())
