"""Look at the whole system as an operator: who is behind, what waits, what needs a decision."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from services.gateway.queries.operating import OutboxView, open_counts, outboxes
from services.runtime.database import Pool

CONSUMERS = ("generator", "notifier", "persistence")

Lags = Mapping[tuple[str, str], int]
"""Records that a group has yet to handle, by group and topic."""


@dataclass(frozen=True, slots=True)
class SystemHealth:
    """What is behind; `lags` is None while Kafka does not answer."""

    lags: Lags | None
    outboxes: Sequence[OutboxView]
    dead_letters: int
    orphans: int


class LookAtHealth:
    """Ask Kafka and Postgres at once."""

    def __init__(self, pool: Pool, lags: Callable[[], Awaitable[Lags | None]]) -> None:
        self._pool = pool
        self._lags = lags

    async def __call__(self) -> SystemHealth:
        lags, boxes, counts = await asyncio.gather(self._lags(), outboxes(self._pool), open_counts(self._pool))
        return SystemHealth(lags, boxes, *counts)
