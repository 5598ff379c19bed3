"""Cancel jobs: the task's own state decides whether the wish came in time, and its verdict is told at once."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from contracts.cloudevents import Record, to_record
from contracts.events import JobCancelRequested, JobFailed
from contracts.failures import Failure, FailureCode
from services.generator.queries import open_tasks
from services.generator.store.tasks import cancel
from services.runtime.database import Pool
from services.runtime.logs import get_logger
from services.runtime.outbox import OutboxRow

_log = get_logger(part="cancel")


class CancelJobs:
    """The use case behind job.cancel-requested; the same wish again changes nothing."""

    def __init__(
        self,
        pool: Pool,
        offer: Callable[[Sequence[OutboxRow]], None],
        call_off: Callable[[Sequence[str]], None],
    ) -> None:
        self._pool = pool
        self._offer = offer
        self._call_off = call_off

    async def __call__(self, wishes: Sequence[tuple[JobCancelRequested, str | None]]) -> None:
        verdicts = {event.job_id: _verdict(event, trace) for event, trace in wishes}
        await self._cancel(list(verdicts.values()))
        # A request may have been accepted between our two looks at a task that was not there: it is there now.
        missed = await open_tasks(self._pool, list(verdicts))
        if missed:
            await self._cancel([verdicts[job_id] for job_id in sorted(missed)])

    async def _cancel(self, verdicts: Sequence[Record]) -> None:
        rows = await cancel(self._pool, verdicts)
        if rows:
            _log.info("jobs are cancelled", jobs=len(rows))
        self._offer(rows)
        self._call_off([row.key for row in rows])


def _verdict(wish: JobCancelRequested, traceparent: str | None) -> Record:
    # Fence 0: it is nobody's lease that ends, and no lease begins after it.
    event = JobFailed(
        job_id=wish.job_id,
        kind=wish.kind,
        at=datetime.now(UTC),
        failure=Failure.of(FailureCode.CANCELLED, "the job was cancelled before it was done"),
    )
    return to_record(event, service="generator", traceparent=traceparent)
