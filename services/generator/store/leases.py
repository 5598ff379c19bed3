"""Who may work on a task now: turns, leases and due times. Each statement after the claim carries the fence."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.events import JobRequested
from contracts.sharing import EQUAL_SHARES, Shares
from services.runtime.database import Pool

_CLAIM_FIELDS = """
    state = 'running', fence = t.fence + 1, attempts = t.attempts + 1, worker = $3,
    lease_until = now() + $4 * interval '1 second', step = 'initializing', report_step = 0, updated_at = now()
"""

_CLAIMED = """
    t.job_id, t.kind, t.owner_id, t.provider, t.model, t.request, t.traceparent, t.fence, t.attempts, t.created_at,
    (t.finish_by IS NOT NULL AND t.finish_by <= now()) OR
    (t.start_by IS NOT NULL AND t.start_by <= now() AND t.fence = 1) AS overdue,
    EXISTS (SELECT FROM sorami.cancellations c WHERE c.job_id = t.job_id) AS unwanted,
    extract(epoch FROM t.finish_by - now())::float8 AS seconds_left
"""

# claim_queued: those whose turn it is, within weights, caps and pauses (see `claim_tasks` in the migrations).
CLAIM_QUEUED = f"""
    SELECT {_CLAIMED} FROM sorami.claim_tasks($1::text[], $2::int[], $3::text, $4::float8, $5::jsonb, $6::jsonb) t
"""  # noqa: S608 - constant parts only

NEXT_RESTING = """
    SELECT extract(epoch FROM min(due_at) - now())::float8 FROM sorami.tasks
    WHERE state = 'queued' AND rests AND provider = ANY($1::text[])
"""

# claim_expired: tasks whose worker stopped extending its lease; they go first, their clients wait longest.
CLAIM_EXPIRED = f"""
    WITH picked AS (
        SELECT late.job_id FROM unnest($1::text[], $2::int[]) AS free(provider, slots), LATERAL (
            SELECT job_id FROM sorami.tasks
            WHERE provider = free.provider AND state = 'running' AND lease_until < now()
            ORDER BY lease_until LIMIT free.slots FOR UPDATE SKIP LOCKED) late
    )
    UPDATE sorami.tasks t SET {_CLAIM_FIELDS} FROM picked WHERE t.job_id = picked.job_id RETURNING {_CLAIMED}
"""  # noqa: S608 - constant parts only

# claim_overdue: waiting tasks whose deadline passed, whether or not a slot is free: they end without being begun.
CLAIM_OVERDUE = f"""
    WITH picked AS (
        SELECT job_id FROM sorami.tasks
        WHERE state = 'queued' AND least(start_by, finish_by) <= now() AND provider = ANY($1::text[])
          AND (finish_by <= now() OR fence = 0)
        ORDER BY least(start_by, finish_by) LIMIT $2::int FOR UPDATE SKIP LOCKED
    )
    UPDATE sorami.tasks t SET {_CLAIM_FIELDS} FROM picked WHERE t.job_id = picked.job_id RETURNING {_CLAIMED}
"""  # noqa: S608 - constant parts only

EXTEND_LEASES = """
    UPDATE sorami.tasks t SET lease_until = now() + $3 * interval '1 second'
    FROM unnest($1::text[], $2::int[]) AS mine(job_id, fence)
    WHERE t.job_id = mine.job_id AND t.fence = mine.fence AND t.state = 'running'
    RETURNING t.job_id
"""

# release: a worker that stops, or an attempt that may be repeated, gives the task back.
RELEASE_TASK = """
    UPDATE sorami.tasks SET state = 'queued', lease_until = NULL, due_at = now() + $3 * interval '1 second',
           attempts = greatest(attempts - $4, 0), updated_at = now()
    WHERE job_id = $1 AND fence = $2 AND state = 'running'
"""

# claim_due: waiting tasks whose provider is to be asked now. Their due time moves on by a little, which is all the
# lease a question needs: asking twice costs nothing.
CLAIM_DUE = """
    WITH picked AS (
        SELECT job_id FROM sorami.tasks
        WHERE state = 'waiting' AND due_at <= now() AND provider = ANY($1::text[])
        ORDER BY due_at LIMIT $2::int FOR UPDATE SKIP LOCKED
    )
    UPDATE sorami.tasks t SET due_at = now() + $3 * interval '1 second' FROM picked
    WHERE t.job_id = picked.job_id
    RETURNING t.job_id, t.kind, t.provider, t.traceparent, t.fence, t.report_step,
              coalesce(t.finish_by <= now(), false) AS overdue, t.due_at
"""

NEXT_DUE = """
    SELECT extract(epoch FROM min(due_at) - now())::float8 FROM sorami.tasks
    WHERE state = 'waiting' AND provider = ANY($1::text[])
"""

# put_back: asked, and not at its end; the deadline is a due time as well. Whoever woke the task meanwhile gave it
# another due time, and that one stays.
PUT_BACK = """
    UPDATE sorami.tasks SET due_at = least(now() + $3 * interval '1 second', finish_by)
    WHERE job_id = $1 AND fence = $2 AND state = 'waiting' AND due_at = $4
"""

# due_now: a provider says that an operation moved; how it stands is asked, not believed.
DUE_NOW = """
    UPDATE sorami.tasks SET due_at = now()
    WHERE job_id = ANY($1::text[]) AND state = 'waiting' AND due_at > now()
