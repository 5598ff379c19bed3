"""Mark notifications as read: some, or all up to now."""

from collections.abc import Sequence

from services.gateway.queries import notifications
from services.gateway.store.notifications import READ_ALL, READ_ONE
from services.runtime.database import Pool
from services.runtime.own_rows import OwnRows


async def read_some(pool: Pool, user_id: str, ids: Sequence[str]) -> set[str]:
    """Mark those of these that are the user's, and return which they are."""
    known = await notifications.mine(OwnRows(pool, user_id), ids)
    if known:
        await pool.execute(READ_ONE, user_id, sorted(known))
    return known


async def read_all(pool: Pool, user_id: str) -> None:
    """Mark all that stand as read; what comes meanwhile stays unread."""
    await pool.execute(READ_ALL, user_id)
