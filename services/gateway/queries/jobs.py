"""Jobs of every kind and state, as their owner sees them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.kinds import KINDS, Kind
from services.gateway.queries.generations import StatusView, not_deleted, status_columns, status_view
from services.runtime.database import Pool
from services.runtime.own_rows import OwnRows


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with what was asked of it."""

    status: StatusView
    prompt: str
    origin: str | None
    priority: int
    start_by: datetime | None
    finish_by: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are listed; None and an empty list say nothing."""

    status: Sequence[str] = ()
    kind: str | None = None
    model: str | None = None
    origin: str | None = None
    batch_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


# As the status route judges: a row that an application ended by itself is ahead of our own.
_STANDS = """CASE WHEN j.status IS NULL THEN g.status::text
                  WHEN j.status IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN j.status
                  WHEN g.status::text IN ('COMPLETED', 'FAILED') THEN g.status::text ELSE j.status END"""


def _columns(kind: Kind) -> str:
    return f"""{status_columns(kind)}, g.prompt, coalesce(j.origin, 'application') AS origin,
               coalesce(j.priority, 0) AS priority, j.start_by, j.finish_by,
               coalesce(j.completed_at, g."completedAt" AT TIME ZONE 'UTC') AS completed_at,
               j.request, g."inputImageUrl" AS input_image_url, g."{kind.count_column}" AS count, g.size, g.format,
               g.style, g.quality, jsonb_build_object({_numbers(kind)}) AS numbers,
               j.created_at AS asked_at"""


def _numbers(kind: Kind) -> str:
    return ", ".join(f"'{number.name}', g.\"{number.column}\"" for number in kind.numbers)


def _select(kind: Kind, where: str) -> str:
    return f"""(SELECT {_columns(kind)}
        FROM {kind.generations_table} g LEFT JOIN sorami.jobs j ON j.id = g.id
        WHERE {where} AND {not_deleted("g.id")}"""  # noqa: S608 - names come from the declared kinds


_KINDS = list(KINDS.values())
_ONE = " UNION ALL ".join(_select(kind, 'g.id = $1 AND g."authorId" = $2') + ")" for kind in _KINDS)
_ONE = f"SELECT * FROM ({_ONE}) AS found LIMIT 1"  # noqa: S608
_IN_BATCH = 'g.id IN (SELECT b.id FROM sorami.jobs b WHERE b.batch_id = $1) AND g."authorId" = $2'
_OF_BATCH = " UNION ALL ".join(_select(kind, _IN_BATCH) + ")" for kind in _KINDS)
_OF_BATCH = f"SELECT * FROM ({_OF_BATCH}) AS found ORDER BY id"  # noqa: S608


def _page(kind: Kind) -> str:
    where = f"""g."authorId" = $1
        AND ($2::timestamp IS NULL OR (g."createdAt", g.id) < ($2::timestamp, $3::text))
        AND ($5::text[] IS NULL OR {_STANDS} = ANY($5::text[]))
        AND ($6::text IS NULL OR coalesce(j.model, g.model) = $6::text)
        AND ($7::text IS NULL OR coalesce(j.origin, 'application') = $7::text)
        AND ($8::text IS NULL OR j.batch_id = $8::text)
        AND ($9::timestamp IS NULL OR g."createdAt" >= $9::timestamp)
        AND ($10::timestamp IS NULL OR g."createdAt" < $10::timestamp)"""
    return _select(kind, where) + ' ORDER BY g."createdAt" DESC, g.id DESC LIMIT $4::int)'


_PAGES = {
    name: f"SELECT * FROM ({' UNION ALL '.join(_page(kind) for kind in kinds)}) AS found"  # noqa: S608
    " ORDER BY created_at DESC, id DESC LIMIT $4::int"
    for name, kinds in {"": _KINDS, **{kind.name: [kind] for kind in _KINDS}}.items()
}
_ENDED = """
    SELECT id FROM sorami.jobs
    WHERE id = ANY($1::text[]) AND status IN ('COMPLETED', 'FAILED', 'CANCELLED')
"""

_WEBHOOK = "SELECT url, event_types FROM sorami.job_webhooks WHERE job_id = $1"
_OPEN_OF_BATCH = """
    SELECT j.id, j.kind FROM sorami.jobs j
    WHERE j.batch_id = $1 AND j.owner_id = $2 AND j.status IN ('PENDING', 'GENERATING') ORDER BY j.id
"""


_WORKER_JOB = """
    SELECT j.kind, j.provider, j.status FROM sorami.jobs j
    WHERE j.id = $1 AND NOT EXISTS (SELECT FROM sorami.deletions d WHERE d.generation_id = j.id)
"""


async def worker_job(pool: Pool, job_id: str) -> Any:
    """Return `kind`, `provider` and `status` of anybody's job, for those who render it."""
    return await pool.fetchrow(_WORKER_JOB, job_id)


async def job(own: OwnRows, job_id: str) -> JobView | None:
    """Return the owner's job of any kind, or None."""
    row = await own.fetchrow(_ONE, job_id, own.person_id)
    return _job(row) if row else None


async def jobs_of_batch(own: OwnRows, batch_id: str) -> list[JobView]:
    """Return the jobs of a batch, by id: minted ids grow in the order that was asked for."""
    return [_job(row) for row in await own.fetch(_OF_BATCH, batch_id, own.person_id)]


async def open_jobs_of_batch(own: OwnRows, batch_id: str) -> list[tuple[str, str]]:
    """Return id and kind of the batch's jobs that have not ended."""
    return [(row["id"], row["kind"]) for row in await own.fetch(_OPEN_OF_BATCH, batch_id, own.person_id)]


async def jobs_page(own: OwnRows, wanted: JobFilter, *, before: tuple[Any, ...] | None, limit: int) -> list[JobView]:
    """Return a page of the owner's jobs, newest first, before a position."""
    moment, place = before if before else (None, None)
    rows = await own.fetch(
        _PAGES[wanted.kind or ""],
        own.person_id,
        _naive(moment),
        place,
        limit,
        list(wanted.status) or None,
        wanted.model,
        wanted.origin,
        wanted.batch_id,
        _naive(wanted.created_after),
        _naive(wanted.created_before),
    )
    return [_job(row) for row in rows]


async def ended_among(pool: Pool, job_ids: Sequence[str]) -> set[str]:
    """Return those of the jobs that have ended."""
    return {row["id"] for row in await pool.fetch(_ENDED, list(job_ids))}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for a job, so that it can be asked for again; windows are in seconds."""

    view: StatusView
    prompt: str
    count: int
    size: str
    format: str
    style: str | None
    quality: str
    model: str | None
    input_image_url: str | None
    options: dict[str, Any]
    priority: int
    start_within: int | None
    finish_within: int | None
    fallback: bool
    webhook_url: str | None = None
    webhook_events: Sequence[str] | None = None


async def asked_for(own: OwnRows, job_id: str) -> Asked | None:
    """Return what the owner asked for under this id, from the request itself or from the generation's row."""
    row = await own.fetchrow(_ONE, job_id, own.person_id)
    if row is None:
        return None
    request = json.loads(row["request"]) if row["request"] else {}
    # What a backend reported of a job of its own stands where requests stand, and has no options.
    options = request.get("options") if "prompt" in request else None
    hook = await own.fetchrow(_WEBHOOK, job_id)
    return Asked(
        view=status_view(row),
        prompt=row["prompt"],
        count=row["count"],
        size=row["size"],
        format=row["format"],
        style=row["style"],
        quality=row["quality"],
        model=row["model"],
        input_image_url=row["input_image_url"],
        options=options if options is not None else json.loads(row["numbers"]),
        priority=row["priority"],
        start_within=_seconds(row["asked_at"], row["start_by"]),
        finish_within=_seconds(row["asked_at"], row["finish_by"]),
        webhook_url=hook["url"] if hook else None,
        webhook_events=hook["event_types"] if hook else None,
        fallback=bool(request.get("fallbacks")),
    )


def _seconds(begin: datetime | None, end: datetime | None) -> int | None:
    return max(1, round((end - begin).total_seconds())) if begin and end else None


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def _job(row: Any) -> JobView:
    return JobView(
        status=status_view(row),
        prompt=row["prompt"],
        origin=row["origin"],
        priority=row["priority"],
        start_by=row["start_by"],
        finish_by=row["finish_by"],
        completed_at=row["completed_at"],
    )
