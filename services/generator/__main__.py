"""The generator's process: real parts, and nothing else touches the real world."""

import os
import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import replace

from contracts.cloudevents import judge
from contracts.offers import offers
from contracts.workflows import read_workflows
from services.generator.app import RemoteParts, build_app
from services.generator.handlers import subscribe
from services.generator.metrics import measure_work
from services.generator.moderation.choose import configured_policy
from services.generator.parts import Parts
from services.generator.providers.external import external_workers
from services.generator.providers.local import local_providers
from services.generator.providers.remote.registry import configured
from services.generator.render_pool import RenderFailed, RenderLimits, RenderPool
from services.generator.settings import GeneratorSettings
from services.generator.usecases.collect_media import EXAMINER
from services.generator.usecases.forget import rules
from services.generator.usecases.read_input import CLEANER, ReadInput
from services.generator.usecases.tell_origin import SIGNER, Signing
from services.runtime.consumer import Subscriptions, build_broker
from services.runtime.database import Pool, measure_pool, service_pool
from services.runtime.dead_letters import burier
from services.runtime.guarded_http import GuardedFetcher
from services.runtime.health import database_check
from services.runtime.internal_http import serve_inside
from services.runtime.json_folder import read_json_folder
from services.runtime.logs import configure_logs, get_logger
from services.runtime.objects import Objects, open_objects
from services.runtime.process import run, run_until_signal
from services.runtime.relay import Relay, build_producer
from services.runtime.retention import Retain
from services.runtime.settings import EXIT_WRONG_SETTING, load_settings

SERVICE = "generator"
GRACE_SECONDS = 24.0
"""For a stop: submits under way are heard out, and what was heard is written."""
EXAMINER_LIMITS = RenderLimits(memory_bytes=1024**3, cpu_seconds=60, wall_seconds=90.0)
CLEANER_LIMITS = RenderLimits(memory_bytes=1024**3, cpu_seconds=20, wall_seconds=30.0)


async def serve_generator() -> int:
    settings = load_settings(GeneratorSettings, SERVICE)
    configure_logs(SERVICE, level=settings.log_level, pretty=settings.log_format == "pretty")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(service_pool(settings, SERVICE))
        relay = Relay(pool, build_producer(settings, SERVICE), service=SERVICE, topic_prefix=settings.topic_prefix)
        objects = await stack.enter_async_context(open_objects(settings))
        if refusal := await objects.refusal():
            print(f"config error: {refusal}", file=sys.stderr)
            raise SystemExit(EXIT_WRONG_SETTING)
        fetcher = GuardedFetcher(settings.fetch_allowed_pairs)
        stack.push_async_callback(fetcher.close)
        render_pool = RenderPool(settings.render_processes)
        cleaners = RenderPool(settings.render_processes, CLEANER_LIMITS, renderer=CLEANER, orders_per_child=1)
        stack.push_async_callback(cleaners.close)
        bury = burier(pool, relay, SERVICE)
        remote = replace(await _remote(settings, stack, pool, objects), bury=bury)
        parts = build_app(
            settings,
            pool,
            relay,
            objects,
            local_providers(render_pool),
            ReadInput(pool, objects, fetcher, cleaners, settings.public_url),
            worker=f"{socket.gethostname()}:{os.getpid()}",
            remote=remote,
        )
        subscriptions = Subscriptions(
            build_broker(settings, SERVICE),
            service=SERVICE,
            topic_prefix=settings.topic_prefix,
            read=judge,
            bury=bury,
        )
        subscribe(subscriptions, parts)
        return await _run(settings, pool, relay, subscriptions, parts, render_pool)


async def _remote(settings: GeneratorSettings, stack: AsyncExitStack, pool: Pool, objects: Objects) -> RemoteParts:
    """Build the remote providers and the content policy of the settings; exits with 78 for a wrong file."""
    try:
        models = offers(settings, read_workflows(read_json_folder(settings.comfyui_workflows)))
        providers = configured(settings)
        policy = configured_policy(settings)
    except ValueError as error:
        print(f"config error: {error}", file=sys.stderr)
        raise SystemExit(EXIT_WRONG_SETTING) from None
    workers = external_workers(settings.external_models, pool, objects)
    for provider in providers.values():
        stack.push_async_callback(provider.close)
    if policy is not None:
        stack.push_async_callback(policy.close)
    examiners = RenderPool(settings.render_processes, EXAMINER_LIMITS, renderer=EXAMINER, orders_per_child=1)
    stack.push_async_callback(examiners.close)
    return RemoteParts(
        {**providers, **workers}, examiners, models, policy, frozenset(workers), signing=_signing(settings, stack)
    )


def _signing(settings: GeneratorSettings, stack: AsyncExitStack) -> Signing | None:
    if settings.c2pa_certificates is None or settings.c2pa_key is None:
        return None
    # One child a file: what it reads may be a stranger's, and it holds the key.
    signers = RenderPool(settings.render_processes, EXAMINER_LIMITS, renderer=SIGNER, orders_per_child=1)
    stack.push_async_callback(signers.close)
    return Signing(signers, settings.c2pa_certificates, settings.c2pa_key, settings.c2pa_timestamps)


async def _run(
    settings: GeneratorSettings,
    pool: Pool,
    relay: Relay,
    subscriptions: Subscriptions,
    parts: Parts,
    render_pool: RenderPool,
) -> int:
    samples = [
        relay.measure,
        subscriptions.measure,
        lambda: measure_pool(pool),
        lambda: measure_work(pool),
        parts.run_tasks.measure,
    ]
    checks = {"database": database_check(pool), "consumers": subscriptions.unready}
    return await run_until_signal(
        [
            lambda: serve_inside(SERVICE, settings.internal_host, settings.internal_port, checks, samples),
            relay.run,
            subscriptions.run,
            parts.run_tasks.run,
            parts.settle_jobs.run,
            parts.poll_tasks.run,
            parts.end_operations.run,
            parts.watch_health.run,
            parts.purge_media.run,
            parts.sweep_objects.run,
            Retain(pool, rules(settings)).run,
            *([parts.hear_workers.run] if parts.hear_workers is not None else []),
            parts.bell.run,
            parts.sign_on.run,
            lambda: _warm(render_pool),
        ],
        [
            subscriptions.stop,
            parts.run_tasks.stop,
            parts.sign_on.stop,
            parts.reports.close,
            parts.attempts.close,
            relay.close,
            render_pool.close,
        ],
        grace=GRACE_SECONDS,
    )


async def _warm(render_pool: RenderPool) -> None:
    try:
        await render_pool.warm()
    except RenderFailed as error:
        # The first order tries again and its job says why; other providers need no child.
        get_logger(part="render").error("no render child could be started", reason=error.failure.message)


def main() -> int:
    """Run the generator until a signal and return the exit code."""
    return run(serve_generator, SERVICE)


if __name__ == "__main__":
    sys.exit(main())
