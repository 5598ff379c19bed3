"""Attempts at having a job rendered elsewhere: each step is written before the next one is taken.

Whether an attempt may begin, go on or be sent again is fenced by its task; what a provider answered is kept whatever
became of the lease in the meantime, because it is the proof of paid work.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.failures import Failure
from services.generator.store.leases import Claim
from services.runtime.database import Pool

LAST_ATTEMPT = """
    SELECT attempt, submit_key, step, submits, submitted_at, operation_id, state, rendered, files,
           closed_at IS NOT NULL AS closed, model, failure,
           (SELECT count(*) FROM sorami.operations p
            WHERE p.job_id = o.job_id AND p.provider = o.provider AND p.model IS NOT DISTINCT FROM o.model) AS tries
    FROM sorami.operations o WHERE job_id = $1 ORDER BY attempt DESC LIMIT 1
"""

# begin_attempt: written before anything is sent. The task's row is locked, so that of two leases only one begins.
BEGIN_ATTEMPT = """
    INSERT INTO sorami.operations (job_id, attempt, provider, model, owner_id, submit_key, step, submits, submitted_at)
    SELECT t.job_id, $3, t.provider, t.model, t.owner_id, $4, 'submitting', 1, clock_timestamp()
    FROM sorami.tasks t WHERE t.job_id = $1 AND t.fence = $2 AND t.state = 'running' FOR UPDATE OF t
    RETURNING submitted_at,
        (SELECT count(*) FROM sorami.operations p
         WHERE p.job_id = $1 AND p.provider = operations.provider AND p.model IS NOT DISTINCT FROM operations.model) + 1
         AS tries
"""

SEND_AGAIN = """
    UPDATE sorami.operations o SET submits = o.submits + 1
    FROM sorami.tasks t WHERE t.job_id = o.job_id AND t.fence = $2 AND t.state = 'running'
      AND o.job_id = $1 AND o.attempt = $3 AND o.step = 'submitting' AND o.closed_at IS NULL
    RETURNING o.submits
"""

# keep_submitted: the operation is kept, and its task waits without lease and slot until the provider is asked. An
# attempt that was closed while it was sent is open again: somebody has to end the operation.
KEEP_SUBMITTED = """
    WITH kept AS (
        UPDATE sorami.operations SET step = 'submitted', operation_id = $4, state = $5::jsonb, closed_at = NULL
        WHERE job_id = $1 AND attempt = $3 AND step = 'submitting' RETURNING job_id
    )
    UPDATE sorami.tasks t
    SET state = 'waiting', lease_until = NULL, updated_at = now(),
        due_at = least(now() + $6 * interval '1 second', t.finish_by)
    FROM kept WHERE t.job_id = kept.job_id AND t.fence = $2 AND t.state = 'running' RETURNING t.job_id
"""

# park: a task whose operation is known goes back to waiting, to be asked about at once.
PARK = """
    UPDATE sorami.tasks SET state = 'waiting', lease_until = NULL, due_at = now(), updated_at = now()
    WHERE job_id = $1 AND fence = $2 AND state = 'running' RETURNING job_id
"""

KEEP_RENDERED = """
    UPDATE sorami.operations SET step = 'rendered', rendered = $3::jsonb
    WHERE job_id = $1 AND attempt = $2 AND step = 'submitting' AND closed_at IS NULL
"""

# begin_collecting: how often this job's media were fetched tells one collection's objects from another's.
BEGIN_COLLECTING = """
    WITH begun AS (
        UPDATE sorami.operations o SET collects = o.collects + 1
        FROM sorami.tasks t WHERE t.job_id = o.job_id AND t.fence = $2 AND t.state = 'running'
          AND o.job_id = $1 AND o.attempt = $3 AND o.step = 'rendered' AND o.closed_at IS NULL
        RETURNING o.collects
    )
    SELECT collects + (SELECT coalesce(sum(collects), 0) FROM sorami.operations WHERE job_id = $1 AND attempt < $3)
    FROM begun
"""

KEEP_STORED = """
    UPDATE sorami.operations o SET step = 'stored', files = $4::jsonb
    FROM sorami.tasks t WHERE t.job_id = o.job_id AND t.fence = $2 AND t.state = 'running'
      AND o.job_id = $1 AND o.attempt = $3 AND o.step = 'rendered' AND o.closed_at IS NULL
    RETURNING o.job_id
