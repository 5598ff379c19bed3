"""The generator's wiring: topics to use cases, use cases to workers, from parts that somebody else made."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.breakers import BreakerRules
from contracts.models import BUILT_IN, Models
from contracts.sharing import TASKS_CHANNEL
from services.generator.metrics import count_attempt
from services.generator.moderation.policy import Policy
from services.generator.parts import Parts
from services.generator.providers.base import Provider, RemoteProvider
from services.generator.render_pool import RenderPool
from services.generator.settings import GeneratorSettings
from services.generator.store.operations import Closed, LocalAttempt, note_attempts
from services.generator.store.tasks import TaskReport, report
from services.generator.usecases.accept_jobs import AcceptJobs
from services.generator.usecases.cancel_jobs import CancelJobs
from services.generator.usecases.collect_media import EXAMINER, CollectMedia
from services.generator.usecases.end_operations import EndOperations
from services.generator.usecases.gates import Gates
from services.generator.usecases.hear_workers import HearWorkers
from services.generator.usecases.moderate import Moderate
from services.generator.usecases.poll_tasks import Lease, PollTasks
from services.generator.usecases.purge_media import PurgeMedia
from services.generator.usecases.read_input import ReadInput
from services.generator.usecases.remote_task import RemoteTask
from services.generator.usecases.render_task import RenderTask
from services.generator.usecases.run_tasks import RunTasks
from services.generator.usecases.settle_jobs import SettleJobs
from services.generator.usecases.show_previews import ShowPreviews
from services.generator.usecases.sign_on import SignOn
from services.generator.usecases.store_media import StoreMedia
from services.generator.usecases.submit_task import SubmitTask
from services.generator.usecases.sweep_objects import SweepObjects
from services.generator.usecases.take_detour import TakeDetour
from services.generator.usecases.tell_origin import Signing, TellOrigin
from services.generator.usecases.wake_tasks import WakeTasks
from services.generator.usecases.watch_health import WatchHealth
from services.runtime.bell import Bell
from services.runtime.consumer import Bury
from services.runtime.database import Pool, is_transient
from services.runtime.group_commit import GroupCommit
from services.runtime.logs import get_logger
from services.runtime.objects import Objects
from services.runtime.relay import Relay

_log = get_logger(part="attempts")


REPORTS_PACE = 0.005
"""Seconds between two commits of reports: those of many tasks go together."""
ATTEMPTS_PACE = 0.1
"""Seconds between two commits of attempts that have ended, which nobody waits for."""


@dataclass(frozen=True, slots=True)
class RemoteParts:
    """Who renders elsewhere, children that look at what they made, all models, and what nobody may ask for."""

    providers: Mapping[str, RemoteProvider] = field(default_factory=dict)
    examiners: RenderPool | None = None
    models: Models = BUILT_IN
    policy: Policy | None = None
    workers: frozenset[str] = frozenset()
    """Those of the providers that are workers of others; they need `bury` for what they cannot say."""
    bury: Bury | None = None
    signing: Signing | None = None


def build_app(
    settings: GeneratorSettings,
    pool: Pool,
    relay: Relay,
    objects: Objects,
    providers: Mapping[str, Provider],
    read_input: ReadInput,
    *,
    worker: str,
    remote: RemoteParts | None = None,
) -> Parts:
    """Wire the use cases; nothing is connected here."""
    elsewhere = remote or RemoteParts()
    slots = _slots(settings, providers, elsewhere.providers)

    async def write(reports: Sequence[TaskReport]) -> list[bool]:
        rows = await report(pool, reports)
        relay.offer([row for row in rows if row is not None])
        return [row is not None for row in rows]

    # One lane: reports of a job must be written in the order they were made.
    reports: GroupCommit[TaskReport, bool] = GroupCommit(
        write, is_retryable=is_transient, lanes=1, pace=REPORTS_PACE, name="reports"
    )
    store_media = StoreMedia(objects, TellOrigin(settings.media_metadata, elsewhere.signing))
    attempts: GroupCommit[LocalAttempt, None] = GroupCommit(
        lambda ended: note_attempts(pool, ended),
        is_retryable=is_transient,
        lanes=1,
        pace=ATTEMPTS_PACE,
        name="attempts",
    )

    def allowed(provider: str) -> int | None:
        return health.allowed(provider)

    run_tasks = RunTasks(
        pool,
        slots=slots,
        worker=worker,
        lease_seconds=settings.lease_seconds,
        paid=elsewhere.providers,
        allowed=allowed,
        shares=settings.shares,
    )
    health = WatchHealth(
        pool,
        frozenset(elsewhere.providers),
        run_tasks.wake,
        rules=BreakerRules(settings.breaker_failures, settings.breaker_seconds),
        models=elsewhere.models,
        local=frozenset(providers),
    )
    detour = TakeDetour(pool, health, run_tasks.wake)
    gates = Gates(health, detour, Moderate(pool, elsewhere.policy, fail_open=settings.moderation_failure == "open"))
    bell = Bell(pool, settings.database_url.get_secret_value(), TASKS_CHANNEL, worker, run_tasks.wake)

    def tell_of_tasks() -> None:
        run_tasks.wake()
        bell.ring()

    # The one who has tasks wait wakes the one who polls, who gives them back to the first.
    waits = asyncio.Event()
    examiners = elsewhere.examiners or RenderPool(1, renderer=EXAMINER)
    remote_task = RemoteTask(
        pool,
        SubmitTask(
            pool,
            elsewhere.providers,
            resubmit_ambiguous=settings.resubmit_ambiguous,
            wake_address=settings.wake_address,
        ),
        CollectMedia(
            pool,
            elsewhere.providers,
            examiners,
            store_media,
            gates.moderate,
            elsewhere.models.price_of,
        ),
        read_input,
        ShowPreviews(pool, examiners, objects),
        waits.set,
        max_attempts=settings.max_attempts,
        gates=gates,
    )
    poll_tasks = PollTasks(
        pool,
        {name: provider for name, provider in elsewhere.providers.items() if settings.runs(name)},
        remote_task,
        reports.enqueue,
        run_tasks.take,
        wake=waits,
        lease=Lease(worker, settings.lease_seconds),
    )
    end_operations = EndOperations(pool, elsewhere.providers)

    def call_off(job_ids: Sequence[str]) -> None:
        run_tasks.call_off(job_ids)
        end_operations.wake()

    render_task = RenderTask(
        providers,
        store_media,
        reports.enqueue,
        read_input,
        max_attempts=settings.max_attempts,
        note=lambda ended: _note(attempts, ended),
        gates=gates,
        remote=remote_task,
    )
    run_tasks.use(render_task)
    return Parts(
        accept_jobs=AcceptJobs(
            pool, frozenset(providers) | frozenset(elsewhere.providers), tell_of_tasks, models=elsewhere.models
        ),
        cancel_jobs=CancelJobs(pool, relay.offer, call_off),
        settle_jobs=SettleJobs(pool, relay.offer, call_off, forgotten_after=settings.forgotten_after),
        run_tasks=run_tasks,
        purge_media=PurgeMedia(pool, objects, call_off, forgotten_after=settings.forgotten_after),
        poll_tasks=poll_tasks,
        wake_tasks=WakeTasks(pool, waits.set),
        bell=bell,
        sign_on=SignOn(pool, worker, slots),
        end_operations=end_operations,
        sweep_objects=SweepObjects(pool, objects, age_hours=settings.janitor_age_hours),
        hear_workers=_hear_workers(pool, elsewhere, waits.set),
        watch_health=health,
        reports=reports,
        attempts=attempts,
    )


def _note(attempts: GroupCommit[LocalAttempt, None], ended: LocalAttempt) -> None:
    """Note an attempt that has ended; the job does not wait for it, nor fail with it."""
    outcome = "completed" if ended.failure is None else "failed"
    count_attempt(Closed(ended.claim.provider, ended.claim.model, "no"), outcome)
    attempts.enqueue(ended).add_done_callback(
        lambda future: (
            _log.warning("an attempt was not noted", job_id=ended.claim.job_id)
            if not future.cancelled() and future.exception()
            else None
        )
    )


def _hear_workers(pool: Pool, remote: RemoteParts, wake: Callable[[], None]) -> HearWorkers | None:
    if not remote.workers or remote.bury is None:
        return None
    return HearWorkers(pool, remote.workers, wake, remote.bury)


def _slots(settings: GeneratorSettings, providers: Iterable[str], remote: Iterable[str]) -> dict[str, int]:
    slots = {name: settings.instant_slots if name == "instant" else settings.render_processes for name in providers}
    slots |= dict.fromkeys(remote, settings.remote_slots)
    return {name: number for name, number in slots.items() if settings.runs(name)}
