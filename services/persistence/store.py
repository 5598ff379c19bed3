"""Every statement persistence writes with; it is the only writer that moves a job."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from contracts.cloudevents import Record
from contracts.kinds import KINDS, Kind
from contracts.status import JobState, JobStatus, Stage, prisma_status
from services.persistence.migrations.backfill import INDEX_PROMPTS
from services.runtime.database import Connection, Pool, transaction
from services.runtime.outbox import OutboxColumns, OutboxRow, as_rows, insert_statement


@dataclass(frozen=True, slots=True)
class Job:
    """A locked job."""

    id: str
    kind: str
    owner_id: str
    organization_id: str | None
    origin: str
    created_at: datetime
    state: JobState


@dataclass(frozen=True, slots=True)
class JobRow:
    """Where a job stands after a batch."""

    id: str
    kind: str
    status: JobStatus
    stage: Stage | None
    progress: int
    seq: int
    fence: int
    message: str | None
    failure: str | None
    metadata: dict[str, Any] | None
    ended: bool


@dataclass(frozen=True, slots=True)
class FileRow:
    """A finished file: our own row and Prisma's."""

    id: str
    job_id: str
    kind: str
    index: int
    token: str
    storage_key: str | None
    external_url: str | None
    s3_key: str
    file_url: str
    filename: str
    content_type: str
    format: str
    size_bytes: int | None
    width: int | None
    height: int | None
    duration_seconds: float | None
    fps: int | None
    sha256: str | None
    description: str | None
    thumbnail_key: str | None
    thumbnail_url: str | None
    thumbnails: list[dict[str, Any]] | None
    placeholder: str | None
    model: str | None
    generation_time: float | None


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """What the bell says."""

    id: str
    user_id: str
    type: str
    title: str
    message: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobEventRow:
    """One move of a job; `n` counts the moves of all jobs of its user."""

    job_id: str
    seq: int
    user_id: str
    n: int
    data: str


class Rows(Protocol):
    """All that one transaction writes."""

    jobs: list[JobRow]
    files: list[FileRow]
    notifications: list[NotificationRow]
    events: list[JobEventRow]
    records: list[Record]


# lock_jobs: by id, so that two batches cannot deadlock.
LOCK_JOBS = """
    SELECT id, kind, owner_id, organization_id, origin, created_at, status, stage, progress, seq, fence
    FROM sorami.jobs WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE
"""

# take_numbers: one raise a user and batch keeps `n` gapless and in the order of commits.
TAKE_NUMBERS = """
    INSERT INTO sorami.user_counters AS c (user_id, n)
    SELECT user_id, n FROM unnest($1::text[], $2::bigint[]) AS given(user_id, n) ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET n = c.n + excluded.n
    RETURNING user_id, n
"""

_FILE_RECORD = """jsonb_to_recordset($2::jsonb) AS f(id text, job_id text, kind text, index int, token text,
    storage_key text, external_url text, s3_key text, file_url text, filename text, content_type text, format text,
    size_bytes bigint, width int, height int, duration_seconds double precision, fps int, sha256 text,
    description text, thumbnail_key text, thumbnail_url text, thumbnails jsonb,
    placeholder text, model text, generation_time double precision)"""


def _move_generations(kind: Kind) -> str:
    return f"""
    {kind.generations_table}_moved AS (
        UPDATE {kind.generations_table} g
        SET status = m.prisma_status::"ImageJobStatus", progress = greatest(g.progress, m.progress),
            "completedAt" = CASE WHEN m.status = 'COMPLETED' THEN now() AT TIME ZONE 'UTC' ELSE g."completedAt" END
        FROM moved m
        -- A row that an application finished by itself is not touched again; its enum may know more labels than ours.
        WHERE m.kind = '{kind.name}' AND g.id = m.id
          AND g.status::text NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
        RETURNING g.id, g.prompt
    )"""  # noqa: S608 - names come from the declared kinds


