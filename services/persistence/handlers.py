"""What persistence hears, and which use case answers it."""

from collections.abc import Sequence

from contracts.topics import JOB_COMPLETED, JOB_FAILED, JOB_PROGRESS, NOTIFICATION_REQUESTED
from services.persistence.parts import Parts
from services.runtime.consumer import Incoming, Route, Subscriptions


def subscribe(subscriptions: Subscriptions, parts: Parts) -> None:
    """Connect topics to use cases."""

    async def on_job_reports(batch: Sequence[Incoming]) -> None:
        """Move the rows of reported jobs: job_progress, job_completed and job_failed in one transaction a batch."""
        await parts.advance_jobs.on_records(batch)

    async def on_notification_requested(batch: Sequence[Incoming]) -> None:
        """Write the notifications that other services ask for."""
        await parts.write_notices([one.event for one in batch])

    subscriptions.batches(
        Route((JOB_PROGRESS.name, JOB_COMPLETED.name, JOB_FAILED.name), on_job_reports),
        Route((NOTIFICATION_REQUESTED.name,), on_notification_requested),
    )
