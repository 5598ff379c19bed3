"""Batches: a row beside its jobs, in their transaction."""

from services.runtime.database import Connection, Pool

INSERT_BATCH = """
    INSERT INTO sorami.batches (id, owner_id, organization_id, total) VALUES ($1, $2, $3, $4) RETURNING created_at
"""
NOTE_CANCELLED = """
    UPDATE sorami.batches SET cancelled_at = coalesce(cancelled_at, now()) WHERE id = $1 AND owner_id = $2
    RETURNING cancelled_at
"""


async def insert_batch(
    connection: Connection, batch_id: str, owner_id: str, organization_id: str | None, total: int
) -> None:
    """Insert a batch of `total` jobs."""
    await connection.execute(INSERT_BATCH, batch_id, owner_id, organization_id, total)


async def note_cancelled(pool: Pool, batch_id: str, owner_id: str) -> None:
    """Note that the owner wants the batch no longer; the first time counts."""
    await pool.execute(NOTE_CANCELLED, batch_id, owner_id)
