"""Cancel jobs: a wish and its event are written; whoever has the task decides whether it came in time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from contracts.cloudevents import to_record
from contracts.events import JobCancelRequested
from contracts.kinds import Kind
from contracts.status import JobStatus
from services.gateway.queries import batches, generations, jobs
from services.gateway.queries.batches import BatchView
from services.gateway.queries.generations import StatusView
from services.gateway.store.audit import record_each
from services.gateway.store.batches import note_cancelled
from services.gateway.store.cancellations import request_cancellations
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller
from services.runtime.outbox import OutboxRow
from services.runtime.own_rows import OwnRows


class AlreadyFinished(Exception):
    """There is nothing left to cancel; `status` is how the job ended."""

    def __init__(self, status: JobStatus) -> None:
        super().__init__(status)
        self.status = status


class NotOurs(Exception):
    """An application wrote this generation by itself: there is no job of ours that could be called off."""


class CancelJobs:
    """The use case behind POST …/cancel, of a job and of a batch."""

    def __init__(self, pool: Pool, offer: Callable[[Sequence[OutboxRow]], None]) -> None:
        self._pool = pool
        self._offer = offer

    async def __call__(
        self, caller: Caller, job_id: str, kind: Kind | None = None, traceparent: str | None = None
    ) -> StatusView | None:
        """Ask for the end of a job; None when there is none. Raises AlreadyFinished or NotOurs."""
        view = await self._view(caller, job_id, kind)
        if view is None:
            return None
        if view.status in (JobStatus.COMPLETED, JobStatus.FAILED):
            raise AlreadyFinished(view.status)
        if not view.ours:
            raise NotOurs
        if view.status is JobStatus.CANCELLED or view.cancel_requested:
            return replace(view, cancel_requested=True)
        await self.ask(caller, [(job_id, view.kind.name)], traceparent)
        after = await self._view(caller, job_id, kind)
        if after is not None and after.status in (JobStatus.COMPLETED, JobStatus.FAILED):
            raise AlreadyFinished(after.status)
        return after

    async def batch(self, caller: Caller, batch_id: str, traceparent: str | None = None) -> BatchView | None:
        """Ask for the end of every open job of a batch; None when there is none. Raises AlreadyFinished."""
        view = await batches.batch(OwnRows(self._pool, caller.user_id), batch_id)
        if view is None:
            return None
        open_jobs = await jobs.open_jobs_of_batch(OwnRows(self._pool, caller.user_id), batch_id)
        if not open_jobs and view.cancelled_at is None:
            raise AlreadyFinished(JobStatus.COMPLETED)
        await note_cancelled(self._pool, batch_id, caller.user_id)
        if open_jobs:
            await self.ask(caller, open_jobs, traceparent)
        return await batches.batch(OwnRows(self._pool, caller.user_id), batch_id)

    async def _view(self, caller: Caller, job_id: str, kind: Kind | None) -> StatusView | None:
        if kind is not None:
            return await generations.status(OwnRows(self._pool, caller.user_id), kind, job_id)
        found = await jobs.job(OwnRows(self._pool, caller.user_id), job_id)
        return found.status if found else None

    async def ask(self, caller: Caller, wanted: Sequence[tuple[str, str]], traceparent: str | None = None) -> None:
        """Ask for the end of jobs (ids with their kinds) that are known to be the caller's and open."""
        now = datetime.now(UTC)
        records = [
            to_record(
                JobCancelRequested(
                    job_id=job_id,
                    kind=kind,
                    at=now,
                    user_id=caller.user_id,
                    organization_id=caller.organization_id,
                    requested_by=caller.actor or caller.user_id,
                ),
                service="gateway",
                traceparent=traceparent,
            )
            for job_id, kind in wanted
        ]
        async with transaction(self._pool) as connection:
            wished = await request_cancellations(connection, records, caller.actor or caller.user_id)
            await record_each(connection, caller, "job.cancel_requested", [row.key for row in wished])
        self._offer(wished)
