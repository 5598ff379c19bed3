"""What the notifier reads: job events to replay, snapshots, and what the seeds' payloads need."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.events import JobUpdated
from contracts.legacy_webhook import LegacyFile
from services.runtime.database import Pool, transaction

REPLAY_PAGE = 500

_EVENTS_OF_USER = f"""
    SELECT data FROM sorami.job_events WHERE user_id = $1 AND n > $2 AND n <= $3 ORDER BY n LIMIT {REPLAY_PAGE}
"""  # noqa: S608 - a constant
_EVENTS_OF_JOB = """
    SELECT data FROM sorami.job_events WHERE job_id = $1 AND n > $2 ORDER BY seq
"""
_NUMBER = "SELECT coalesce((SELECT n FROM sorami.user_counters WHERE user_id = $1), 0)"
_NUMBERS = "SELECT user_id, n FROM sorami.user_counters WHERE user_id = ANY($1::text[])"
_OLDEST_KEPT = "SELECT min(n) FROM sorami.job_events WHERE user_id = $1"
# What a snapshot tells of a job; a preview is gone once the job has ended.
_SHOWN = """
    SELECT id AS job_id, kind, status, stage, progress, message, seq, created_at, request->>'prompt' AS prompt,
           CASE WHEN status IN ('PENDING', 'GENERATING') THEN preview->>'url' END AS preview_url
    FROM sorami.jobs
    WHERE NOT EXISTS (SELECT FROM sorami.deletions gone WHERE gone.generation_id = id)
"""
_OPEN_JOBS = f"""
    {_SHOWN} AND owner_id = $1 AND status IN ('PENDING', 'GENERATING') ORDER BY created_at DESC, id DESC LIMIT 200
"""
_JOBS_OF_BATCH = f"{_SHOWN} AND batch_id = $1 AND owner_id = $2 ORDER BY id"
_BATCH = """
    SELECT id AS job_id, kind, status, stage, progress, message, seq, created_at, request->>'prompt' AS prompt
    FROM sorami.jobs WHERE batch_id = $1 AND owner_id = $2
      AND NOT EXISTS (SELECT FROM sorami.deletions gone WHERE gone.generation_id = id)
    ORDER BY id
"""
_BATCH = "SELECT EXISTS (SELECT FROM sorami.batches WHERE id = $1 AND owner_id = $2)"
_EVENTS_AFTER = "SELECT EXISTS (SELECT FROM sorami.job_events WHERE job_id = ANY($1::text[]) AND n > $2)"
_JOB = """
    SELECT j.id AS job_id, j.kind, j.status, j.stage, j.progress, j.message, j.seq, j.created_at, j.owner_id
    FROM sorami.jobs j WHERE j.id = $1 AND ($2::text IS NULL OR j.kind = $2) AND j.owner_id = $3
      AND NOT EXISTS (SELECT FROM sorami.deletions gone WHERE gone.generation_id = j.id)
"""
_ABOUT_JOBS = """
    SELECT j.id, u."clerkId" AS clerk_id, j.request->>'prompt' AS prompt,
           j.origin = 'application' AS made_by_application
    FROM sorami.jobs j LEFT JOIN users u ON u.id = j.owner_id WHERE j.id = ANY($1::text[])
"""
_FILES = """
    SELECT f.job_id, f.storage_key, f.external_url, f.token, f.filename, f.description, f.size_bytes, f.width, f.height,
           f.duration_seconds, f.fps, f.thumbnail_key, f.content_type
    FROM sorami.files f WHERE f.job_id = ANY($1::text[]) ORDER BY f.job_id, f.index
"""


@dataclass(frozen=True, slots=True)
class AboutJob:
    """What a payload of the seeds says of a job beside its move."""

    user_id: str
    prompt: str
    made_by_application: bool = False
    """Whether an application made its row in our database, which it therefore reads itself."""


async def events_of_user(pool: Pool, user_id: str, after: int, until: int) -> list[JobUpdated]:
    """Return a page of a user's job events with after < n <= until, in order."""
    rows = await pool.fetch(_EVENTS_OF_USER, user_id, after, until)
    return [JobUpdated.model_validate_json(row["data"]) for row in rows]


async def events_of_job(pool: Pool, job_id: str, after: int) -> list[JobUpdated]:
    """Return a job's events after a number, in order."""
    return [JobUpdated.model_validate_json(row["data"]) for row in await pool.fetch(_EVENTS_OF_JOB, job_id, after)]


async def snapshot(pool: Pool, user_id: str, batch_id: str | None = None) -> tuple[int, list[dict[str, Any]]]:
    """Return a user's number and open jobs, or all of a batch, as of one moment."""
    async with transaction(pool) as connection:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        number = await connection.fetchval(_NUMBER, user_id)
        if batch_id is None:
            rows = await connection.fetch(_OPEN_JOBS, user_id)
        else:
            rows = await connection.fetch(_JOBS_OF_BATCH, batch_id, user_id)
    return number, [dict(row) for row in rows]


async def jobs_of_batch(pool: Pool, batch_id: str, owner_id: str) -> list[dict[str, Any]]:
    """Return the owner's jobs of a batch."""
    return [dict(row) for row in await pool.fetch(_JOBS_OF_BATCH, batch_id, owner_id)]


async def is_batch_of(pool: Pool, batch_id: str, owner_id: str) -> bool:
    """Tell whether the owner has this batch, whatever became of its jobs."""
    return bool(await pool.fetchval(_BATCH, batch_id, owner_id))


async def has_events_after(pool: Pool, job_ids: Sequence[str], after: int) -> bool:
    """Tell whether any of these jobs moved after a number."""
    return bool(await pool.fetchval(_EVENTS_AFTER, list(job_ids), after))


async def number_and_oldest(pool: Pool, user_id: str) -> tuple[int, int | None]:
    """Return a user's number and that of the oldest event still kept."""
    return await pool.fetchval(_NUMBER, user_id), await pool.fetchval(_OLDEST_KEPT, user_id)


async def numbers(pool: Pool, user_ids: Collection[str]) -> dict[str, int]:
    """Return the newest number of each of these users; one without a move is left out."""
    return {row["user_id"]: row["n"] for row in await pool.fetch(_NUMBERS, list(user_ids))}


async def job_of(pool: Pool, kind: str | None, job_id: str, owner_id: str) -> dict[str, Any] | None:
    """Return where the owner's job stands; of any kind when `kind` is None."""
    row = await pool.fetchrow(_JOB, job_id, kind, owner_id)
    return dict(row) if row else None


async def about_jobs(pool: Pool, job_ids: Sequence[str]) -> dict[str, AboutJob]:
    """Return the prompt and the identity provider's user id of jobs."""
    rows = await pool.fetch(_ABOUT_JOBS, list(job_ids))
    return {
        row["id"]: AboutJob(row["clerk_id"] or "", row["prompt"] or "", bool(row["made_by_application"]))
        for row in rows
    }


async def legacy_files(pool: Pool, event: JobUpdated, prompt: str) -> list[LegacyFile]:
    """Return a completed job's files as the seeds' payload lists them."""
    addresses = {file.index: file for file in event.files}
    rows = await pool.fetch(_FILES, [event.job_id])
    return [
        LegacyFile(
            file_path=row["storage_key"] or row["filename"],
            url=published.url,
            description=row["description"] or prompt,
            format=published.format,
            size_bytes=row["size_bytes"],
            width=row["width"],
            height=row["height"],
            duration_seconds=row["duration_seconds"],
            fps=row["fps"],
            thumbnail_url=published.thumbnail_url,
        )
        for row, published in zip(rows, addresses.values(), strict=False)
    ]


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
