"""The task table: each statement after the claim carries the fence: a stale worker is silent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.cloudevents import Record, outbox_headers
from contracts.events import JobRequested
from contracts.sharing import EQUAL_SHARES, Shares
from contracts.status import TERMINAL
from services.runtime.database import Connection, Pool
from services.runtime.outbox import OutboxRow

_TERMINAL = ", ".join(f"'{status.value}'" for status in sorted(TERMINAL))

# accept_tasks: one row a job however often it is requested; none for what was removed for good. The job's own
# deadlines are by the database's clock.
ACCEPT_TASKS = """
    INSERT INTO sorami.tasks (job_id, kind, owner_id, organization_id, provider, model, request, traceparent,
                              priority, start_by, finish_by)
    SELECT g.job_id, g.kind, g.owner_id, g.organization_id, g.provider, g.model, g.request, g.traceparent, g.priority,
           coalesce(j.start_by, g.start_by), coalesce(j.finish_by, g.finish_by)
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
                $8::text[], $9::smallint[], $10::timestamptz[], $11::timestamptz[])
        AS g(job_id, kind, owner_id, organization_id, provider, model, request, traceparent, priority, start_by,
             finish_by)
    LEFT JOIN sorami.jobs j ON j.id = g.job_id
    WHERE NOT EXISTS (SELECT FROM sorami.deletions d WHERE d.generation_id = g.job_id AND d.purged_at IS NOT NULL)
    ON CONFLICT (job_id) DO NOTHING
"""

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

# report: the last report of each job moves its task, and every report of a task that moved goes to the outbox. What a
# poll tells finds the task waiting, everything else finds it under a lease.
REPORT = """
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::text[], $5::text[], $6::jsonb[], $7::text[],
                             $8::bytea[], $9::jsonb[]) WITH ORDINALITY
            AS g(job_id, fence, report_step, step, state, verdict, topic, value, headers, place)
    ), latest AS (
        SELECT DISTINCT ON (job_id, fence) * FROM given ORDER BY job_id, fence, report_step DESC
    ), moved AS (
        UPDATE sorami.tasks t
        SET step = l.step, report_step = l.report_step, state = l.state, verdict = l.verdict, updated_at = now(),
            lease_until = CASE WHEN l.state = 'running' THEN t.lease_until END
        FROM latest l
        WHERE t.job_id = l.job_id AND t.fence = l.fence AND t.report_step < l.report_step
          AND t.state = CASE l.state WHEN 'waiting' THEN 'waiting' ELSE 'running' END
        RETURNING t.job_id, t.fence
    ), sent AS (
        INSERT INTO sorami.outbox_generator (topic, key, value, headers)
        SELECT g.topic, g.job_id, g.value, g.headers FROM given g JOIN moved USING (job_id, fence) ORDER BY g.place
        RETURNING id
    ), numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS rank FROM sent),
    placed AS (
        SELECT g.place, row_number() OVER (ORDER BY g.place) AS rank FROM given g JOIN moved USING (job_id, fence)
    )
    SELECT placed.place, numbered.id FROM placed JOIN numbered USING (rank)
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

# cancel: what has not finished is called off, and what was not requested yet never will be. The verdict that says so
# goes to the outbox in the same statement; a task that finished before stays finished.
CANCEL_TASKS = """
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest($1::text[], $2::jsonb[], $3::text[], $4::bytea[], $5::jsonb[])
            AS g(job_id, verdict, topic, value, headers)
    ), called_off AS (
        UPDATE sorami.tasks t
        SET state = 'cancelled', lease_until = NULL, step = 'reported', verdict = g.verdict, updated_at = now()
        FROM given g WHERE t.job_id = g.job_id AND t.state IN ('queued', 'waiting', 'running')
        RETURNING t.job_id
    ), made AS (
        INSERT INTO sorami.tasks (job_id, kind, owner_id, organization_id, provider, model, request, state, verdict)
        SELECT j.id, j.kind, j.owner_id, j.organization_id, coalesce(j.provider, ''), j.model, '{}', 'cancelled',
               g.verdict
        FROM given g JOIN sorami.jobs j ON j.id = g.job_id
        WHERE j.status IN ('PENDING', 'GENERATING')
          AND NOT EXISTS (SELECT FROM sorami.tasks t WHERE t.job_id = g.job_id)
        ORDER BY j.id
        ON CONFLICT (job_id) DO NOTHING
        RETURNING job_id
    )
    INSERT INTO sorami.outbox_generator (topic, key, value, headers)
    SELECT g.topic, g.job_id, g.value, g.headers FROM given g
    WHERE g.job_id IN (SELECT job_id FROM called_off UNION ALL SELECT job_id FROM made) ORDER BY g.job_id
    RETURNING id, key
"""

# settle: the job has ended, whoever ended it; unfinished work is called off.
SETTLE_TASKS = """
    UPDATE sorami.tasks SET settled_at = now(), lease_until = NULL, updated_at = now(),
           state = CASE WHEN state = 'finished' THEN state ELSE 'cancelled' END
    WHERE job_id = ANY($1::text[]) AND settled_at IS NULL
    RETURNING job_id
"""

# settle_ended: the same for endings whose job.updated was never heard.
SETTLE_ENDED = f"""
    UPDATE sorami.tasks t SET settled_at = now(), lease_until = NULL, updated_at = now(),
           state = CASE WHEN t.state = 'finished' THEN t.state ELSE 'cancelled' END
    FROM sorami.jobs j
    WHERE t.job_id = j.id AND t.settled_at IS NULL AND t.updated_at < now() - $1 * interval '1 second'
      AND j.status IN ({_TERMINAL})
    RETURNING t.job_id
"""  # noqa: S608 - constant parts only

