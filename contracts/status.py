"""The one pure reducer: given where a job stands and a report, either the job moves or nothing changes."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from contracts.failures import FailureCode


class JobStatus(StrEnum):
    PENDING = "PENDING"
    GENERATING = "GENERATING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Stage(StrEnum):
    INITIALIZING = "initializing"
    GENERATING = "generating"
    SAVING = "saving"


STAGE_PROGRESS = {Stage.INITIALIZING: 25, Stage.GENERATING: 60, Stage.SAVING: 90}
"""Progress in percent at which each stage is reported (the seeds, E2)."""

TERMINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})

_STAGE_RANK = {None: 0, Stage.INITIALIZING: 1, Stage.GENERATING: 2, Stage.SAVING: 3}


@dataclass(frozen=True, slots=True)
class JobState:
    """Where a job stands. `fence` is the highest lease heard of; `seq` counts the moves."""

    status: JobStatus = JobStatus.PENDING
    stage: Stage | None = None
    progress: int = 0
    seq: int = 0
    fence: int = 0

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class Progressed:
    """A report of work going on; `fence` 0 means a reporter without leases, such as a legacy backend."""

    stage: Stage
    progress: int
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    code: FailureCode
    fence: int = 0


Report = Progressed | Completed | Failed


class Ignored(StrEnum):
    """Why a report changes nothing."""

    TERMINAL = "terminal"
    STALE_FENCE = "stale_fence"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Moved:
    state: JobState


def reduce(state: JobState, report: Report) -> Moved | Ignored:
    """Decide one report. Status never goes back, a terminal state is never left, progress never falls."""
    if state.is_terminal:
        return Ignored.TERMINAL
    if 0 < report.fence < state.fence:
        return Ignored.STALE_FENCE
    fence = max(state.fence, report.fence)
    match report:
        case Progressed():
            return _progressed(state, report, fence)
        case Completed():
            return _moved(state, JobStatus.COMPLETED, None, 100, fence)
        case Failed():
            status = JobStatus.CANCELLED if report.code is FailureCode.CANCELLED else JobStatus.FAILED
            return _moved(state, status, state.stage, state.progress, fence)
        case _:
            assert_never(report)


def _progressed(state: JobState, report: Progressed, fence: int) -> Moved | Ignored:
    stage = max(state.stage, report.stage, key=_STAGE_RANK.__getitem__)
    # 100 is said by a completion alone.
    progress = max(state.progress, min(report.progress, 99))
    if (stage, progress) == (state.stage, state.progress):
        return Ignored.LATE
    return _moved(state, JobStatus.GENERATING, stage, progress, fence)


def _moved(state: JobState, status: JobStatus, stage: Stage | None, progress: int, fence: int) -> Moved:
    return Moved(replace(state, status=status, stage=stage, progress=progress, seq=state.seq + 1, fence=fence))


def prisma_status(status: JobStatus) -> str:
    """Map to Prisma's enum "ImageJobStatus", which has no CANCELLED: it stands there as FAILED."""
    return JobStatus.FAILED.value if status is JobStatus.CANCELLED else status.value
