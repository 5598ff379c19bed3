"""Revoke an API key of the caller's own."""

from services.gateway.store.audit import record
from services.gateway.store.keys import REVOKE_KEY
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller


class KeyUnknown(Exception):
    """The caller has no key of this id."""


async def revoke_key(pool: Pool, caller: Caller, key_id: str, *, request_id: str | None = None) -> None:
    """End a key; a second time changes nothing. Raises KeyUnknown."""
    async with transaction(pool) as connection:
        changed = await connection.fetchval(REVOKE_KEY, key_id, caller.user_id)
        if changed is None:
            raise KeyUnknown
        if changed:
            await record(connection, caller, "key.revoked", key_id, request_id=request_id)
