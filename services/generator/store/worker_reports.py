"""What workers of others report: kept until their job has ended, whether or not its task exists already."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.runtime.database import Pool

# hear: a sign of life, and the first ending that is told. A task that waits is looked at now when its end is known.
HEAR = """
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[])
            AS g(job_id, kind, provider, topic, event)
    ), kept AS (
        INSERT INTO sorami.worker_reports AS r (job_id, provider, topic, event)
        SELECT g.job_id, j.provider, g.topic, g.event FROM given g
        JOIN sorami.jobs j ON j.id = g.job_id AND j.kind = g.kind AND j.status IN ('PENDING', 'GENERATING')
        WHERE j.provider = ANY($6::text[]) AND j.provider = g.provider
        ORDER BY g.job_id
        ON CONFLICT (job_id) DO UPDATE
        SET heard_at = now(), topic = coalesce(r.topic, excluded.topic), event = coalesce(r.event, excluded.event)
        RETURNING job_id, topic
    )
    UPDATE sorami.tasks t SET due_at = now() FROM kept
    WHERE t.job_id = kept.job_id AND kept.topic IS NOT NULL AND t.state = 'waiting'
    RETURNING t.job_id
"""

# foreign: jobs that are not the one's who reports on them ($2, by place).
FOREIGN = """
    SELECT g.job_id FROM unnest($1::text[], $2::text[]) AS g(job_id, provider)
    WHERE NOT EXISTS (SELECT FROM sorami.jobs j WHERE j.id = g.job_id AND j.provider = g.provider)
"""

# forget_reports: of jobs that ended, a bounded number at a time.
FORGET_REPORTS = """
    DELETE FROM sorami.worker_reports WHERE job_id IN (
        SELECT r.job_id FROM sorami.worker_reports r LEFT JOIN sorami.jobs j ON j.id = r.job_id
        WHERE j.id IS NULL OR (j.status NOT IN ('PENDING', 'GENERATING')
              AND NOT EXISTS (SELECT FROM sorami.tasks t WHERE t.job_id = r.job_id AND t.settled_at IS NULL))
        LIMIT 500)
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one job, by `provider`: `topic` and `event` (JSON) when it was its end."""

    job_id: str
    kind: str
    provider: str
    topic: str | None = None
    event: str | None = None


async def hear(pool: Pool, said: Sequence[Said], providers: Sequence[str]) -> bool:
    """Keep what workers said of open jobs of theirs, one each; tells whether a waiting task is due now."""
    rows = await pool.fetch(
        HEAR,
        [one.job_id for one in said],
        [one.kind for one in said],
        [one.provider for one in said],
        [one.topic for one in said],
        [one.event for one in said],
        list(providers),
    )
    return bool(rows)


async def foreign(pool: Pool, said: Sequence[Said]) -> set[str]:
    """Return the jobs that are not of the provider that reports on them."""
    rows = await pool.fetch(FOREIGN, [one.job_id for one in said], [one.provider for one in said])
    return {row["job_id"] for row in rows}
