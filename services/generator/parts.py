"""What the generator's handlers and workers use, made by somebody else."""

from dataclasses import dataclass

from services.generator.store.operations import LocalAttempt
from services.generator.store.tasks import TaskReport
from services.generator.usecases.accept_jobs import AcceptJobs
from services.generator.usecases.cancel_jobs import CancelJobs
from services.generator.usecases.end_operations import EndOperations
from services.generator.usecases.hear_workers import HearWorkers
from services.generator.usecases.poll_tasks import PollTasks
from services.generator.usecases.purge_media import PurgeMedia
from services.generator.usecases.run_tasks import RunTasks
from services.generator.usecases.settle_jobs import SettleJobs
from services.generator.usecases.sign_on import SignOn
from services.generator.usecases.sweep_objects import SweepObjects
from services.generator.usecases.wake_tasks import WakeTasks
from services.generator.usecases.watch_health import WatchHealth
from services.runtime.bell import Bell
from services.runtime.group_commit import GroupCommit


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the generator's handlers and workers use."""

    accept_jobs: AcceptJobs
    cancel_jobs: CancelJobs
    settle_jobs: SettleJobs
    run_tasks: RunTasks
    purge_media: PurgeMedia
    poll_tasks: PollTasks
    end_operations: EndOperations
    sweep_objects: SweepObjects
    hear_workers: HearWorkers | None
    watch_health: WatchHealth
    wake_tasks: WakeTasks
    bell: Bell
    sign_on: SignOn
    reports: GroupCommit[TaskReport, bool]
    attempts: GroupCommit[LocalAttempt, None]
