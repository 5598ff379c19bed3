"""Generations and where their jobs stand: Prisma's tables first, so an application's own are shown like any other."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contracts.failures import Failure
from contracts.kinds import KINDS, Kind
from contracts.media import media_path, thumbnail_name
from contracts.status import TERMINAL, JobStatus, Stage
from services.runtime.database import Pool
from services.runtime.own_rows import OwnRows

PROMPT_LINE = 200
"""Characters of a prompt where it only names something."""


@dataclass(frozen=True, slots=True)
class StatusView:
    """Where a job stands, as its owner sees it."""

    kind: Kind
    job_id: str
    status: JobStatus
    stage: Stage | None
    progress: int
    message: str | None
    failure: Failure | None
    created_at: datetime
    model: str | None = None
    batch_id: str | None = None
    parent_id: str | None = None
    retry_of: str | None = None
    cancel_requested: bool = False
    preview_url: str | None = None
    ours: bool = True
    """Whether a job of ours stands behind it; False for a row that an application wrote by itself."""

    @classmethod
    def requested(
        cls,
        kind: Kind,
        job_id: str,
        created_at: datetime,
        *,
        batch_id: str | None = None,
        parent_id: str | None = None,
        retry_of: str | None = None,
    ) -> "StatusView":
        """Build the view of a job that was just asked for."""
        return cls(
            kind,
            job_id,
            JobStatus.PENDING,
            None,
            0,
            None,
            None,
            created_at,
            batch_id=batch_id,
            parent_id=parent_id,
            retry_of=retry_of,
        )

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Who asked for a job and the hash of what was asked."""

    owner_id: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a generation; `token` is None for a file that no service of ours recorded."""

    id: str
    filename: str
    file_url: str
    format: str | None
    width: int | None
    height: int | None
    aspect_ratio: str | None
    file_size: int | None
    description: str | None
    token: str | None
    external_url: str | None
    extra: dict[str, Any]
    thumbnails: list[dict[str, Any]] | None
    placeholder: str | None

    def address(self, public_url: str) -> str:
        """Return the lasting address under today's public URL; a backend's file keeps its own."""
        if self.token is None or self.external_url is not None:
            return self.file_url
        return public_url + media_path(self.token, self.filename)

    def thumbnail_items(self, public_url: str) -> list[dict[str, Any]]:
        """Return the addresses of smaller versions, narrowest first."""
        return [
            {
                "width": small["width"],
                "height": small["height"],
                "format": small["format"],
                "url": public_url + media_path(self.token or "", thumbnail_name(small["width"], small["format"])),
            }
            for small in self.thumbnails or ()
        ]


@dataclass(frozen=True, slots=True)
class GenerationView:
    """A generation with its files, in the seeds' row shape."""

    kind: Kind
    id: str
    prompt: str
    status: str
    job_status: JobStatus
    created_at: datetime
    completed_at: datetime | None
    model: str | None
    size: str
    format: str
    style: str | None
    quality: str
    origin: str | None
    metadata: dict[str, Any]
    files: list[FileView] = field(default_factory=list)
    parent_id: str | None = None
    retry_of: str | None = None
    batch_id: str | None = None
    favourite: bool = False
    deleted_at: datetime | None = None


# Before and after every row: the first page is a page after a position like any other, so that one plan serves all.
ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
NEVER = datetime(1, 1, 1, tzinfo=UTC)


def naive(moment: datetime) -> datetime:
    """Return the moment as Prisma's columns hold it: without a zone, in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _utc(moment: datetime | None) -> Any:
    # Prisma's timestamps have no zone and are UTC.
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def not_deleted(generation_id: str) -> str:
    """Return the condition that every read of generations has; `generation_id` is its column."""
    return f"NOT EXISTS (SELECT FROM sorami.deletions gone WHERE gone.generation_id = {generation_id})"


def checked_author(owner: str) -> str:
    """Return the condition that g is this owner's, for rows that are found by their ids.

    Written so that no index knows it, else Postgres 18 looks the ids up among all rows of an owner of a million; and so
    that it is expected to pass, else a page's walk is given up for a sort of everything.
    """
    return f"""coalesce(g."authorId" = {owner}, false)"""


def prompt_of(generation_id: str, owner: str) -> str:
    """Return what this owner's generation was asked for, as far as a line of a list holds it; NULL for none."""
    asked = " UNION ALL ".join(
        f"SELECT left(g.prompt, {PROMPT_LINE}) FROM {kind.generations_table} g"  # noqa: S608 - declared names
        f" WHERE g.id = {generation_id} AND {checked_author(owner)} AND {not_deleted('g.id')}"
        for kind in KINDS.values()
    )
    return f"({asked} LIMIT 1)"


