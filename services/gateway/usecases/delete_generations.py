"""Delete generations: hidden at once, restorable for a while, then removed for good by persistence."""

from collections.abc import Awaitable, Callable, Sequence

from services.gateway.queries import deletions
from services.gateway.queries.deletions import Deleted
from services.gateway.store.deletions import DELETE_GENERATIONS, RESTORE_GENERATIONS
from services.runtime.database import Pool
from services.runtime.identity import Caller

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
        await self._pool.execute(DELETE_GENERATIONS, list(ids), caller.user_id, self._window_days)
        found = await deletions.deletions(self._pool, ids, caller.user_id)
        deleted = {key: one for key, one in found.items() if one.purged_at is None}
        open_jobs = await deletions.open_jobs(self._pool, list(deleted)) if deleted else []
        if open_jobs:
            await self._cancel_open(caller, open_jobs)
        return deleted

    async def restore(self, owner_id: str, ids: Sequence[str]) -> set[str]:
        """Restore and return the ids that are there now; a generation that was not deleted counts as restored."""
        await self._pool.fetch(RESTORE_GENERATIONS, list(ids), owner_id)
        there = await deletions.own_generations(self._pool, ids, owner_id)
        return there - set(await deletions.deletions(self._pool, ids, owner_id))

    async def restore_one(self, owner_id: str, generation_id: str) -> bool:
        """Restore one; False when there is none of the owner. Raises Purged when it is too late."""
        if await self.restore(owner_id, [generation_id]):
            return True
        if await deletions.deletions(self._pool, [generation_id], owner_id):
            raise Purged
        return False
