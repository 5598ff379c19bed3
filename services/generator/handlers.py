"""What the generator hears, and which use case answers it."""

from collections.abc import Sequence

from contracts.status import TERMINAL
from contracts.topics import (
    JOB_CANCEL_REQUESTED,
    JOB_COMPLETED,
    JOB_FAILED,
    JOB_PROGRESS,
    JOB_REQUESTED,
    JOB_UPDATED,
    MEDIA_DELETED,
    PROVIDER_NOTIFIED,
)
from services.generator.parts import Parts
from services.runtime.consumer import Incoming, Route, Subscriptions


def subscribe(subscriptions: Subscriptions, parts: Parts) -> None:
    """Connect topics to use cases."""

    async def on_job_requested(batch: Sequence[Incoming]) -> None:
        """Accept requested jobs into the task table; rendering happens outside the handler."""
        await parts.accept_jobs([(one.event, one.record.headers.get("traceparent")) for one in batch])

    async def on_job_cancel_requested(batch: Sequence[Incoming]) -> None:
        """Call off the tasks of jobs that nobody wants any more, if they have not finished."""
        await parts.cancel_jobs([(one.event, one.record.headers.get("traceparent")) for one in batch])

    async def on_job_updated(batch: Sequence[Incoming]) -> None:
        """Free the tasks of jobs that ended, whoever ended them."""
        ended = [one.event.job_id for one in batch if one.event.status in TERMINAL]
        if ended:
            await parts.settle_jobs(ended)

    async def on_media_deleted(batch: Sequence[Incoming]) -> None:
        """Remove the task and the objects of generations that are gone for good."""
        await parts.purge_media([one.event for one in batch])

    async def on_worker_reported(batch: Sequence[Incoming]) -> None:
        """Hear workers of others; subscribed to only where some are declared."""
        if parts.hear_workers is not None:
            await parts.hear_workers(batch)

    # Documents are made without parts, and show what can be subscribed to.
    hears_workers = parts is None or parts.hear_workers is not None
    reported = (JOB_PROGRESS.name, JOB_COMPLETED.name, JOB_FAILED.name)

    async def on_provider_notified(batch: Sequence[Incoming]) -> None:
        """Ask providers at once that say of an operation that it moved."""
        await parts.wake_tasks([one.event.job_id for one in batch])

    subscriptions.batches(
        Route((JOB_REQUESTED.name,), on_job_requested),
        Route((JOB_CANCEL_REQUESTED.name,), on_job_cancel_requested),
        Route((JOB_UPDATED.name,), on_job_updated),
        Route((MEDIA_DELETED.name,), on_media_deleted),
        # Persistence reads these records as well, and buries what cannot be read.
        *([Route(reported, on_worker_reported, judges=False)] if hears_workers else []),
        Route((PROVIDER_NOTIFIED.name,), on_provider_notified),
    )
