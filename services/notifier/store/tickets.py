"""Tickets of streams: kept as hashes, taken once."""

from dataclasses import dataclass
from datetime import datetime

from services.runtime.database import Pool

LIFETIME_SECONDS = 60

# keep_ticket: what nobody used is swept along.
KEEP_TICKET = """
    WITH swept AS (
        DELETE FROM sorami.stream_tickets WHERE token_hash IN (
            SELECT token_hash FROM sorami.stream_tickets WHERE expires_at < now() ORDER BY expires_at LIMIT 100)
    )
    INSERT INTO sorami.stream_tickets (token_hash, user_id, key_id, session_hash, expires_at)
    VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second') RETURNING expires_at
"""

TAKE_TICKET = """
    DELETE FROM sorami.stream_tickets WHERE token_hash = $1
    RETURNING user_id, key_id, session_hash, expires_at > now() AS valid
"""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whose streams it opens, and the key or the session that it stands and falls with."""

    user_id: str
    key_id: str | None = None
    session_hash: bytes | None = None


async def keep(pool: Pool, token_hash: bytes, ticket: Ticket) -> datetime:
    """Keep a ticket and return when it ends."""
    ends: datetime = await pool.fetchval(
        KEEP_TICKET, token_hash, ticket.user_id, ticket.key_id, ticket.session_hash, LIFETIME_SECONDS
    )
    return ends


async def take(pool: Pool, token_hash: bytes) -> Ticket | None:
    """Take a ticket, so that nobody else can; None when there is none, or its time is over."""
    row = await pool.fetchrow(TAKE_TICKET, token_hash)
    return Ticket(row["user_id"], row["key_id"], row["session_hash"]) if row and row["valid"] else None