def _insert_files(kind: Kind) -> str:
    columns = "".join(f', "{column}"' for column in kind.file_columns.values())
    values = "".join(f", f.{name}" for name in kind.file_columns)
    return f"""
    {kind.files_table}_made AS (
        INSERT INTO {kind.files_table} (id, "generationId", filename, "s3Key", "fileUrl", "fileSize", format, width,
               height, "aspectRatio", metadata{columns})
        SELECT f.id, f.job_id, f.filename, f.s3_key, f.file_url, f.size_bytes, f.format, f.width, f.height,
               f.width || 'x' || f.height,
               jsonb_build_object('description', coalesce(f.description, g.prompt), 'model', f.model,
                                  'generation_time', f.generation_time){values}
        FROM {_FILE_RECORD} JOIN {kind.generations_table}_moved g ON g.id = f.job_id
        WHERE f.kind = '{kind.name}' ORDER BY f.job_id, f.index
        ON CONFLICT DO NOTHING
    )"""  # noqa: S608 - names come from the declared kinds


_KINDS = list(KINDS.values())

# write_moves: rows of jobs and generations, files, notifications, job events and outbox rows of a batch.
WRITE_MOVES = f"""
    WITH moved AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset($1::jsonb) AS m(id text, kind text, status text, prisma_status text,
            stage text, progress int, seq bigint, fence int, message text, failure jsonb, metadata jsonb, ended bool)
    ), jobs_moved AS (
        UPDATE sorami.jobs j
        SET status = m.status, stage = m.stage, progress = m.progress, seq = m.seq, fence = m.fence,
            message = m.message, failure = m.failure, metadata = coalesce(m.metadata, j.metadata), updated_at = now(),
            completed_at = CASE WHEN m.ended THEN now() END
        FROM moved m WHERE j.id = m.id
    ), {",".join(_move_generations(kind) for kind in _KINDS)},
    files_made AS (
        INSERT INTO sorami.files (id, job_id, kind, index, token, storage_key, external_url, filename, content_type,
               size_bytes, width, height, duration_seconds, fps, sha256, description, thumbnail_key,
               thumbnails, placeholder)
        SELECT id, job_id, kind, index, token, storage_key, external_url, filename, content_type,
               size_bytes, width, height, duration_seconds, fps, sha256, description, thumbnail_key,
               thumbnails, placeholder
        FROM {_FILE_RECORD} ORDER BY job_id, index
    ), {",".join(_insert_files(kind) for kind in _KINDS)},
    notifications_made AS (
        INSERT INTO notifications (id, "userId", type, title, message, metadata)
        SELECT * FROM jsonb_to_recordset($3::jsonb)
            AS n(id text, user_id text, type text, title text, message text, metadata jsonb)
        ON CONFLICT DO NOTHING
    ),
    events_made AS (
        INSERT INTO sorami.job_events (job_id, seq, user_id, n, type, data)
        SELECT job_id, seq, user_id, n, 'job.updated', data::jsonb
        FROM unnest($4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::text[]) AS e(job_id, seq, user_id, n, data)
    )
    INSERT INTO sorami.outbox_persistence (topic, key, value, headers)
    SELECT topic, key, value, headers::jsonb
    FROM unnest($9::text[], $10::text[], $11::bytea[], $12::text[]) WITH ORDINALITY
         AS o(topic, key, value, headers, place)
    ORDER BY place
    RETURNING id
"""  # noqa: S608 - names come from the declared kinds

PUT_EVENTS = insert_statement("persistence")

# insert_notices: for people who are still there; asked for again, it is the same notification.
INSERT_NOTICES = """
    INSERT INTO notifications (id, "userId", type, title, message, metadata)
    SELECT n.id, n.user_id, n.type, n.title, n.message, n.metadata
    FROM jsonb_to_recordset($1::jsonb)
         AS n(id text, user_id text, type text, title text, message text, metadata jsonb)
    JOIN users u ON u.id = n.user_id
    ON CONFLICT DO NOTHING
    RETURNING id
"""

