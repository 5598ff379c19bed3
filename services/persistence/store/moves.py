"""The moves of jobs: rows, files, notifications, job events and outbox rows of a batch."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from contracts.cloudevents import Record
from contracts.kinds import KINDS, Kind
from contracts.status import JobState, JobStatus, Stage, prisma_status
from services.persistence.store.notices import NotificationRow
from services.runtime.database import Connection
from services.runtime.outbox import OutboxColumns, OutboxRow, as_rows


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
    provider: str | None
    preview: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The last lease of a job's task, and whether the task finished under it."""

    fence: int = 0
    finished: bool = False


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
    preview: dict[str, str] | None
    provider: str | None
    model: str | None
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
    SELECT id, kind, owner_id, organization_id, origin, created_at, status, stage, progress, seq, fence, provider,
           preview
    FROM sorami.jobs WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE
"""

# leases: where the tasks of jobs stand, which nobody can forge on a topic.
LEASES = "SELECT job_id, fence, state = 'finished' AS finished FROM sorami.tasks WHERE job_id = ANY($1::text[])"

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
            model = coalesce(m.model, g.model),
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
            stage text, progress int, seq bigint, fence int, message text, failure jsonb, metadata jsonb,
            provider text, model text, preview jsonb, ended bool)
    ), jobs_moved AS (
        UPDATE sorami.jobs j
        SET status = m.status, stage = m.stage, progress = m.progress, seq = m.seq, fence = m.fence,
            message = m.message, failure = m.failure, metadata = coalesce(m.metadata, j.metadata),
            provider = coalesce(m.provider, j.provider), model = coalesce(m.model, j.model), updated_at = now(),
            preview = CASE WHEN NOT m.ended THEN m.preview END,
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


async def lock_jobs(connection: Connection, job_ids: Iterable[str]) -> list[Job]:
    """Lock and return the jobs that exist."""
    return [_job(row) for row in await connection.fetch(LOCK_JOBS, list(job_ids))]


async def leases(connection: Connection, job_ids: Iterable[str]) -> dict[str, Lease]:
    """Return the leases of the jobs that have a task."""
    rows = await connection.fetch(LEASES, list(job_ids))
    return {row["job_id"]: Lease(row["fence"], row["finished"]) for row in rows}


async def take_numbers(connection: Connection, counts: Mapping[str, int]) -> dict[str, int]:
    """Reserve `counts` numbers for each user and return the first of each."""
    rows = await connection.fetch(TAKE_NUMBERS, list(counts), list(counts.values()))
    return {row["user_id"]: row["n"] - counts[row["user_id"]] + 1 for row in rows}


async def write_moves(connection: Connection, rows: Rows) -> list[OutboxRow]:
    """Write a batch and return its rows of the outbox."""
    events, outbox = rows.events, OutboxColumns.of(rows.records)
    found = await connection.fetch(
        WRITE_MOVES,
        json.dumps([_as_move(row) for row in rows.jobs]),
        json.dumps([_plain(row) for row in rows.files]),
        json.dumps([_plain(row) for row in rows.notifications]),
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
        row["provider"],
        json.loads(row["preview"]) if row["preview"] else None,
    )


def _as_move(row: JobRow) -> dict[str, Any]:
    failure = json.loads(row.failure) if row.failure else None
    return _plain(row) | {"prisma_status": prisma_status(row.status), "failure": failure}


def _plain(row: JobRow | FileRow | NotificationRow) -> dict[str, Any]:
    # dataclasses.asdict copies all that lies within, which was half of what a batch spent on its values.
    return {name: getattr(row, name) for name in row.__slots__}