"""

CLOSE_ATTEMPT = """
    UPDATE sorami.operations
    SET closed_at = now(), outcome = $3, failure_code = $4, failure = $7::jsonb,
        charged = CASE WHEN $3 = 'completed' THEN coalesce(rendered->>'charged', 'yes')
                       ELSE coalesce($5, 'unknown') END,
        state = NULL, rendered = NULL, files = NULL,
        step = CASE WHEN $3 = 'completed' THEN 'reported' ELSE step END
    WHERE job_id = $1 AND attempt = $2 AND closed_at IS NULL AND ($6::text IS NULL OR step = $6)
    RETURNING provider, model, charged
"""

# note_attempts: what was rendered in our own process has ended by the time it is noted, so nothing resumes it.
NOTE_ATTEMPTS = """
    INSERT INTO sorami.operations (job_id, attempt, provider, model, owner_id, submitted_at, closed_at, outcome,
           failure_code, charged, failure)
    SELECT g.job_id, 1 + (SELECT coalesce(max(attempt), 0) FROM sorami.operations o WHERE o.job_id = g.job_id),
           g.provider, g.model, g.owner_id, now() - g.seconds * interval '1 second', now(),
           CASE WHEN g.failure IS NULL THEN 'completed' WHEN g.failure->>'code' = 'cancelled' THEN 'cancelled'
                ELSE 'failed' END,
           g.failure->>'code', coalesce(g.failure->>'charged', 'no'), g.failure
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::jsonb[])
        AS g(job_id, provider, model, owner_id, seconds, failure)
    ON CONFLICT (job_id, attempt) DO NOTHING
"""

# forget_attempts: of a job that is gone for good stays what was submitted to others, without their words.
FORGET_ATTEMPTS = """
    WITH own AS (
        DELETE FROM sorami.operations WHERE job_id = $1 AND submit_key IS NULL AND step IS NULL AND charged = 'no'
        RETURNING attempt
    )
    UPDATE sorami.operations SET failure = NULL
    WHERE job_id = $1 AND failure IS NOT NULL AND attempt NOT IN (SELECT attempt FROM own)
"""

# ended_attempts: what is open although its task has ended or is gone. A job that another one completed (the Flask
# backend's webhook) was completed by its operation.
ENDED_ATTEMPTS = """
    SELECT o.job_id, o.attempt, o.provider, o.step, o.operation_id, o.state, o.cancels,
           CASE WHEN j.status = 'COMPLETED' OR t.verdict->>'topic' LIKE '%job.completed' THEN 'completed'
                WHEN t.state = 'finished' THEN 'failed' ELSE 'cancelled' END AS outcome
    FROM sorami.operations o
    LEFT JOIN sorami.tasks t ON t.job_id = o.job_id LEFT JOIN sorami.jobs j ON j.id = o.job_id
    WHERE o.closed_at IS NULL AND (t.job_id IS NULL OR t.state IN ('finished', 'cancelled')) LIMIT $1
"""

COUNT_CANCEL = "UPDATE sorami.operations SET cancels = cancels + 1 WHERE job_id = $1 AND attempt = $2"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; `submits` is how often it was sent with its key, `closed` that it ended.

    `tries` counts the attempts at this model of this provider, up to this one.
    """

    attempt: int
    submit_key: str
    step: str
    submits: int
    submitted_at: datetime
    operation_id: str | None = None
    state: Mapping[str, Any] | None = None
    rendered: Mapping[str, Any] | None = None
    files: Mapping[str, Any] | None = None
    closed: bool = False
    model: str | None = None
    tries: int = 1
    failure: Failure | None = None
    """Why it ended without media, when it is closed."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Whose attempt was closed, and whether it is charged: yes, no or unknown."""

    provider: str
    model: str | None
    charged: str


@dataclass(frozen=True, slots=True)
class EndedAttempt:
    """An attempt whose task ended without it; `cancels` is how often its provider was asked to stop."""

    job_id: str
    attempt: int
    provider: str
    step: str | None
    operation_id: str | None
    state: Mapping[str, Any] | None
    cancels: int
    outcome: str


def _read(text: str | None) -> Any:
    return json.loads(text) if text is not None else None


async def last_attempt(pool: Pool, job_id: str) -> Attempt | None:
    """Return the last attempt at a job, ended or not."""
    row = await pool.fetchrow(LAST_ATTEMPT, job_id)
    if row is None:
        return None
    known = {name: _read(row[name]) for name in ("state", "rendered", "files")}
    # Rows of before there were steps have neither key nor step.
    return Attempt(
        **{
            **dict(row),
            **known,
            "submit_key": row["submit_key"] or "",
            "step": row["step"] or "submitting",
            "failure": Failure.model_validate_json(row["failure"]) if row["failure"] else None,
        }
    )


