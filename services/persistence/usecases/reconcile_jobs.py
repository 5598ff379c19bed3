"""Reconcile what Kafka forgot, and end what is overdue."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.cloudevents import Record, to_record
from contracts.events import (
    EVENT_OF_TOPIC,
    Event,
    JobCancelRequested,
    JobCompleted,
    JobFailed,
    JobProgressed,
    JobRequested,
)
from contracts.failures import Failure, FailureCode
from services.persistence.metrics import RESENT
from services.persistence.store import forgotten
from services.persistence.store.events import put_events
from services.persistence.usecases.advance_jobs import AdvanceJobs
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger
from services.runtime.outbox import OutboxRow

_log = get_logger(part="reconcile")


class ReconcileJobs:
    """Looks at the rows themselves, since no hop trusts a topic alone."""

    def __init__(
        self,
        pool: Pool,
        advance: AdvanceJobs,
        offer: Callable[[Sequence[OutboxRow]], None],
        *,
        forgotten_after: float,
    ) -> None:
        self._pool = pool
        self._advance = advance
        self._offer = offer
        self._forgotten_after = forgotten_after

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._forgotten_after / 4)
            try:
                await self.resend_forgotten()
                await self.end_overdue()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the look is put off", error=type(error).__name__)

    async def resend_forgotten(self) -> int:
        """Send again what should have moved a job long ago; returns how many."""
        records = [_record(row) for row in await forgotten.forgotten_requests(self._pool, self._forgotten_after)]
        for row in await forgotten.forgotten_reports(self._pool, self._forgotten_after):
            event = EVENT_OF_TOPIC[row["topic"]].model_validate_json(row["event"])
            records.append(to_record(event, service="persistence"))
        for row in await forgotten.forgotten_cancellations(self._pool, self._forgotten_after):
            records.append(to_record(_cancel_request(row), service="persistence"))
        if records:
            RESENT.inc(len(records))
            _log.warning("jobs nobody took up are sent again", jobs=len(records))
            self._offer(await put_events(self._pool, records))
        return len(records)

    async def end_overdue(self) -> None:
        """Fail open jobs whose deadline passed and whose generator had its time to say so."""
        rows = await forgotten.overdue_jobs(self._pool, self._forgotten_after)
        if rows:
            await self._advance([_overdue(row) for row in rows], [None] * len(rows))


def _record(row: Any) -> Record:
    asked = json.loads(row["request"])
    model: type[Event] = JobRequested
    if row["origin"] == "backend-direct" or "fence" in asked:
        # An adopted job has no request: what its backend reported is what Kafka forgot.
        model = JobCompleted if "files" in asked else JobFailed if "failure" in asked else JobProgressed
    return to_record(model.model_validate(asked), service="persistence")


def _cancel_request(row: Any) -> JobCancelRequested:
    return JobCancelRequested(
        job_id=row["job_id"],
        kind=row["kind"],
        at=datetime.now(UTC),
        user_id=row["owner_id"],
        organization_id=row["organization_id"],
        requested_by=row["requested_by"],
    )


def _overdue(row: Any) -> JobFailed:
    failure = (
        Failure.of(FailureCode.TIMEOUT, "the deadline passed before the work was done", charged="unknown")
        if row["has_task"]
        else Failure.of(FailureCode.NO_WORKER, "no generator took the job up before its deadline")
    )
    return JobFailed(job_id=row["id"], kind=row["kind"], at=datetime.now(UTC), failure=failure)
