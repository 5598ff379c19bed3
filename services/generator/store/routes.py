"""Tasks that move to another model: fenced where they are leased, and never after anything may have been charged."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.generator.store.leases import Claim
from services.runtime.database import Pool

# Nothing was charged: every attempt has ended and is known to have cost nothing.
_FREE = """NOT EXISTS (SELECT FROM sorami.operations o WHERE o.job_id = t.job_id
           AND (o.closed_at IS NULL OR coalesce(o.charged, 'unknown') <> 'no'))"""

# reroute: the task goes to another model and its provider, with all its attempts before it.
REROUTE_TASK = f"""
    UPDATE sorami.tasks t
    SET provider = $3, model = $4, state = 'queued', lease_until = NULL, attempts = 0, due_at = now(),
        updated_at = now()
    WHERE t.job_id = $1 AND t.fence = $2 AND t.state = 'running' AND {_FREE}
    RETURNING t.job_id
"""  # noqa: S608 - constant parts only

# reroute_queued: what waits at a closed door moves on without being claimed.
REROUTE_QUEUED = f"""
    UPDATE sorami.tasks t SET provider = g.provider, model = g.model, attempts = 0, due_at = now(), updated_at = now()
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS g(job_id, from_model, provider, model)
    WHERE t.job_id = g.job_id AND t.model = g.from_model AND t.state = 'queued' AND {_FREE}
    RETURNING t.job_id
"""  # noqa: S608 - constant parts only

# stranded: tasks that wait for models ($1 providers, $2 models) and have somebody who may take over.
STRANDED = """
    SELECT t.job_id, t.model, array(SELECT jsonb_array_elements_text(t.request->'fallbacks')) AS fallbacks,
           t.request->>'model' AS asked
    FROM sorami.tasks t JOIN unnest($1::text[], $2::text[]) AS shut(provider, model) USING (provider, model)
    WHERE t.state = 'queued' AND t.request->'fallbacks' <> '[]'::jsonb
    ORDER BY t.created_at LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Stranded:
    """A queued task whose model gets no work now: the model asked for, and who may take over."""

    job_id: str
    model: str
    asked: str | None
    fallbacks: list[str]


@dataclass(frozen=True, slots=True)
class Detour:
    """Where a queued task goes from its model."""

    job_id: str
    from_model: str
    provider: str
    model: str


async def reroute(pool: Pool, claim: Claim, provider: str, model: str) -> bool:
    """Give a leased task to another model; False when the lease is lost or something may have been charged."""
    return await pool.fetchval(REROUTE_TASK, claim.job_id, claim.fence, provider, model) is not None


async def stranded(pool: Pool, shut: Sequence[tuple[str, str]], most: int) -> list[Stranded]:
    """Return queued tasks of these (provider, model) that may go elsewhere."""
    rows = await pool.fetch(STRANDED, [one for one, _ in shut], [model for _, model in shut], most)
    return [Stranded(**dict(row)) for row in rows]


async def reroute_queued(pool: Pool, detours: Sequence[Detour]) -> int:
    """Move queued tasks and return how many went."""
    rows = await pool.fetch(
        REROUTE_QUEUED,
        [one.job_id for one in detours],
        [one.from_model for one in detours],
        [one.provider for one in detours],
        [one.model for one in detours],
    )
    return len(rows)
