"""What is left to do: open jobs, search documents, purges."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.runtime.database import Pool

OPEN_JOBS = """
    SELECT kind, status, count(*)::int AS jobs, extract(epoch FROM now() - min(created_at))::float8 AS oldest_seconds
    FROM sorami.jobs WHERE status IN ('PENDING', 'GENERATING') GROUP BY kind, status
"""
# Counted up to a bound: a million of them must not slow whoever looks.
COUNTS = """
    SELECT (SELECT count(*) FROM (SELECT FROM sorami.search_pending LIMIT 10000) few)::int AS search_pending,
           (SELECT count(*) FROM (SELECT FROM sorami.deletions WHERE purged_at IS NULL AND purge_after < now()
                                  LIMIT 10000) few)::int AS purges_due
"""


@dataclass(frozen=True, slots=True)
class OpenJobs:
    """Jobs of a kind in a status, and the age of the oldest in seconds."""

    kind: str
    status: str
    jobs: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open jobs, and how many search documents and purges (each counted up to 10,000) wait."""

    open_jobs: Sequence[OpenJobs]
    search_pending: int
    purges_due: int


async def backlog(pool: Pool) -> Backlog:
    """Return what is left to do."""
    counts = await pool.fetchrow(COUNTS)
    return Backlog([OpenJobs(**dict(row)) for row in await pool.fetch(OPEN_JOBS)], **dict(counts or {}))
