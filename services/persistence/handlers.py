"""What persistence hears, and which use case answers it."""

from collections.abc import Sequence

from contracts.topics import JOB_COMPLETED, JOB_FAILED, JOB_PROGRESS
from services.persistence.parts import Parts
from services.runtime.consumer import Incoming, Route, Subscriptions


def subscribe(subscriptions: Subscriptions, parts: Parts) -> None:
    """Connect topics to use cases."""

    async def on_job_reports(batch: Sequence[Incoming]) -> None:
        """Move the rows of reported jobs: job_progress, job_completed and job_failed in one transaction a batch."""
        await parts.advance_jobs.on_records(batch)

    subscriptions.batches(Route((JOB_PROGRESS.name, JOB_COMPLETED.name, JOB_FAILED.name), on_job_reports))