# forgotten_requests: jobs that nobody took up; noted in updated_at, so that each is sent again once a minute.
RESEND_REQUESTS = """
    UPDATE sorami.jobs j SET updated_at = now()
    WHERE j.id IN (
        SELECT p.id FROM sorami.jobs p
        WHERE p.status = 'PENDING' AND p.updated_at < now() - $1 * interval '1 second'
          AND (p.finish_by IS NULL OR p.finish_by > now())
          AND NOT EXISTS (SELECT FROM sorami.tasks t WHERE t.job_id = p.id)
        ORDER BY p.created_at LIMIT 500 FOR UPDATE SKIP LOCKED)
    RETURNING j.id, j.origin, j.request
"""

# forgotten_reports: endings that a backend told of jobs that are open all the same.
FORGOTTEN_REPORTS = """
    SELECT r.topic, r.event FROM sorami.backend_reports r JOIN sorami.jobs j ON j.id = r.job_id
    WHERE r.received_at < now() - $1 * interval '1 second' AND j.status IN ('PENDING', 'GENERATING')
    ORDER BY r.received_at LIMIT 200
"""

FORGET_REPORTS = """
    DELETE FROM sorami.backend_reports r USING sorami.jobs j
    WHERE j.id = r.job_id AND j.status NOT IN ('PENDING', 'GENERATING')
      AND r.received_at < now() - $1 * interval '1 second'
"""

# resend_cancellations: wishes that did nothing are told again once a minute; those of ended jobs are done with.
RESEND_CANCELLATIONS = """
    UPDATE sorami.cancellations c
    SET sent_at = now(), done_at = CASE WHEN due.open THEN NULL ELSE now() END
    FROM (SELECT w.job_id, w.requested_by, j.kind, j.owner_id, j.organization_id,
                 j.status IN ('PENDING', 'GENERATING') AS open
          FROM sorami.cancellations w JOIN sorami.jobs j ON j.id = w.job_id
          WHERE w.done_at IS NULL AND w.sent_at < now() - $1 * interval '1 second'
          ORDER BY w.sent_at LIMIT 200 FOR UPDATE OF w SKIP LOCKED) AS due
    WHERE c.job_id = due.job_id
    RETURNING due.job_id, due.requested_by, due.kind, due.owner_id, due.organization_id, due.open
"""

OVERDUE_JOBS = """
    SELECT j.id, j.kind, EXISTS (SELECT FROM sorami.tasks t WHERE t.job_id = j.id) AS has_task
    FROM sorami.jobs j
    WHERE j.status IN ('PENDING', 'GENERATING') AND j.finish_by < now() - $1 * interval '1 second'
    ORDER BY j.id LIMIT 200
"""

FORGET_EVENTS = """
    DELETE FROM sorami.job_events WHERE (job_id, seq) IN (
        SELECT job_id, seq FROM sorami.job_events WHERE at < now() - $1 * interval '1 day' ORDER BY at LIMIT 10000)
"""

# take_prompts: before their texts are read, so that a change meanwhile is noted again and not lost.
TAKE_PROMPTS = """
    DELETE FROM sorami.search_pending WHERE generation_id IN (
        SELECT generation_id FROM sorami.search_pending LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING generation_id
"""


# due_purges: deletions whose window has ended; a job that still runs is waited for. Instances share them.
DUE_PURGES = """
    SELECT d.generation_id AS id, d.kind, d.owner_id, j.origin
    FROM sorami.deletions d LEFT JOIN sorami.jobs j ON j.id = d.generation_id
    WHERE d.purged_at IS NULL AND d.purge_after <= now()
      AND (j.id IS NULL OR j.status NOT IN ('PENDING', 'GENERATING'))
    ORDER BY d.purge_after LIMIT 100 FOR UPDATE OF d SKIP LOCKED
"""