# resend_verdicts: a task with a verdict whose job has not ended was forgotten by Kafka; the verdict is sent again.
RESEND_VERDICTS = """
    WITH forgotten AS (
        UPDATE sorami.tasks SET updated_at = now()
        WHERE job_id IN (
            SELECT job_id FROM sorami.tasks
            WHERE state IN ('finished', 'cancelled') AND settled_at IS NULL AND verdict IS NOT NULL
              AND updated_at < now() - $1 * interval '1 second'
            ORDER BY updated_at LIMIT 200 FOR UPDATE SKIP LOCKED)
        RETURNING job_id, verdict
    )
    INSERT INTO sorami.outbox_generator (topic, key, value, headers)
    SELECT verdict->>'topic', job_id, convert_to(verdict->>'value', 'UTF8'), verdict->'headers' FROM forgotten
    RETURNING id, topic, key, value, headers
"""


# forgotten_purges: purged jobs of the last days ($2) whose task is there yet: media.deleted was not heard.
FORGOTTEN_PURGES = """
    SELECT t.job_id, t.kind FROM sorami.deletions d JOIN sorami.tasks t ON t.job_id = d.generation_id
    WHERE d.purged_at < now() - $1 * interval '1 second' AND d.purged_at > now() - $2 * interval '1 day'
    ORDER BY d.purged_at LIMIT 200
"""

DELETE_TASK = "DELETE FROM sorami.tasks WHERE job_id = $1"


@dataclass(frozen=True, slots=True)
class NewTask:
    """A requested job on its way into the task table."""

    event: JobRequested
    provider: str
    model: str
    traceparent: str | None


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


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One fenced report: where the task stands now, and the event that tells it."""

    job_id: str
    fence: int
    report_step: int
    step: str
    state: str
    record: Record

    def verdict(self) -> str | None:
        """What is kept of a final report, so that it can be sent again."""
        return _verdict(self.record) if self.state == "finished" else None


def _verdict(record: Record) -> str:
    return json.dumps({"topic": record.topic, "value": record.value.decode(), "headers": record.headers})


async def accept_tasks(pool: Pool, tasks: Sequence[NewTask]) -> None:
    """Insert tasks for requested jobs; a job that is known already is left alone."""
    events = [task.event for task in tasks]
    await pool.execute(
        ACCEPT_TASKS,
        [event.job_id for event in events],
        [event.kind for event in events],
        [event.user_id for event in events],
        [event.organization_id for event in events],
        [task.provider for task in tasks],
        [task.model for task in tasks],
        [event.model_dump_json(exclude_none=True) for event in events],
        [task.traceparent for task in tasks],
        [event.priority for event in events],
        [event.start_by for event in events],
        [event.finish_by for event in events],
    )


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


async def report(connection: Pool | Connection, reports: Sequence[TaskReport]) -> list[OutboxRow | None]:
    """Write reports and their events in one statement; None for a report whose fence no longer holds."""
    rows = await connection.fetch(
        REPORT,
        [item.job_id for item in reports],
        [item.fence for item in reports],
        [item.report_step for item in reports],
        [item.step for item in reports],
        [item.state for item in reports],
        [item.verdict() for item in reports],
        [item.record.topic for item in reports],
        [item.record.value for item in reports],
        [outbox_headers(item.record.headers) for item in reports],
    )
    ids = {row["place"]: row["id"] for row in rows}
    return [
        OutboxRow(ids[place], item.record.topic, item.record.key, item.record.value, item.record.headers)
        if place in ids
        else None
        for place, item in enumerate(reports, 1)
    ]


async def release(pool: Pool, claim: Claim, *, after_seconds: float, forgive_attempt: bool) -> None:
    """Give a task back; a forgiven attempt does not count."""
    await pool.execute(RELEASE_TASK, claim.job_id, claim.fence, after_seconds, int(forgive_attempt))


async def cancel(pool: Pool, verdicts: Sequence[Record]) -> list[OutboxRow]:
    """Call off the tasks that `verdicts` are about and return the rows of those that had not finished."""
    by_job = {record.key: record for record in verdicts}
    records = list(by_job.values())
    rows = await pool.fetch(
        CANCEL_TASKS,
        [record.key for record in records],
        [_verdict(record) for record in records],
        [record.topic for record in records],
        [record.value for record in records],
        [outbox_headers(record.headers) for record in records],
    )
    found = [(row["id"], by_job[row["key"]]) for row in rows]
    return [OutboxRow(id_, record.topic, record.key, record.value, record.headers) for id_, record in found]


async def settle(pool: Pool, job_ids: Sequence[str]) -> list[str]:
    """Note that jobs have ended and return those whose task was open."""
    return [row["job_id"] for row in await pool.fetch(SETTLE_TASKS, list(job_ids))]


async def settle_ended(pool: Pool, older_than_seconds: float) -> list[str]:
    """Settle tasks whose job ended without our hearing it."""
    return [row["job_id"] for row in await pool.fetch(SETTLE_ENDED, older_than_seconds)]


async def resend_verdicts(pool: Pool, older_than_seconds: float) -> list[OutboxRow]:
    """Put forgotten verdicts into the outbox again and return their rows."""
    rows = await pool.fetch(RESEND_VERDICTS, older_than_seconds)
    return [OutboxRow(r["id"], r["topic"], r["key"], r["value"], json.loads(r["headers"])) for r in rows]
