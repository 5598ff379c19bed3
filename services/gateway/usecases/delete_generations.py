"""Delete generations: hidden at once, restorable for a while, then removed for good by persistence."""

from collections.abc import Awaitable, Callable, Sequence

from services.gateway.queries import deletions
from services.gateway.queries.deletions import Deleted
from services.gateway.store.audit import record_each
from services.gateway.store.deletions import DELETE_GENERATIONS, RESTORE_GENERATIONS
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller
from services.runtime.own_rows import OwnRows

CancelOpen = Callable[[Caller, Sequence[tuple[str, str]]], Awaitable[None]]
"""Asks for the end of the caller's open jobs (job ids, each with its kind)."""


class Purged(Exception):
    """The generation was removed for good; only the fact is left."""


class DeleteGenerations:
    """The use cases behind delete and restore, one or many."""

    def __init__(self, pool: Pool, cancel_open: CancelOpen, *, window_days: float) -> None:
        self._pool = pool
        self._window_days = window_days
        self._cancel_open = cancel_open

    async def delete(self, caller: Caller, ids: Sequence[str]) -> dict[str, Deleted]:
        """Delete and return, by id, what is deleted now; ids of nobody, of others and purged ones are left out."""
        async with transaction(self._pool) as connection:
            gone = await connection.fetch(DELETE_GENERATIONS, list(ids), caller.user_id, self._window_days)
            await record_each(connection, caller, "generation.deleted", [row["generation_id"] for row in gone])
        found = await deletions.deletions(OwnRows(self._pool, caller.user_id), ids)
        deleted = {key: one for key, one in found.items() if one.purged_at is None}
        open_jobs = await deletions.open_jobs(OwnRows(self._pool, caller.user_id), list(deleted)) if deleted else []
        if open_jobs:
            await self._cancel_open(caller, open_jobs)
        return deleted

    async def restore(self, caller: Caller, ids: Sequence[str]) -> set[str]:
        """Restore and return the ids that are there now; a generation that was not deleted counts as restored."""
        async with transaction(self._pool) as connection:
            back = await connection.fetch(RESTORE_GENERATIONS, list(ids), caller.user_id)
            await record_each(connection, caller, "generation.restored", [row["generation_id"] for row in back])
        own = OwnRows(self._pool, caller.user_id)
        return await deletions.own_generations(own, ids) - set(await deletions.deletions(own, ids))

    async def restore_one(self, caller: Caller, generation_id: str) -> bool:
        """Restore one; False when there is none of the owner. Raises Purged when it is too late."""
        if await self.restore(caller, [generation_id]):
            return True
        if await deletions.deletions(OwnRows(self._pool, caller.user_id), [generation_id]):
            raise Purged
        return False
