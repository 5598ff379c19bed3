"""Settle a parked report: an operator says whose it is, or that it is nobody's."""

from contracts.kinds import KINDS
from contracts.legacy_webhook import read_backend_webhook
from services.gateway.queries import operating, people
from services.gateway.store.audit import record
from services.gateway.store.reports import resolve_orphan
from services.gateway.usecases.accept_backend_webhook import AcceptBackendWebhook, Parked
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller


class OrphanUnknown(Exception):
    """There is no parked report of this id."""


class OrphanSettled(Exception):
    """It was assigned or discarded before."""


class OwnerUnknown(Exception):
    """Nobody of this id is known here."""


class NotAdoptable(Exception):
    """The generation of this id ended otherwise meanwhile; the report changes nothing."""


class SettleOrphan:
    """Assign and discard."""

    def __init__(self, pool: Pool, accept: AcceptBackendWebhook) -> None:
        self._pool = pool
        self._accept = accept

    async def assign(self, caller: Caller, orphan_id: str, user_id: str) -> str:
        """Adopt the report as this person's and return the job's id; a second try goes on where the first stopped.

        Raises OrphanUnknown, OrphanSettled, OwnerUnknown and NotAdoptable.
        """
        orphan = await self._open(orphan_id)
        owner = await people.person(self._pool, user_id)
        if owner is None:
            raise OwnerUnknown
        report = read_backend_webhook(KINDS[orphan.kind], orphan.payload)
        if isinstance(await self._accept.adopt_for(report, owner["user_id"], owner["organization_id"]), Parked):
            raise NotAdoptable
        await self._resolve(caller, orphan_id, "assigned", {"owner_id": owner["user_id"], "job_id": orphan.job_id})
        return orphan.job_id

    async def discard(self, caller: Caller, orphan_id: str) -> None:
        """Say that it is nobody's; it stays readable. Raises OrphanUnknown and OrphanSettled."""
        await self._open(orphan_id)
        await self._resolve(caller, orphan_id, "discarded", None)

    async def _open(self, orphan_id: str) -> operating.OrphanView:
        found = await operating.orphan(self._pool, orphan_id)
        if found is None:
            raise OrphanUnknown
        if found.resolution is not None:
            raise OrphanSettled
        return found

    async def _resolve(self, caller: Caller, orphan_id: str, resolution: str, told: dict[str, str] | None) -> None:
        async with transaction(self._pool) as connection:
            if not await resolve_orphan(connection, orphan_id, resolution, by=caller.user_id):
                raise OrphanSettled
            await record(connection, caller, f"orphan.{resolution}", orphan_id, detail=told)
