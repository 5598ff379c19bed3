"""The task table: what is asked for, what is reported of it, and its end. A report with an old fence is silent."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.cloudevents import Record, outbox_headers
from contracts.events import JobRequested
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

# empty_tasks: what was asked for and what came of it goes; the row stays as long as its job. An operation that is still
# open needs the verdict to be ended by.
_OLD = """
    SELECT t.job_id FROM sorami.tasks t
    WHERE t.settled_at < now() - $1 * interval '1 day' AND t.settled_at IS NOT NULL AND t.request <> '{}'::jsonb
      AND NOT EXISTS (SELECT FROM sorami.operations o WHERE o.job_id = t.job_id AND o.closed_at IS NULL)
"""
DUE_TASKS = f"SELECT count(*) FROM ({_OLD} LIMIT 10000) few"  # noqa: S608 - constant parts only
EMPTY_TASKS = f"""
    UPDATE sorami.tasks SET request = '{{}}', verdict = NULL
    WHERE job_id IN ({_OLD} ORDER BY t.settled_at LIMIT 1000 FOR UPDATE OF t SKIP LOCKED)
"""  # noqa: S608 - constant parts only

DELETE_TASK = "DELETE FROM sorami.tasks WHERE job_id = $1"


@dataclass(frozen=True, slots=True)
class NewTask:
    """A requested job on its way into the task table."""

    event: JobRequested
    provider: str
    model: str
    traceparent: str | None


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
