"""Purge the media of generations that were removed for good: the objects of every lease, then the task."""

import asyncio
from collections.abc import Callable, Sequence

from contracts.events import MediaDeleted
from contracts.kinds import KINDS
from contracts.media import incoming_prefix, object_prefix
from services.generator.store.operations import FORGET_ATTEMPTS
from services.generator.store.tasks import DELETE_TASK, FORGOTTEN_PURGES
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger
from services.runtime.objects import Objects, ObjectsUnavailable

FORGOTTEN_DAYS = 8
"""A day longer than Kafka keeps media.deleted."""
AT_ONCE = 8

_log = get_logger(part="purge")


class PurgeMedia:
    """The use case behind media.deleted. The task goes last: while it is there, something is left to do."""

    def __init__(
        self, pool: Pool, objects: Objects, call_off: Callable[[Sequence[str]], None], *, forgotten_after: float
    ) -> None:
        self._pool = pool
        self._objects = objects
        self._call_off = call_off
        self._forgotten_after = forgotten_after

    async def __call__(self, events: Sequence[MediaDeleted]) -> None:
        """Remove what is ours of these; what the object store does not take now is looked for later."""
        await self._purge([(event.job_id, event.kind) for event in events if event.prefixes])

    async def run(self) -> None:
        """Look for what was forgotten until cancelled."""
        while True:
            await asyncio.sleep(self._forgotten_after)
            try:
                await self.look()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the look for media to purge is put off", error=type(error).__name__)

    async def look(self) -> None:
        """Purge the media of jobs whose media.deleted was not heard, or could not be acted upon."""
        rows = await self._pool.fetch(FORGOTTEN_PURGES, self._forgotten_after, FORGOTTEN_DAYS)
        await self._purge([(row["job_id"], row["kind"]) for row in rows])

    async def _purge(self, jobs: Sequence[tuple[str, str]]) -> None:
        self._call_off([job_id for job_id, _ in jobs])
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(job_id: str, kind: str) -> None:
            async with turns:
                await self._purge_one(job_id, kind)

        # The folder follows from the id, never from what a record says: a forged one could name the whole bucket.
        await asyncio.gather(*(one(job_id, kind) for job_id, kind in jobs if kind in KINDS))

    async def _purge_one(self, job_id: str, kind: str) -> None:
        try:
            objects = await self._objects.delete_all(object_prefix(KINDS[kind], job_id))
            objects += await self._objects.delete_all(incoming_prefix(job_id))
        except ObjectsUnavailable as error:
            _log.warning("media cannot be purged now", job_id=job_id, error=str(error))
            return
        await self._pool.execute(FORGET_ATTEMPTS, job_id)
        await self._pool.execute(DELETE_TASK, job_id)
        _log.info("media purged", job_id=job_id, objects=objects)
