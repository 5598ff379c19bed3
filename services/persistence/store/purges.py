"""The end of deleted generations: every row but the tombstone."""

from collections.abc import Iterable, Sequence
from typing import Any

from contracts.cloudevents import Record
from contracts.kinds import KINDS
from services.persistence.store.events import put_events
from services.runtime.database import Connection, Pool
from services.runtime.outbox import OutboxRow

_KINDS = list(KINDS.values())

# due_purges: deletions whose window has ended; a job that still runs is waited for. Instances share them.
DUE_PURGES = """
    SELECT d.generation_id AS id, d.kind, d.owner_id, j.origin
    FROM sorami.deletions d LEFT JOIN sorami.jobs j ON j.id = d.generation_id
    WHERE d.purged_at IS NULL AND d.purge_after <= now()
      AND (j.id IS NULL OR j.status NOT IN ('PENDING', 'GENERATING'))
    ORDER BY d.purge_after LIMIT 100 FOR UPDATE OF d SKIP LOCKED
"""

# forget: what is left of generations ($1), in this order; each statement is about one table.
FORGET_GENERATIONS = {
    "addresses": """INSERT INTO sorami.gone_media (token)
                    SELECT token FROM sorami.files WHERE job_id = ANY($1::text[]) ON CONFLICT DO NOTHING""",
    "read marks": """DELETE FROM sorami.notification_reads r USING notifications n, sorami.deletions d
                     WHERE d.generation_id = ANY($1::text[]) AND n."userId" = d.owner_id
                       AND n.metadata ->> 'generationId' = d.generation_id AND r.notification_id = n.id""",
    "notifications": """DELETE FROM notifications n USING sorami.deletions d
                        WHERE d.generation_id = ANY($1::text[]) AND n."userId" = d.owner_id
                          AND n.metadata ->> 'generationId' = d.generation_id""",
    "cancellations": "DELETE FROM sorami.cancellations WHERE job_id = ANY($1::text[])",
    "favourites": "DELETE FROM sorami.favourites WHERE generation_id = ANY($1::text[])",
    "album items": "DELETE FROM sorami.album_items WHERE generation_id = ANY($1::text[])",
    "shares": "DELETE FROM sorami.shares WHERE generation_id = ANY($1::text[])",
    "search documents": "DELETE FROM sorami.search_documents WHERE generation_id = ANY($1::text[])",
    "search pending": "DELETE FROM sorami.search_pending WHERE generation_id = ANY($1::text[])",
    "job events": "DELETE FROM sorami.job_events WHERE job_id = ANY($1::text[])",
    "deliveries": "DELETE FROM sorami.deliveries WHERE job_id = ANY($1::text[])",
    "webhooks": "DELETE FROM sorami.job_webhooks WHERE job_id = ANY($1::text[])",
    "dead letters": "DELETE FROM sorami.dead_letters WHERE key = ANY($1::text[])",
    "orphans": "DELETE FROM sorami.orphans WHERE job_id = ANY($1::text[])",
    "reports": "DELETE FROM sorami.backend_reports WHERE job_id = ANY($1::text[])",
    "workers' reports": "DELETE FROM sorami.worker_reports WHERE job_id = ANY($1::text[])",
    "requests not sent": "DELETE FROM sorami.outbox_gateway WHERE key = ANY($1::text[])",
    "files": "DELETE FROM sorami.files WHERE job_id = ANY($1::text[])",
    "jobs": "DELETE FROM sorami.jobs WHERE id = ANY($1::text[])",
    **{
        table: f'DELETE FROM {table} WHERE "generationId" = ANY($1::text[])'  # noqa: S608
        for table in (kind.files_table for kind in _KINDS)
    },
    **{
        table: f"DELETE FROM {table} WHERE id = ANY($1::text[])"  # noqa: S608 - names come from the declared kinds
        for table in (kind.generations_table for kind in _KINDS)
    },
}

NOTE_PURGED = "UPDATE sorami.deletions SET purged_at = now() WHERE generation_id = ANY($1::text[])"

TOMBSTONES = """
    SELECT generation_id FROM sorami.deletions WHERE generation_id = ANY($1::text[]) AND purged_at IS NOT NULL
"""


async def due_purges(connection: Connection) -> list[Any]:
    """Lock and return deletions whose window has ended."""
    return list(await connection.fetch(DUE_PURGES))


async def purge(connection: Connection, ids: Sequence[str], records: Sequence[Record]) -> list[OutboxRow]:
    """Remove every row of these generations but their tombstones; returns the rows of the outbox."""
    for statement in FORGET_GENERATIONS.values():
        await connection.execute(statement, list(ids))
    await connection.execute(NOTE_PURGED, list(ids))
    return await put_events(connection, records)


async def tombstones(pool: Pool, ids: Iterable[str]) -> set[str]:
    """Return those of the ids whose generation was removed for good."""
    return {row["generation_id"] for row in await pool.fetch(TOMBSTONES, list(ids))}
