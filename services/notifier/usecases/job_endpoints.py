"""The endpoint `jobs` of an owner: what addresses that single jobs bring are signed and kept under."""

from collections.abc import Collection
from datetime import datetime

from contracts.ids import new_id
from services.notifier.channels import signatures
from services.notifier.queries import endpoints as queries
from services.notifier.store import endpoints
from services.notifier.store.endpoints import Endpoint
from services.notifier.usecases.seal_secrets import seal_secret
from services.runtime.database import Pool, transaction
from services.runtime.logs import get_logger
from services.runtime.sealing import Sealer

ALIAS = "jobs"
"""Stands for the id of the caller's own in the console's paths."""

_log = get_logger(part="endpoints")


class JobEndpoints:
    """Finds them, and makes them where a key seals their secret."""

    def __init__(self, pool: Pool, sealer: Sealer | None) -> None:
        self._pool = pool
        self._sealer = sealer

    async def of(self, owner_ids: Collection[str]) -> dict[str, Endpoint]:
        """Return the endpoint of each owner; owners are missing where no key is configured."""
        found = await queries.per_job(self._pool, owner_ids)
        missing = set(owner_ids) - found.keys()
        if missing and self._sealer is None:
            _log.error("webhooks of jobs wait for SORAMI_ENCRYPTION_KEYS", owners=len(missing))
        if not missing or self._sealer is None:
            return found
        for owner_id in sorted(missing):
            await self._make(self._sealer, owner_id)
        return found | await queries.per_job(self._pool, missing)

    async def of_the_forgotten(self, older_than_seconds: float, since: datetime) -> None:
        """Make those of owners whose jobs ended without anybody hearing of it."""
        await self.of(await queries.owners_without_job_endpoint(self._pool, older_than_seconds, since))

    async def _make(self, sealer: Sealer, owner_id: str) -> None:
        endpoint_id = new_id()
        async with transaction(self._pool) as connection:
            if await connection.fetchval(endpoints.INSERT_JOB_ENDPOINT, endpoint_id, owner_id) is not None:
                sealed = seal_secret(sealer, endpoint_id, signatures.new_hmac())
                await endpoints.insert_secrets(connection, [sealed])