async def begin_attempt(pool: Pool, claim: Claim, number: int, submit_key: str) -> Attempt | None:
    """Write that an order is about to be sent; None when the lease is lost."""
    row = await pool.fetchrow(BEGIN_ATTEMPT, claim.job_id, claim.fence, number, submit_key)
    if row is None:
        return None
    return Attempt(number, submit_key, "submitting", 1, row["submitted_at"], model=claim.model, tries=row["tries"])


async def send_again(pool: Pool, claim: Claim, attempt: Attempt) -> int | None:
    """Write that an order is about to be sent once more with its key, and how often; None when the lease is lost."""
    submits: int | None = await pool.fetchval(SEND_AGAIN, claim.job_id, claim.fence, attempt.attempt)
    return submits


async def keep_submitted(
    pool: Pool, claim: Claim, attempt: Attempt, operation_id: str, state: Mapping[str, Any], *, poll_after: float
) -> bool:
    """Keep the provider's operation and let the task wait; False when the lease is lost."""
    given = json.dumps(dict(state))
    row = await pool.fetchval(
        KEEP_SUBMITTED, claim.job_id, claim.fence, attempt.attempt, operation_id, given, poll_after
    )
    return row is not None


async def park(pool: Pool, claim: Claim) -> bool:
    """Let a task whose operation is known wait again; False when the lease is lost."""
    return await pool.fetchval(PARK, claim.job_id, claim.fence) is not None


async def keep_rendered(pool: Pool, job_id: str, attempt: Attempt, rendered: str) -> None:
    """Keep where the media of an answer lie (JSON)."""
    await pool.execute(KEEP_RENDERED, job_id, attempt.attempt, rendered)


async def begin_collecting(pool: Pool, claim: Claim, attempt: int) -> int | None:
    """Count that media are about to be fetched; None when the lease is lost."""
    number: int | None = await pool.fetchval(BEGIN_COLLECTING, claim.job_id, claim.fence, attempt)
    return number


async def keep_stored(pool: Pool, claim: Claim, attempt: int, files: str) -> bool:
    """Keep what was stored (JSON), so that it only has to be reported; False when the lease is lost."""
    return await pool.fetchval(KEEP_STORED, claim.job_id, claim.fence, attempt, files) is not None


async def close_attempt(
    pool: Pool, job_id: str, attempt: int, outcome: str, failure: Failure | None = None, *, seen: str | None = None
) -> Closed | None:
    """Note how an attempt ended; what a restart would go on with is forgotten. None when it had ended before.

    With `seen` only if it still stands at this step: an operation that became known meanwhile has to be stopped first.
    """
    code, charged = (failure.code.value, failure.charged) if failure else (None, None)
    told = failure.model_dump_json(exclude_none=True) if failure else None
    row = await pool.fetchrow(CLOSE_ATTEMPT, job_id, attempt, outcome, code, charged, seen, told)
    return Closed(**dict(row)) if row is not None else None


@dataclass(frozen=True, slots=True)
class LocalAttempt:
    """An attempt that was rendered in this process, and took `seconds`."""

    claim: Claim
    seconds: float
    failure: Failure | None


async def note_attempts(pool: Pool, attempts: Sequence[LocalAttempt]) -> list[None]:
    """Note attempts of this process, each of another job."""
    claims = [one.claim for one in attempts]
    await pool.execute(
        NOTE_ATTEMPTS,
        [claim.job_id for claim in claims],
        [claim.provider for claim in claims],
        [claim.model for claim in claims],
        [claim.owner_id for claim in claims],
        [one.seconds for one in attempts],
        [one.failure.model_dump_json(exclude_none=True) if one.failure else None for one in attempts],
    )
    return [None] * len(attempts)


async def ended_attempts(pool: Pool, most: int) -> Sequence[EndedAttempt]:
    """Return open attempts whose task has ended."""
    rows = await pool.fetch(ENDED_ATTEMPTS, most)
    return [EndedAttempt(**{**dict(row), "state": _read(row["state"])}) for row in rows]


async def count_cancel(pool: Pool, ended: EndedAttempt) -> None:
    """Count that a provider was asked to stop an operation, in vain."""
    await pool.execute(COUNT_CANCEL, ended.job_id, ended.attempt)