# forget: what is left of generations ($1), in this order; each statement is about one table.
FORGET_GENERATIONS = {
    "addresses": """INSERT INTO sorami.gone_media (token)
                    SELECT token FROM sorami.files WHERE job_id = ANY($1::text[]) ON CONFLICT DO NOTHING""",
    "read marks": """DELETE FROM sorami.notification_reads r USING notifications n, sorami.deletions d
                     WHERE d.generation_id = ANY($1::text[]) AND n."userId" = d.owner_id
                       AND n.metadata ->> 'generationId' = d.generation_id AND r.notification_id = n.id""",
    "notifications": """DELETE FROM notifications n USING sorami.deletions d
                        WHERE d.generation_id = ANY($1::text[]) AND n."userId" = d.owner_id
                          AND n.metadata ->> 'generationId' = d.generation_id""",
    "cancellations": "DELETE FROM sorami.cancellations WHERE job_id = ANY($1::text[])",
    "favourites": "DELETE FROM sorami.favourites WHERE generation_id = ANY($1::text[])",
    "album items": "DELETE FROM sorami.album_items WHERE generation_id = ANY($1::text[])",
    "shares": "DELETE FROM sorami.shares WHERE generation_id = ANY($1::text[])",
    "search documents": "DELETE FROM sorami.search_documents WHERE generation_id = ANY($1::text[])",
    "search pending": "DELETE FROM sorami.search_pending WHERE generation_id = ANY($1::text[])",
    "job events": "DELETE FROM sorami.job_events WHERE job_id = ANY($1::text[])",
    "deliveries": "DELETE FROM sorami.deliveries WHERE job_id = ANY($1::text[])",
    "dead letters": "DELETE FROM sorami.dead_letters WHERE key = ANY($1::text[])",
    "orphans": "DELETE FROM sorami.orphans WHERE job_id = ANY($1::text[])",
    "reports": "DELETE FROM sorami.backend_reports WHERE job_id = ANY($1::text[])",
    "requests not sent": "DELETE FROM sorami.outbox_gateway WHERE key = ANY($1::text[])",
    "files": "DELETE FROM sorami.files WHERE job_id = ANY($1::text[])",
    "jobs": "DELETE FROM sorami.jobs WHERE id = ANY($1::text[])",
    **{
        table: f'DELETE FROM {table} WHERE "generationId" = ANY($1::text[])'  # noqa: S608
        for table in (kind.files_table for kind in _KINDS)
    },
    **{
        table: f"DELETE FROM {table} WHERE id = ANY($1::text[])"  # noqa: S608 - names come from the declared kinds
        for table in (kind.generations_table for kind in _KINDS)
    },
}

NOTE_PURGED = "UPDATE sorami.deletions SET purged_at = now() WHERE generation_id = ANY($1::text[])"

TOMBSTONES = """
    SELECT generation_id FROM sorami.deletions WHERE generation_id = ANY($1::text[]) AND purged_at IS NOT NULL
"""