def status_columns(kind: Kind) -> str:
    """Return what a StatusView is read from: `g` is the generation, `j` its job."""
    return f"""g.id, '{kind.name}' AS kind, g.status::text AS status, g.progress, g."createdAt" AS created_at,
               j.status AS job_status, j.stage, j.message, j.failure, coalesce(j.model, g.model) AS model, j.batch_id,
               j.parent_id, j.retry_of, j.id IS NOT NULL AS ours, j.preview->>'url' AS preview_url,
               EXISTS (SELECT FROM sorami.cancellations c WHERE c.job_id = j.id) AS cancel_requested"""


def _status_statement(kind: Kind) -> str:
    return f"""
        SELECT {status_columns(kind)}
        FROM {kind.generations_table} g LEFT JOIN sorami.jobs j ON j.id = g.id
        WHERE g.id = $1 AND g."authorId" = $2 AND {not_deleted("g.id")}
    """  # noqa: S608 - names come from the declared kinds


_STATUS = {kind.name: _status_statement(kind) for kind in KINDS.values()}
_IS_OWN = f"""
    SELECT ({
    " OR ".join(
        f'EXISTS (SELECT FROM {kind.generations_table} t WHERE t.id = $1 AND t."authorId" = $2)'
        for kind in KINDS.values()
    )
}) AND NOT EXISTS (SELECT FROM sorami.deletions gone WHERE gone.generation_id = $1)
"""  # noqa: S608 - names come from the declared kinds


async def status(own: OwnRows, kind: Kind, job_id: str) -> StatusView | None:
    """Return where the owner's job stands, or None when there is none of this id for this owner."""
    row = await own.fetchrow(_STATUS[kind.name], job_id, own.person_id)
    return status_view(row) if row else None


