"""What backends report, and what became of reports that nobody could be given."""

from contracts.cloudevents import Record
from services.gateway.store.events import put_events
from services.runtime.database import Connection, Pool, transaction
from services.runtime.outbox import OutboxRow

INSERT_ORPHAN = """
    INSERT INTO sorami.orphans (id, kind, job_id, status, payload, reason) VALUES ($1, $2, $3, $4, $5::jsonb, $6)
    ON CONFLICT (kind, job_id, status) DO NOTHING
"""
# keep_report: kept until the job has ended, so that it can be sent again if Kafka forgets it.
KEEP_REPORT = """
    INSERT INTO sorami.backend_reports (job_id, topic, event) VALUES ($1, $2, $3::jsonb)
    ON CONFLICT (job_id, topic) DO NOTHING
"""
# resolve_orphan: an operator said whose it is, or that it is nobody's; once.
RESOLVE_ORPHAN = """
    UPDATE sorami.orphans SET resolution = $2, resolved_at = now(), resolved_by = $3
    WHERE id = $1 AND resolution IS NULL RETURNING id
"""


async def resolve_orphan(connection: Connection, orphan_id: str, resolution: str, *, by: str) -> bool:
    """Note what became of a parked report; False when it is not there or resolved."""
    return await connection.fetchval(RESOLVE_ORPHAN, orphan_id, resolution, by) is not None


async def put_report(pool: Pool, record: Record, *, ends_job: bool) -> list[OutboxRow]:
    """Put what a backend reported into the outbox; an ending is kept beside it until the job has ended."""
    async with transaction(pool) as connection:
        if ends_job:
            await connection.execute(KEEP_REPORT, record.key, record.topic, record.value.decode())
        return await put_events(connection, [record])
