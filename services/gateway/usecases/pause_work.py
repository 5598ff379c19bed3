"""Pause and resume: what runs goes on, what a provider works on is still asked for, and nothing new begins."""

from services.gateway.queries.pauses import PauseView
from services.gateway.store.audit import record
from services.gateway.store.pauses import PAUSE, RESUME, TELL_GENERATORS
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller


class NotPaused(Exception):
    """There is no such pause."""


async def pause(
    pool: Pool, caller: Caller, scope: str, name: str, reason: str | None, *, request_id: str | None = None
) -> PauseView:
    """Begin nothing more of it, from the next claim on; a second time only changes the reason."""
    async with transaction(pool) as connection:
        row = await connection.fetchrow(PAUSE, scope, name, reason, caller.actor or caller.user_id)
        detail = {"reason": reason} if reason else None
        await record(connection, caller, "work.paused", f"{scope}:{name}", request_id=request_id, detail=detail)
    if row is None:
        raise RuntimeError("a pause that was written has no row")
    return PauseView(**dict(row))


async def resume(pool: Pool, caller: Caller, scope: str, name: str, *, request_id: str | None = None) -> None:
    """Let it begin again, at once. Raises NotPaused."""
    async with transaction(pool) as connection:
        if await connection.fetchval(RESUME, scope, name) is None:
            raise NotPaused
        await record(connection, caller, "work.resumed", f"{scope}:{name}", request_id=request_id)
        await connection.execute(TELL_GENERATORS)
