"""What the generator reads beside what it claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.runtime.database import Pool

_OWN_OBJECT = """
    SELECT f.storage_key FROM sorami.files f JOIN sorami.jobs j ON j.id = f.job_id
    WHERE f.token = $1 AND j.owner_id = $2 AND f.kind = 'image' AND f.storage_key IS NOT NULL
      AND NOT EXISTS (SELECT FROM sorami.deletions gone WHERE gone.generation_id = f.job_id)
"""
_OWN_UPLOAD = "SELECT storage_key, sha256 FROM sorami.uploads WHERE id = $1 AND owner_id = $2 AND state = 'ready'"

_NOT_HELD = """
    SELECT mine.job_id FROM unnest($1::text[], $2::int[]) AS mine(job_id, fence)
    LEFT JOIN sorami.tasks t ON t.job_id = mine.job_id AND t.fence = mine.fence AND t.state = 'running'
    WHERE t.job_id IS NULL
"""
_OPEN_TASKS = """
    SELECT job_id FROM sorami.tasks WHERE job_id = ANY($1::text[]) AND state IN ('queued', 'waiting', 'running')
"""


_HEARD_OF_WORKER = """
    SELECT r.topic, r.event, extract(epoch FROM now() - r.heard_at)::float8 AS silent,
           extract(epoch FROM now() - t.created_at)::float8 AS waited, coalesce(t.start_by <= now(), false) AS late,
           coalesce((t.request->>'count')::int, 1) AS count, t.model
    FROM sorami.tasks t LEFT JOIN sorami.worker_reports r ON r.job_id = t.job_id WHERE t.job_id = $1
"""

# open_work: what waits and runs; a pause of the kind, the model or the provider holds queued tasks back.
_OPEN_WORK = """
    SELECT t.provider, t.kind, t.state, sum(t.tasks)::int AS tasks, sum(t.abandoned)::int AS abandoned,
           coalesce(max(t.waited) FILTER (WHERE NOT EXISTS (
               SELECT FROM sorami.pauses p
               WHERE p.scope = 'all' OR (p.scope = 'provider' AND p.name = t.provider)
                  OR (p.scope = 'kind' AND p.name = t.kind) OR (p.scope = 'model' AND p.name = t.model))), 0) AS waited
    FROM (SELECT provider, kind, model, state, count(*) AS tasks,
                 count(*) FILTER (WHERE state = 'running' AND lease_until < now()) AS abandoned,
                 extract(epoch FROM now() - min(due_at) FILTER (WHERE state = 'queued' AND due_at <= now()))::float8
                     AS waited
          FROM sorami.tasks WHERE state IN ('queued', 'running', 'waiting') GROUP BY provider, kind, model, state) t
    GROUP BY t.provider, t.kind, t.state
"""


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Tasks in one state; `waited` is for how many seconds the oldest has been due, 0 where it is not queued or held.

    `abandoned` are those running whose lease ran out.
    """

    provider: str
    kind: str
    state: str
    tasks: int
    abandoned: int
    waited: float


async def open_work(pool: Pool) -> list[OpenWork]:
    """Return what has not ended, by provider, kind and state."""
    return [OpenWork(**dict(row)) for row in await pool.fetch(_OPEN_WORK)]


async def heard_of_worker(pool: Pool, job_id: str) -> Any:
    """Return what a worker of others said of a job, and for how long (seconds) it was `silent` or `waited` for."""
    return await pool.fetchrow(_HEARD_OF_WORKER, job_id)


async def not_held(pool: Pool, held: Mapping[str, int]) -> list[str]:
    """Return those of the leases (job id to fence) that do not hold any more."""
    return [row["job_id"] for row in await pool.fetch(_NOT_HELD, list(held), list(held.values()))]


async def open_tasks(pool: Pool, job_ids: list[str]) -> set[str]:
    """Return those of the jobs whose task has not ended."""
    return {row["job_id"] for row in await pool.fetch(_OPEN_TASKS, job_ids)}


async def own_object(pool: Pool, token: str, owner_id: str) -> str | None:
    """Return the object key of an image that this owner may use, or None."""
    key: str | None = await pool.fetchval(_OWN_OBJECT, token, owner_id)
    return key


async def own_upload(pool: Pool, upload_id: str, owner_id: str) -> Any:
    """Return `storage_key` and `sha256` of a finished upload of this owner, or None."""
    return await pool.fetchrow(_OWN_UPLOAD, upload_id, owner_id)
