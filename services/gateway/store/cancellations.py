"""Wishes that jobs end: a row and its event in one statement."""

from collections.abc import Mapping, Sequence

from contracts.cloudevents import Record, outbox_headers
from services.runtime.database import Connection
from services.runtime.outbox import OutboxRow

# request_cancellations: one wish a job however often it is told; none for a job that has ended meanwhile.
REQUEST_CANCELLATIONS = """
    WITH given AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::jsonb[])
            AS g(job_id, requested_by, topic, value, headers)
    ), wished AS (
        INSERT INTO sorami.cancellations (job_id, requested_by)
        SELECT g.job_id, g.requested_by FROM given g JOIN sorami.jobs j ON j.id = g.job_id
        WHERE j.status IN ('PENDING', 'GENERATING') ORDER BY g.job_id
        ON CONFLICT (job_id) DO NOTHING
        RETURNING job_id
    )
    INSERT INTO sorami.outbox_gateway (topic, key, value, headers)
    SELECT g.topic, g.job_id, g.value, g.headers FROM given g JOIN wished USING (job_id) ORDER BY g.job_id
    RETURNING id, key
"""


async def request_cancellations(
    connection: Connection, records: Sequence[Record], requested_by: str
) -> list[OutboxRow]:
    """Write wishes that were not there yet and return their rows of the outbox."""
    of_job: Mapping[str, Record] = {record.key: record for record in records}
    rows = await connection.fetch(
        REQUEST_CANCELLATIONS,
        [record.key for record in records],
        [requested_by] * len(records),
        [record.topic for record in records],
        [record.value for record in records],
        [outbox_headers(record.headers) for record in records],
    )
    found = [(row["id"], of_job[row["key"]]) for row in rows]
    return [OutboxRow(id_, record.topic, record.key, record.value, record.headers) for id_, record in found]