class Store:
    """The statements of persistence over one pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Open the transaction of one batch."""
        return transaction(self._pool)

    async def lock_jobs(self, connection: Connection, job_ids: Iterable[str]) -> list[Job]:
        """Lock and return the jobs that exist."""
        rows = await connection.fetch(LOCK_JOBS, list(job_ids))
        return [_job(row) for row in rows]

    async def take_numbers(self, connection: Connection, counts: Mapping[str, int]) -> dict[str, int]:
        """Reserve `counts` numbers for each user and return the first of each."""
        rows = await connection.fetch(TAKE_NUMBERS, list(counts), list(counts.values()))
        return {row["user_id"]: row["n"] - counts[row["user_id"]] + 1 for row in rows}

    async def write(self, connection: Connection, rows: Rows) -> list[OutboxRow]:
        """Write a batch and return its rows of the outbox."""
        events, outbox = rows.events, OutboxColumns.of(rows.records)
        found = await connection.fetch(
            WRITE_MOVES,
            json.dumps([_as_move(row) for row in rows.jobs]),
            json.dumps([asdict(row) for row in rows.files]),
            json.dumps([asdict(row) for row in rows.notifications]),
            [event.job_id for event in events],
            [event.seq for event in events],
            [event.user_id for event in events],
            [event.n for event in events],
            [event.data for event in events],
            outbox.topics,
            outbox.keys,
            outbox.values,
            outbox.headers,
        )
        return as_rows([row["id"] for row in found], rows.records)

    async def insert_notices(self, connection: Connection, rows: Sequence[NotificationRow]) -> set[str]:
        """Write notifications and return the ids of those that are new."""
        found = await connection.fetch(INSERT_NOTICES, json.dumps([asdict(row) for row in rows]))
        return {row["id"] for row in found}

    async def due_purges(self, connection: Connection) -> list[Any]:
        """Lock and return deletions whose window has ended."""
        return list(await connection.fetch(DUE_PURGES))

    async def purge(self, connection: Connection, ids: Sequence[str], records: Sequence[Record]) -> list[OutboxRow]:
        """Remove every row of these generations but their tombstones; returns the rows of the outbox."""
        for statement in FORGET_GENERATIONS.values():
            await connection.execute(statement, list(ids))
        await connection.execute(NOTE_PURGED, list(ids))
        return await self.put_events(records, connection)

    async def tombstones(self, ids: Iterable[str]) -> set[str]:
        """Return those of the ids whose generation was removed for good."""
        return {row["generation_id"] for row in await self._pool.fetch(TOMBSTONES, list(ids))}

    async def put_events(self, records: Sequence[Record], connection: Connection | None = None) -> list[OutboxRow]:
        """Put records into the outbox, in a transaction when one is open, and return their rows."""
        columns = OutboxColumns.of(records)
        found = await (connection or self._pool).fetch(
            PUT_EVENTS, columns.topics, columns.keys, columns.values, columns.headers
        )
        return as_rows([row["id"] for row in found], records)

    async def forgotten_requests(self, older_than_seconds: float) -> list[Any]:
        """Return jobs that nobody took up, noting that they are sent again."""
        return list(await self._pool.fetch(RESEND_REQUESTS, older_than_seconds))

    async def forgotten_reports(self, older_than_seconds: float) -> list[Any]:
        """Return what backends told of open jobs, and forget what they told of ended ones."""
        await self._pool.execute(FORGET_REPORTS, older_than_seconds)
        return list(await self._pool.fetch(FORGOTTEN_REPORTS, older_than_seconds))

    async def forgotten_cancellations(self, older_than_seconds: float) -> list[Any]:
        """Return wishes that open jobs end, noting that they are sent again, and be done with those of ended jobs."""
        rows = await self._pool.fetch(RESEND_CANCELLATIONS, older_than_seconds)
        return [row for row in rows if row["open"]]

    async def overdue_jobs(self, grace_seconds: float) -> list[Any]:
        """Return open jobs whose deadline passed longer than `grace_seconds` ago."""
        return list(await self._pool.fetch(OVERDUE_JOBS, grace_seconds))

    async def index_prompts(self, most: int) -> int:
        """Make the search documents of at most this many new or changed prompts; returns how many there were."""
        async with transaction(self._pool) as connection:
            ids = [row["generation_id"] for row in await connection.fetch(TAKE_PROMPTS, most)]
            if ids:
                await connection.execute(INDEX_PROMPTS, ids)
        return len(ids)

    async def forget_events(self, days: int) -> None:
        """Delete job events that no stream replays any more."""
        await self._pool.execute(FORGET_EVENTS, days)


def _job(row: Any) -> Job:
    state = JobState(
        status=JobStatus(row["status"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        progress=row["progress"],
        seq=row["seq"],
        fence=row["fence"],
    )
    return Job(
        row["id"],
        row["kind"],
        row["owner_id"],
        row["organization_id"],
        row["origin"],
        row["created_at"],
        state,
    )


def _as_move(row: JobRow) -> dict[str, Any]:
    failure = json.loads(row.failure) if row.failure else None
    return asdict(row) | {"prisma_status": prisma_status(row.status), "failure": failure}
