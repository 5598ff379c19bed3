"""What the generator hears, and which use case answers it."""

from collections.abc import Sequence

from contracts.status import TERMINAL
from contracts.topics import JOB_CANCEL_REQUESTED, JOB_REQUESTED, JOB_UPDATED, MEDIA_DELETED, PROVIDER_NOTIFIED
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

    async def on_provider_notified(batch: Sequence[Incoming]) -> None:
        """Ask providers at once that say of an operation that it moved."""
        await parts.wake_tasks([one.event.job_id for one in batch])

    subscriptions.batches(
        Route((JOB_REQUESTED.name,), on_job_requested),
        Route((JOB_CANCEL_REQUESTED.name,), on_job_cancel_requested),
        Route((JOB_UPDATED.name,), on_job_updated),
        Route((MEDIA_DELETED.name,), on_media_deleted),
        Route((PROVIDER_NOTIFIED.name,), on_provider_notified),
    )
