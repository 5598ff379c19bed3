"""Hear a provider's call: an operation of ours moved, so its generator is told to ask now."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from contracts.cloudevents import to_record
from contracts.events import ProviderNotified
from contracts.wake_tokens import is_wake_token, read_wake_token
from services.gateway.queries.operations import awaited
from services.gateway.store.events import put_events
from services.runtime.database import Pool
from services.runtime.outbox import OutboxRow


class HearProvider:
    """The use case behind a provider's webhook. Whoever calls learns nothing, not even whether the token was right."""

    def __init__(self, pool: Pool, offer: Callable[[Sequence[OutboxRow]], None]) -> None:
        self._pool = pool
        self._offer = offer

    async def __call__(self, provider: str, token: str, traceparent: str | None = None) -> None:
        claimed = read_wake_token(token)
        found = await awaited(self._pool, *claimed) if claimed else None
        if claimed is None or found is None:
            return
        if found.provider != provider or not is_wake_token(token, found.submit_key):
            return
        event = ProviderNotified(
            job_id=claimed[0], kind=found.kind, at=datetime.now(UTC), provider=provider, attempt=claimed[1]
        )
        record = to_record(event, service="gateway", traceparent=traceparent)
        self._offer(await put_events(self._pool, [record]))
