"""Jobs, generations and the events that ask for them: the gateway inserts them and can never update one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.cloudevents import Record, outbox_headers
from contracts.kinds import KINDS, Kind
from services.runtime.database import Connection, Pool
from services.runtime.outbox import OutboxRow


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as it is inserted: its row, its generation and the record that asks for it."""

    id: str
    kind: Kind
    owner_id: str
    organization_id: str | None
    origin: str
    prompt: str
    model: str | None
    provider: str | None
    count: int
    size: str
    format: str
    style: str | None
    quality: str
    input_image_url: str | None
    request: str
    request_hash: str
    numbers: str
    finish_by: datetime | None
    record: Record | None


def _insert_generations(kind: Kind) -> str:
    numbers = "".join(f', "{number.column}"' for number in kind.numbers)
    values = "".join(f", (a.numbers->>'{n.name}')::{'int' if n.whole else 'double precision'}" for n in kind.numbers)
    return f"""
    {kind.generations_table}_made AS (
        INSERT INTO {kind.generations_table} (id, prompt, "inputImageUrl", "{kind.count_column}", size, format, style,
               quality, model, "authorId", "organizationId"{numbers})
        SELECT a.id, a.prompt, a.input_image_url, a.count, a.size, a.format, a.style,
               a.quality, a.model, a.owner_id, a.organization_id{values}
        FROM admissible a JOIN fresh USING (id) WHERE a.kind = '{kind.name}'
        ON CONFLICT (id) DO NOTHING
    )"""  # noqa: S608 - names come from the declared kinds


def _made_already(kind: Kind) -> str:
    return f"EXISTS (SELECT FROM {kind.generations_table} t WHERE t.id = g.id)"


def _not_somebody_elses(kind: Kind) -> str:
    return f"""NOT EXISTS (SELECT FROM {kind.generations_table} t WHERE t.id = g.id
        AND NOT (g.kind = '{kind.name}' AND t."authorId" = g.owner_id AND t.status = 'PENDING'))"""


_KINDS = list(KINDS.values())

# insert_jobs: jobs, generations and outbox rows of a group in one statement. Rows go in by id, so that two groups
# cannot deadlock; outbox rows are made for jobs that were really inserted. A generation an application made
# is adopted while it is PENDING and of the same author.
INSERT_JOBS = f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::int[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::jsonb[],
            $16::text[], $17::jsonb[], $18::timestamptz[], $19::text[], $20::bytea[], $21::jsonb[])
            AS g(id, kind, owner_id, organization_id, origin, prompt, model, provider, count, size, format, style,
                 quality, input_image_url, request, request_hash, numbers, finish_by, topic, value, headers)
    ), admissible AS (
        SELECT g.*, {" OR ".join(_made_already(kind) for kind in _KINDS)} AS adopted
        FROM given g
        WHERE {" AND ".join(_not_somebody_elses(kind) for kind in _KINDS)}
          AND NOT EXISTS (SELECT FROM sorami.deletions d WHERE d.generation_id = g.id)
    ), fresh AS (
        INSERT INTO sorami.jobs (id, kind, owner_id, organization_id, origin, provider, model, request,
               request_hash, finish_by)
        SELECT id, kind, owner_id, organization_id, CASE WHEN adopted THEN 'application' ELSE origin END,
               provider, model, request, request_hash, finish_by
        FROM admissible ORDER BY id
        ON CONFLICT (id) DO NOTHING
        RETURNING id, created_at
    ), {",".join(_insert_generations(kind) for kind in _KINDS)},
    sent AS (
        INSERT INTO sorami.outbox_gateway (topic, key, value, headers)
        SELECT a.topic, a.id, a.value, a.headers FROM admissible a JOIN fresh USING (id)
        WHERE a.topic IS NOT NULL ORDER BY a.id
        RETURNING id AS outbox_id, key
    )
    SELECT fresh.id, fresh.created_at, sent.outbox_id FROM fresh LEFT JOIN sent ON sent.key = fresh.id
"""  # noqa: S608 - names come from the declared kinds


@dataclass(frozen=True, slots=True)
class Inserted:
    """A job that was really inserted, with its row of the outbox when it has one."""

    id: str
    created_at: datetime
    outbox: OutboxRow | None


async def insert_jobs(connection: Pool | Connection, jobs: Sequence[NewJob]) -> dict[str, Inserted]:
    """Insert a group of jobs and return those that were new, by id."""
    rows = await connection.fetch(INSERT_JOBS, *_columns(jobs))
    records = {job.id: job.record for job in jobs}
    return {
        row["id"]: Inserted(row["id"], row["created_at"], _outbox_row(row["outbox_id"], records[row["id"]]))
        for row in rows
    }


def _outbox_row(outbox_id: int | None, record: Record | None) -> OutboxRow | None:
    if outbox_id is None or record is None:
        return None
    return OutboxRow(outbox_id, record.topic, record.key, record.value, record.headers)


def _columns(jobs: Sequence[NewJob]) -> list[list[Any]]:
    ordered = sorted(jobs, key=lambda job: job.id)
    names = [
        "id",
        "kind",
        "owner_id",
        "organization_id",
        "origin",
        "prompt",
        "model",
        "provider",
        "count",
        "size",
        "format",
        "style",
        "quality",
        "input_image_url",
        "request",
        "request_hash",
        "numbers",
        "finish_by",
    ]
    columns = [[getattr(job, name) for job in ordered] for name in names]
    columns[1] = [job.kind.name for job in ordered]
    records = [job.record for job in ordered]
    return [
        *columns,
        [record.topic if record else None for record in records],
        [record.value if record else None for record in records],
        [outbox_headers(record.headers) if record else None for record in records],
    ]