"""

# take_up: a waiting task goes on under a lease; its attempt holds from now on what the provider made, if it is known.
TAKE_UP = f"""
    WITH taken AS (
        UPDATE sorami.tasks t SET state = 'running', fence = t.fence + 1, worker = $3, report_step = 0,
               lease_until = now() + $4 * interval '1 second', updated_at = now()
        WHERE t.job_id = $1 AND t.fence = $2 AND t.state = 'waiting' RETURNING {_CLAIMED}
    ), kept AS (
        UPDATE sorami.operations o SET step = 'rendered', rendered = $5::jsonb
        FROM taken
        WHERE o.job_id = taken.job_id AND o.closed_at IS NULL AND o.step = 'submitted' AND $5::jsonb IS NOT NULL
    )
    SELECT * FROM taken
"""  # noqa: S608 - constant parts only


@dataclass(frozen=True, slots=True)
class Claim:
    """A task this process holds a lease on; `overdue` means its deadline has passed and it must not start.

    `unwanted` means that somebody asked for its end, heard here or not; `seconds_left` is the time until
    it must be done, None for ever.
    """

    job_id: str
    kind: str
    owner_id: str
    provider: str
    model: str
    request: JobRequested
    traceparent: str | None
    fence: int
    attempts: int
    created_at: datetime
    overdue: bool
    unwanted: bool
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Due:
    """A waiting task whose provider is to be asked; `overdue` means that its deadline has passed."""

    job_id: str
    kind: str
    provider: str
    traceparent: str | None
    fence: int
    report_step: int
    overdue: bool
    due_at: datetime


async def claim(
    pool: Pool, free: Mapping[str, int], *, worker: str, lease_seconds: float, shares: Shares = EQUAL_SHARES
) -> list[Claim]:
    """Lease up to the free slots of each provider, in the order of turns."""
    given = [json.dumps(shares.weights), json.dumps(shares.caps)]
    rows = await pool.fetch(CLAIM_QUEUED, list(free), list(free.values()), worker, lease_seconds, *given)
    return [_claim(row) for row in rows]


async def claim_expired(pool: Pool, free: Mapping[str, int], *, worker: str, lease_seconds: float) -> list[Claim]:
    """Lease tasks whose worker is gone; they had their turn and are under way."""
    rows = await pool.fetch(CLAIM_EXPIRED, list(free), list(free.values()), worker, lease_seconds)
    return [_claim(row) for row in rows]


async def next_resting(pool: Pool, providers: Sequence[str]) -> float | None:
    """Return the seconds until the next queued task may begin that may not yet, None when none rests."""
    seconds: float | None = await pool.fetchval(NEXT_RESTING, list(providers))
    return seconds


async def claim_overdue(
    pool: Pool, providers: Sequence[str], *, most: int, worker: str, lease_seconds: float
) -> list[Claim]:
    """Lease up to `most` waiting tasks whose deadline passed, so that they can be ended."""
    rows = await pool.fetch(CLAIM_OVERDUE, list(providers), most, worker, lease_seconds)
    return [_claim(row) for row in rows]


async def claim_due(pool: Pool, providers: Sequence[str], *, most: int, seconds: float) -> list[Due]:
    """Take up to `most` waiting tasks that are due, for `seconds`."""
    return [Due(**dict(row)) for row in await pool.fetch(CLAIM_DUE, list(providers), most, seconds)]


async def next_due(pool: Pool, providers: Sequence[str]) -> float | None:
    """Return the seconds until the next waiting task is due, None when none waits."""
    seconds: float | None = await pool.fetchval(NEXT_DUE, list(providers))
    return seconds


async def due_now(pool: Pool, job_ids: Sequence[str]) -> None:
    """Have the providers of waiting tasks asked at once."""
    await pool.execute(DUE_NOW, sorted(set(job_ids)))


async def put_back(pool: Pool, due: Due, after_seconds: float) -> None:
    """Let a waiting task wait on."""
    await pool.execute(PUT_BACK, due.job_id, due.fence, after_seconds, due.due_at)


async def take_up(
    pool: Pool, due: Due, *, worker: str, lease_seconds: float, rendered: str | None = None
) -> Claim | None:
    """Lease a waiting task, and keep what was `rendered` (JSON); None when it no longer waits."""
    row = await pool.fetchrow(TAKE_UP, due.job_id, due.fence, worker, lease_seconds, rendered)
    return _claim(row) if row is not None else None


def _claim(row: Any) -> Claim:
    return Claim(**{**dict(row), "request": JobRequested.model_validate_json(row["request"])})


async def extend_leases(pool: Pool, held: Mapping[str, int], lease_seconds: float) -> set[str]:
    """Extend the leases (job id to fence) and return the jobs whose lease still holds."""
    rows = await pool.fetch(EXTEND_LEASES, list(held), list(held.values()), lease_seconds)
    return {row["job_id"] for row in rows}


async def release(pool: Pool, claim: Claim, *, after_seconds: float, forgive_attempt: bool) -> None:
    """Give a task back; a forgiven attempt does not count."""
    await pool.execute(RELEASE_TASK, claim.job_id, claim.fence, after_seconds, int(forgive_attempt))
