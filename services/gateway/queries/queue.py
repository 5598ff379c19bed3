"""Where a waiting job stands in line, and how long jobs take."""

from dataclasses import dataclass
from typing import Any

from services.runtime.database import Pool

MOST_COUNTED = 1_000
"""Tasks that are counted before one: a longer line is told as this long."""
DURATIONS_OF = 500
"""How many of the last finished jobs tell how long jobs take."""

# The two halves of "goes before me" are each a range of tasks_queue_idx, and both are cut off: the line of one
# provider is counted among at most twice that many tasks of all of them.
_PLACE = f"""
    SELECT t.state,
           (SELECT count(*) FROM (
               (SELECT a.provider FROM sorami.tasks a WHERE a.state = 'queued' AND a.priority > t.priority
                ORDER BY a.priority DESC, a.created_at LIMIT {MOST_COUNTED})
               UNION ALL
               (SELECT a.provider FROM sorami.tasks a
                WHERE a.state = 'queued' AND a.priority = t.priority AND a.created_at < t.created_at
                ORDER BY a.created_at LIMIT {MOST_COUNTED})) AS ahead WHERE ahead.provider = t.provider) AS ahead,
           (SELECT count(*) FROM (SELECT FROM sorami.tasks r WHERE r.state = 'running' AND r.provider = t.provider
                                  LIMIT {MOST_COUNTED}) AS at_work) AS at_work
    FROM sorami.tasks t WHERE t.job_id = $1
"""  # noqa: S608 - constants
# Since work began, not since it was asked for: what a job waited says nothing of how long the next one takes.
_DURATIONS = f"""
    SELECT kind, model, avg((metadata->>'generation_time_seconds')::float8) AS seconds
    FROM (SELECT kind, model, metadata FROM sorami.jobs
          WHERE completed_at IS NOT NULL ORDER BY completed_at DESC LIMIT {DURATIONS_OF}) AS latest
    WHERE jsonb_typeof(metadata->'generation_time_seconds') = 'number'
    GROUP BY kind, model
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Place:
    """A task in its provider's line: how many go before it, and how many are at work."""

    waiting: bool
    ahead: int
    at_work: int


async def place_of(pool: Pool, job_id: str) -> Place | None:
    """Return where the job's task stands; None while no generator has taken it up."""
    row = await pool.fetchrow(_PLACE, job_id)
    return Place(row["state"] == "queued", min(row["ahead"], MOST_COUNTED), row["at_work"]) if row else None


async def durations(pool: Pool) -> dict[tuple[str, str | None], float]:
    """Return the mean seconds of recent jobs by kind and model."""
    rows: list[Any] = await pool.fetch(_DURATIONS)
    return {(row["kind"], row["model"]): row["seconds"] for row in rows}
