"""The generator's wiring: topics to use cases, use cases to workers, from parts that somebody else made."""

from collections.abc import Mapping, Sequence

from services.generator.parts import Parts
from services.generator.providers.base import Provider
from services.generator.settings import GeneratorSettings
from services.generator.store import TaskReport, report
from services.generator.usecases.accept_jobs import AcceptJobs
from services.generator.usecases.cancel_jobs import CancelJobs
from services.generator.usecases.purge_media import PurgeMedia
from services.generator.usecases.read_input import ReadInput
from services.generator.usecases.render_task import RenderTask
from services.generator.usecases.run_tasks import RunTasks
from services.generator.usecases.settle_jobs import SettleJobs
from services.runtime.database import Pool, is_transient
from services.runtime.group_commit import GroupCommit
from services.runtime.objects import Objects
from services.runtime.relay import Relay


def build_app(
    settings: GeneratorSettings,
    pool: Pool,
    relay: Relay,
    objects: Objects,
    providers: Mapping[str, Provider],
    read_input: ReadInput,
    *,
    worker: str,
) -> Parts:
    """Wire the use cases; nothing is connected here."""

    async def write(reports: Sequence[TaskReport]) -> list[bool]:
        rows = await report(pool, reports)
        relay.offer([row for row in rows if row is not None])
        return [row is not None for row in rows]

    # One lane: reports of a job must be written in the order they were made.
    reports: GroupCommit[TaskReport, bool] = GroupCommit(write, is_retryable=is_transient, lanes=1)
    slots = {name: settings.instant_slots if name == "instant" else settings.render_processes for name in providers}
    run_tasks = RunTasks(pool, slots=slots, worker=worker, lease_seconds=settings.lease_seconds)
    run_tasks.use(RenderTask(providers, objects, reports.enqueue, read_input, max_attempts=settings.max_attempts))
    return Parts(
        accept_jobs=AcceptJobs(pool, frozenset(providers), run_tasks.wake),
        cancel_jobs=CancelJobs(pool, relay.offer, run_tasks.call_off),
        settle_jobs=SettleJobs(pool, relay.offer, run_tasks.call_off, forgotten_after=settings.forgotten_after),
        run_tasks=run_tasks,
        purge_media=PurgeMedia(pool, objects, run_tasks.call_off, forgotten_after=settings.forgotten_after),
        reports=reports,
    )
