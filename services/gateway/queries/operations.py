"""Operations at providers, as their calls name them."""

from dataclasses import dataclass

from services.runtime.database import Pool

# What is asked about within a second anyway needs no waking.
_AWAITED = """
    SELECT t.kind, o.provider, o.submit_key
    FROM sorami.operations o JOIN sorami.tasks t ON t.job_id = o.job_id
    WHERE o.job_id = $1 AND o.attempt = $2 AND o.closed_at IS NULL AND o.submit_key IS NOT NULL
      AND t.state = 'waiting' AND t.due_at > now() + interval '1 second'
"""


@dataclass(frozen=True, slots=True)
class Awaited:
    """An operation that somebody waits for, and the key it was submitted with."""

    kind: str
    provider: str
    submit_key: str


async def awaited(pool: Pool, job_id: str, attempt: int) -> Awaited | None:
    """Return the operation of an attempt that a task waits for, None when none does."""
    row = await pool.fetchrow(_AWAITED, job_id, attempt)
    return Awaited(**dict(row)) if row else None
