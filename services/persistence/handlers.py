"""What persistence hears, and which use case answers it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from contracts.topics import JOB_COMPLETED, JOB_FAILED, JOB_PROGRESS
from services.runtime.consumer import Incoming, Subscriptions

if TYPE_CHECKING:
    from services.persistence.app import Parts


def subscribe(subscriptions: Subscriptions, parts: "Parts") -> None:
    """Connect topics to use cases."""

    async def on_job_progress_completed_failed(batch: Sequence[Incoming]) -> None:
        """Move the rows of reported jobs; one subscription, so that one transaction takes reports of all three topics."""
        await parts.advance_jobs.on_records(batch)

    subscriptions.batches(
        JOB_PROGRESS.name, JOB_COMPLETED.name, JOB_FAILED.name, handle=on_job_progress_completed_failed
    )