def status_view(row: Any) -> StatusView:
    """Read a row of `status_columns`."""
    return StatusView(
        kind=KINDS[row["kind"]],
        job_id=row["id"],
        # A row that an application moved without us is ahead of our own.
        status=_effective_status(row["job_status"], row["status"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        progress=row["progress"],
        message=row["message"],
        failure=Failure.model_validate_json(row["failure"]) if row["failure"] else None,
        created_at=_utc(row["created_at"]),
        model=row["model"],
        batch_id=row["batch_id"],
        parent_id=row["parent_id"],
        retry_of=row["retry_of"],
        cancel_requested=row["cancel_requested"],
        preview_url=row["preview_url"],
        ours=row["ours"],
    )


async def is_own(own: OwnRows, generation_id: str) -> bool:
    """Tell whether this is a generation of the owner's, of any kind, that was not deleted."""
    return bool(await own.fetchval(_IS_OWN, generation_id, own.person_id))


def _effective_status(ours: str | None, prisma: str) -> JobStatus:
    if ours is None:
        return JobStatus(prisma)
    own = JobStatus(ours)
    return own if own in TERMINAL or prisma not in ("COMPLETED", "FAILED") else JobStatus(prisma)


async def job_asked_for(pool: Pool, job_id: str) -> AskedFor | None:
    """Return who asked for the job."""
    row = await pool.fetchrow("SELECT owner_id, request_hash FROM sorami.jobs WHERE id = $1", job_id)
    return AskedFor(row["owner_id"], row["request_hash"]) if row else None


def _generations_statement(kind: Kind, where: str) -> str:
    extra = ", ".join(f"'{column}', f.\"{column}\"" for column in kind.file_columns.values())
    extra_object = f"jsonb_build_object({extra})" if extra else "'{}'::jsonb"
    return f"""
        SELECT g.id, g.prompt, g.status::text AS status, g."createdAt" AS created_at, g."completedAt" AS completed_at,
               g.model, g.size, g.format, g.style, g.quality, j.status AS job_status, j.origin, j.metadata,
               j.parent_id, j.retry_of, j.batch_id, gone.deleted_at, coalesce(files.list, '[]') AS files,
               EXISTS (SELECT FROM sorami.favourites liked
                       WHERE liked.owner_id = g."authorId" AND liked.generation_id = g.id) AS favourite
        FROM {kind.generations_table} g
        LEFT JOIN sorami.jobs j ON j.id = g.id
        LEFT JOIN sorami.deletions gone ON gone.generation_id = g.id
        LEFT JOIN LATERAL (
            SELECT jsonb_agg(jsonb_build_object(
                'id', f.id, 'filename', f.filename, 'file_url', f."fileUrl", 'format', f.format, 'width', f.width,
                'height', f.height, 'aspect_ratio', f."aspectRatio", 'file_size', f."fileSize",
                'description', coalesce(s.description, f.metadata->>'description'), 'token', s.token,
                'external_url', s.external_url, 'extra', {extra_object},
                'thumbnails', s.thumbnails, 'placeholder', s.placeholder
            ) ORDER BY s.index, f."createdAt", f.id) AS list
            FROM {kind.files_table} f LEFT JOIN sorami.files s ON s.id = f.id
            WHERE f."generationId" = g.id
        ) files ON true
        WHERE {where}
    """  # noqa: S608 - names come from the declared kinds


_ONE = {
    kind.name: _generations_statement(kind, f'g.id = $1 AND g."authorId" = $2 AND {not_deleted("g.id")}')
    for kind in KINDS.values()
}
_PAGE = {
    kind.name: _generations_statement(
        kind,
        f"""g."authorId" = $1 AND g.status = 'COMPLETED' AND {not_deleted("g.id")}
           AND (g."createdAt", g.id) < ($2::timestamp, $3)
           ORDER BY g."createdAt" DESC, g.id DESC LIMIT $4""",
    )
    for kind in KINDS.values()
}
_OF_IDS = {
    kind.name: _generations_statement(kind, f"g.id = ANY($1::text[]) AND {checked_author('$2')}")
    for kind in KINDS.values()
}


async def generations_of_ids(own: OwnRows, kind: Kind, ids: Sequence[str]) -> list[GenerationView]:
    """Return these of the owner's generations, in any order, those in the trash included: whoever asks has looked."""
    rows = await own.fetch(_OF_IDS[kind.name], list(ids), own.person_id)
    return [_generation(kind, row) for row in rows]


async def generation(own: OwnRows, kind: Kind, job_id: str) -> GenerationView | None:
    """Return the owner's generation with its files."""
    row = await own.fetchrow(_ONE[kind.name], job_id, own.person_id)
    return _generation(kind, row) if row else None


async def completed_generations(
    own: OwnRows, kind: Kind, *, before: tuple[Any, ...] | None, limit: int
) -> list[GenerationView]:
    """Return a page of the owner's finished generations, newest first, before a position."""
    moment, place = before if before else (ALWAYS, "")
    rows = await own.fetch(_PAGE[kind.name], own.person_id, naive(moment), place, limit)
    return [_generation(kind, row) for row in rows]


def _generation(kind: Kind, row: Any) -> GenerationView:
    return GenerationView(
        kind=kind,
        id=row["id"],
        prompt=row["prompt"],
        status=row["status"],
        job_status=_effective_status(row["job_status"], row["status"]),
        created_at=_utc(row["created_at"]),
        completed_at=_utc(row["completed_at"]),
        model=row["model"],
        size=row["size"],
        format=row["format"],
        style=row["style"],
        quality=row["quality"],
        origin=row["origin"],
        metadata=json.loads(row["metadata"]) if row["metadata"] else {},
        files=[FileView(**item) for item in json.loads(row["files"])],
        parent_id=row["parent_id"],
        retry_of=row["retry_of"],
        batch_id=row["batch_id"],
        favourite=row["favourite"],
        deleted_at=row["deleted_at"],
    )
