"""Whether what a ticket was asked for with still holds."""

from services.notifier.store.tickets import Ticket
from services.runtime.database import Pool

_STILL_HOLDS = """
    SELECT ($1::text IS NULL OR EXISTS (
                SELECT FROM sorami.api_keys k
                WHERE k.id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())))
       AND ($2::bytea IS NULL OR EXISTS (
                SELECT FROM sorami.sessions s WHERE s.token_hash = $2 AND s.expires_at > now()))
"""


async def still_holds(pool: Pool, ticket: Ticket) -> bool:
    """Tell whether the key is not revoked and the session not over; a bearer token lasts as long as its stream."""
    return bool(await pool.fetchval(_STILL_HOLDS, ticket.key_id, ticket.session_hash))
