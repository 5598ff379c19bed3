"""Purge what was deleted when its window ends: no row is left but the tombstone, and everyone is told."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.cloudevents import to_record
from contracts.events import MediaDeleted
from contracts.kinds import KINDS
from contracts.media import object_prefix
from services.persistence.store.purges import due_purges, purge
from services.runtime.database import Pool, is_transient, transaction
from services.runtime.logs import get_logger
from services.runtime.outbox import OutboxRow

_log = get_logger(part="purge")


class PurgeDeleted:
    """Looks for deletions that are due; any number of instances share the work."""

    def __init__(self, pool: Pool, offer: Callable[[Sequence[OutboxRow]], None], *, every: float) -> None:
        self._pool = pool
        self._offer = offer
        self._every = every

    async def run(self) -> None:
        """Purge until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            try:
                while await self.purge():
                    pass
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the purge is put off", error=type(error).__name__)

    async def purge(self) -> int:
        """Remove a batch for good in one transaction and return how many."""
        async with transaction(self._pool) as connection:
            due = await due_purges(connection)
            if not due:
                return 0
            records = [to_record(_event(row), service="persistence") for row in due]
            rows = await purge(connection, [row["id"] for row in due], records)
        _log.info("deleted generations are gone for good", generations=len(due))
        self._offer(rows)
        return len(due)


def _event(row: Any) -> MediaDeleted:
    # Objects of a generation that an application or a backend made are not ours.
    ours = row["origin"] in ("api", "application")
    prefixes = [object_prefix(KINDS[row["kind"]], row["id"])] if ours else []
    return MediaDeleted(job_id=row["id"], kind=row["kind"], at=datetime.now(UTC), prefixes=prefixes)
