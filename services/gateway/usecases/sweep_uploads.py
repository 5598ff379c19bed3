"""Sweep uploads: those that were announced and never came, and those that nobody used for a long time."""

import asyncio

from services.gateway.store.uploads import DELETE_UPLOAD, DROP_UPLOAD_DAYS, DROP_UPLOADS
from services.runtime.database import Pool, is_transient, transaction
from services.runtime.logs import get_logger
from services.runtime.signed_objects import ObjectStoreAway, SignedObjects

SWEEP_EVERY = 60.0

_log = get_logger(part="uploads")


class SweepUploads:
    """Removes rows with their objects; any number of gateways share the work by skipping locked rows."""

    def __init__(self, pool: Pool, objects: SignedObjects, *, kept_days: float) -> None:
        self._pool = pool
        self._objects = objects
        self._kept_days = kept_days

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            try:
                while await self.sweep():
                    pass
                await self._pool.execute(DROP_UPLOAD_DAYS)
            except ObjectStoreAway:
                _log.warning("uploads cannot be removed now")
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the sweep of uploads is put off", error=type(error).__name__)

    async def sweep(self) -> int:
        """Remove some of what is due and return how many; the rows stay when the object store is away."""
        # The objects go while the rows are locked: the same bytes announced again wait, and are not deleted too.
        async with transaction(self._pool) as connection:
            rows = await connection.fetch(DROP_UPLOADS, self._kept_days)
            for row in rows:
                await self._objects.delete(row["storage_key"])
        return len(rows)

    async def remove(self, upload_id: str, owner_id: str) -> bool:
        """Remove one upload of an owner; False when there is none. Raises ObjectStoreAway."""
        async with transaction(self._pool) as connection:
            key = await connection.fetchval(DELETE_UPLOAD, upload_id, owner_id)
            if key is not None:
                await self._objects.delete(key)
        return key is not None
