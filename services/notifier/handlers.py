"""What the notifier hears, and which use case answers it."""

from collections.abc import Sequence

from contracts.topics import JOB_UPDATED
from services.notifier.parts import Parts
from services.runtime.consumer import Incoming, Route, Subscriptions


def subscribe(subscriptions: Subscriptions, parts: Parts) -> None:
    """Connect topics to use cases."""

    async def on_job_updated(batch: Sequence[Incoming]) -> None:
        """Show moves to whoever watches at this process; every process hears all of them."""
        parts.hub.publish([one.event for one in batch])

    async def on_job_updated_deliver(batch: Sequence[Incoming]) -> None:
        """Plan deliveries; one process of the group hears each move."""
        traces = [one.record.headers.get("traceparent") for one in batch]
        await parts.plan_deliveries([one.event for one in batch], traces)

    subscriptions.stream(Route((JOB_UPDATED.name,), on_job_updated))
    subscriptions.batches(Route((JOB_UPDATED.name,), on_job_updated_deliver))
