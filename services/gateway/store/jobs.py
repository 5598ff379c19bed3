"""Jobs, generations and the events that ask for them: the gateway inserts them and can never update one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from contracts.cloudevents import Record, outbox_headers
from contracts.kinds import KINDS, Kind
from services.runtime.database import Connection, Pool
from services.runtime.outbox import OutboxRow

KEY_HOURS = 24
"""Hours for which an idempotency key stands for its first answer."""


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """What is kept under an idempotency key: enough to give the first answer again, whatever became of its jobs."""

    key: str
    request_hash: str
    batch_id: str | None
    language: str
    jobs: Sequence[Mapping[str, str | None]]
    """Of each job its job_id, kind, parent_id and retry_of."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked for; 0 is no limit."""

    user_per_minute: int = 0
    organization_per_minute: int = 0
    open_jobs: int = 0


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as it is inserted: its row, its generation and the record that asks for it. Deadlines are in seconds."""

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
    record: Record | None
    start_within: float | None = None
    finish_within: float | None = None
    priority: int = 0
    batch_id: str | None = None
    parent_id: str | None = None
    retry_of: str | None = None
    webhook: Mapping[str, Any] | None = None
    """Where the job itself wants to be told, `url`, and of what, `event_types`."""
    claim: KeyClaim | None = None


def _insert_generations(kind: Kind) -> str:
    numbers = "".join(f', "{number.column}"' for number in kind.numbers)
    values = "".join(f", (a.numbers->>'{n.name}')::{'int' if n.whole else 'double precision'}" for n in kind.numbers)
    return f"""
    {kind.generations_table}_made AS (
        INSERT INTO {kind.generations_table} (id, prompt, "inputImageUrl", "{kind.count_column}", size, format, style,
               quality, model, "authorId", "organizationId"{numbers})
        SELECT a.id, a.prompt, a.input_image_url, a.count, a.size, a.format, a.style,
               a.quality, a.model, a.owner_id, a.organization_id{values}
        FROM admitted a JOIN fresh USING (id) WHERE a.kind = '{kind.name}'
        ON CONFLICT (id) DO NOTHING
    )"""  # noqa: S608 - names come from the declared kinds


def _made_already(kind: Kind) -> str:
    return f"EXISTS (SELECT FROM {kind.generations_table} t WHERE t.id = g.id)"


def _not_somebody_elses(kind: Kind) -> str:
    return f"""NOT EXISTS (SELECT FROM {kind.generations_table} t WHERE t.id = g.id
        AND NOT (g.kind = '{kind.name}' AND t."authorId" = g.owner_id AND t.status = 'PENDING'))"""


_KINDS = list(KINDS.values())
# Names of NewJob's fields with their types as columns.
_COLUMNS = {
    "id": "text",
    "kind": "text",
    "owner_id": "text",
    "organization_id": "text",
    "origin": "text",
    "prompt": "text",
    "model": "text",
    "provider": "text",
    "count": "int",
    "size": "text",
    "format": "text",
    "style": "text",
    "quality": "text",
    "input_image_url": "text",
    "request": "jsonb",
    "request_hash": "text",
    "numbers": "jsonb",
    "finish_within": "double precision",
}
# What few jobs have comes as one object, NULL for the rest: less to send and to take apart.
_EXTRA = ("start_within", "priority", "batch_id", "parent_id", "retry_of", "webhook")
_GIVEN = _COLUMNS | {"extra": "jsonb", "topic": "text", "value": "bytea", "headers": "jsonb"}
_UNNEST = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(_GIVEN.values(), 1))
_USER, _ORGANIZATION, _OPEN = (f"${len(_GIVEN) + place}::int" for place in (1, 2, 3))
_KEPT = f"now() - interval '{KEY_HOURS} hours'"
_MINUTE = "interval '1 minute'"

# insert_jobs: jobs, generations and outbox rows of a group in one statement, with the idempotency keys they came
# with and the shares of the limits they take. Shares, keys and jobs are each locked in order of their names, and in
# this order, so that two groups cannot deadlock. Outbox rows are made for jobs that were really inserted. A
# generation an application made is adopted while it is PENDING and of the same author.
# A key that another group is writing makes this statement wait for that group's answer; a share likewise, and what is
# counted after the wait sees the other's jobs (sorami.open_jobs has a snapshot of its own), so limits are exact.
INSERT_JOBS = f"""
    WITH candidates AS MATERIALIZED (
        SELECT g.*, g.extra->'claim'->>'key' AS key,
               {" OR ".join(_made_already(kind) for kind in _KINDS)} AS adopted
        FROM unnest({_UNNEST}) WITH ORDINALITY AS g({", ".join(_GIVEN)}, place)
        WHERE {" AND ".join(_not_somebody_elses(kind) for kind in _KINDS)}
          AND NOT EXISTS (SELECT FROM sorami.deletions d WHERE d.generation_id = g.id)
          AND NOT EXISTS (SELECT FROM sorami.jobs j WHERE j.id = g.id)
          AND (g.extra->'claim' IS NULL OR NOT EXISTS (
                SELECT FROM sorami.idempotency_keys k
                WHERE k.owner_id = g.owner_id AND k.key = g.extra->'claim'->>'key' AND k.created_at > {_KEPT}))
    ), shares AS (
        SELECT subject, count(*)::int AS asked, left(subject, 1) = 'u' AS of_user
        FROM (SELECT 'o:' || organization_id AS subject FROM candidates
              WHERE organization_id IS NOT NULL AND {_ORGANIZATION} > 0
              UNION ALL SELECT 'u:' || owner_id FROM candidates WHERE {_USER} > 0 OR {_OPEN} > 0) AS named
        GROUP BY subject
    ), counted AS (
        SELECT s.subject, s.asked, CASE WHEN s.of_user THEN nullif({_USER}, 0) ELSE {_ORGANIZATION} END AS most,
               CASE WHEN s.of_user THEN nullif({_OPEN}, 0) END AS most_open,
               -- Whoever is known has a ceiling, and is counted only when it is reached.
               CASE WHEN s.of_user AND {_OPEN} > 0
                         AND NOT EXISTS (SELECT FROM sorami.allowances a WHERE a.subject = s.subject)
                    THEN sorami.open_jobs(substr(s.subject, 3), {_OPEN}) ELSE 0 END AS open
        FROM shares s
    ), taken AS (
        INSERT INTO sorami.allowances AS a (subject, used, asked, granted, ceiling)
        SELECT c.subject, g.granted, c.asked, g.granted, c.open + g.granted
        FROM counted c, LATERAL (SELECT greatest(0, least(c.asked, c.most, c.most_open - c.open)) AS granted) AS g
        ORDER BY c.subject
        ON CONFLICT (subject) DO UPDATE SET (window_start, used, asked, granted, ceiling) = (
            SELECT w.start, w.used + g.granted, excluded.asked, g.granted, w.ceiling + g.granted
            FROM (SELECT CASE WHEN a.window_start > now() - {_MINUTE} THEN a.window_start ELSE now() END AS start,
                         CASE WHEN a.window_start > now() - {_MINUTE} THEN a.used ELSE 0 END AS used,
                         CASE WHEN left(a.subject, 1) = 'u' AND {_OPEN} > 0 AND a.ceiling + excluded.asked > {_OPEN}
                              THEN sorami.open_jobs(substr(a.subject, 3), {_OPEN}) ELSE a.ceiling END AS ceiling) AS w,
            LATERAL (SELECT greatest(0, least(excluded.asked,
                CASE WHEN left(a.subject, 1) = 'u' THEN nullif({_USER}, 0) ELSE {_ORGANIZATION} END - w.used,
                CASE WHEN left(a.subject, 1) = 'u' THEN nullif({_OPEN}, 0) - w.ceiling END)) AS granted) AS g)
        RETURNING a.subject, a.used, a.asked, a.granted, a.ceiling, a.window_start + {_MINUTE} - now() AS resets_in
    ), ranked AS (
        SELECT c.id, 'u:' || c.owner_id AS of_user, 'o:' || c.organization_id AS of_organization,
               row_number() OVER (PARTITION BY c.owner_id ORDER BY c.place) AS rank_of_user,
               row_number() OVER (PARTITION BY c.organization_id ORDER BY c.place) AS rank_of_organization
        FROM candidates c
    ), admitted AS MATERIALIZED (
        -- Who comes first is asked only where less was granted than was asked for.
        SELECT * FROM candidates
        WHERE NOT EXISTS (SELECT FROM (SELECT bool_or(granted < asked) AS short FROM taken) AS t WHERE t.short)
           OR id IN (SELECT r.id FROM ranked r
                     LEFT JOIN taken u ON u.subject = r.of_user LEFT JOIN taken o ON o.subject = r.of_organization
                     WHERE coalesce(r.rank_of_user <= u.granted, true)
                       AND coalesce(r.rank_of_organization <= o.granted, true))
    ), keyed AS (
        INSERT INTO sorami.idempotency_keys AS k (owner_id, key, request_hash, batch_id, language, jobs)
        SELECT owner_id, key, extra->'claim'->>'request_hash', extra->'claim'->>'batch_id',
               extra->'claim'->>'language', extra->'claim'->'jobs'
        FROM admitted WHERE key IS NOT NULL ORDER BY owner_id, key
        ON CONFLICT (owner_id, key) DO UPDATE
        SET request_hash = excluded.request_hash, batch_id = excluded.batch_id, language = excluded.language,
            jobs = excluded.jobs, created_at = excluded.created_at
        WHERE k.created_at <= {_KEPT}
        RETURNING k.owner_id, k.key
    ), fresh AS (
        INSERT INTO sorami.jobs (id, kind, owner_id, organization_id, origin, provider, model, request, request_hash,
               batch_id, parent_id, retry_of, priority, start_by, finish_by)
        SELECT id, kind, owner_id, organization_id, CASE WHEN adopted THEN 'application' ELSE origin END,
               provider, model, request, request_hash, extra->>'batch_id', extra->>'parent_id', extra->>'retry_of',
               coalesce((extra->>'priority')::smallint, 0),
               now() + (extra->>'start_within')::float8 * interval '1 second',
               now() + finish_within * interval '1 second'
        FROM admitted a
        WHERE a.key IS NULL OR (a.owner_id, a.key) IN (SELECT owner_id, key FROM keyed)
        ORDER BY id
        ON CONFLICT (id) DO NOTHING
        RETURNING id, created_at
    ), {",".join(_insert_generations(kind) for kind in _KINDS)},
    hooked AS (
        INSERT INTO sorami.job_webhooks (job_id, url, event_types)
        SELECT a.id, a.extra->'webhook'->>'url',
               -- What is asked for by name; NULL for all.
               CASE WHEN jsonb_typeof(a.extra->'webhook'->'event_types') = 'array'
                    THEN ARRAY(SELECT jsonb_array_elements_text(a.extra->'webhook'->'event_types')) END
        FROM admitted a JOIN fresh USING (id) WHERE a.extra ? 'webhook'
        ON CONFLICT (job_id) DO NOTHING
    ), sent AS (
        INSERT INTO sorami.outbox_gateway (topic, key, value, headers)
        SELECT a.topic, a.id, a.value, a.headers FROM admitted a JOIN fresh USING (id)
        WHERE a.topic IS NOT NULL ORDER BY a.id
        RETURNING id AS outbox_id, key
    )
    SELECT fresh.id, fresh.created_at, sent.outbox_id, NULL::int AS used, NULL::int AS ceiling,
           NULL::float8 AS resets_in
    FROM fresh LEFT JOIN sent ON sent.key = fresh.id
    UNION ALL SELECT subject, NULL, NULL, used, ceiling, extract(epoch FROM resets_in)::float8 FROM taken
    UNION ALL SELECT id, NULL, NULL, NULL, NULL, NULL FROM candidates
    WHERE EXISTS (SELECT FROM taken WHERE granted < asked) AND id NOT IN (SELECT id FROM admitted)
"""  # noqa: S608 - names come from the declared kinds


@dataclass(frozen=True, slots=True)
class Share:
    """What a user or an organisation has asked for in the running minute, which ends in `resets_in` seconds."""

    used: int
    resets_in: float
    ceiling: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: inserted (`created_at`), refused by a limit (`limited`), or known before (neither)."""

    id: str
    created_at: datetime | None
    outbox: OutboxRow | None
    limited: bool
    user: Share | None
    organization: Share | None


async def insert_jobs(
    connection: Pool | Connection, jobs: Sequence[NewJob], limits: Limits = NO_LIMITS
) -> dict[str, Outcome]:
    """Insert a group of jobs, each with another id and key, and return what became of each, by id."""
    given = [*_columns(jobs), limits.user_per_minute, limits.organization_per_minute, limits.open_jobs]
    made: dict[str, Any] = {}
    shares: dict[str, Share] = {}
    limited: set[str] = set()
    # Three sorts of rows: a job that was inserted, a share that was taken, a job that a limit refused.
    for row in await connection.fetch(INSERT_JOBS, *given):
        if row["used"] is not None:
            shares[row["id"]] = Share(row["used"], row["resets_in"], row["ceiling"])
        elif row["created_at"] is not None:
            made[row["id"]] = row
        else:
            limited.add(row["id"])
    return {job.id: _outcome(job, made.get(job.id), shares, job.id in limited) for job in jobs}


def _outcome(job: NewJob, row: Any, shares: Mapping[str, Share], limited: bool) -> Outcome:
    outbox = None
    if row is not None and row["outbox_id"] is not None and job.record is not None:
        record = job.record
        outbox = OutboxRow(row["outbox_id"], record.topic, record.key, record.value, record.headers)
    return Outcome(
        job.id,
        row["created_at"] if row is not None else None,
        outbox,
        limited,
        shares.get(f"u:{job.owner_id}"),
        shares.get(f"o:{job.organization_id}"),
    )


def _extra(job: NewJob) -> str | None:
    extra = {name: value for name in _EXTRA if (value := getattr(job, name))}
    if job.claim is not None:
        extra["claim"] = asdict(job.claim)
    return json.dumps(extra) if extra else None


def _columns(jobs: Sequence[NewJob]) -> list[list[Any]]:
    columns = {name: [getattr(job, name) for job in jobs] for name in _COLUMNS}
    columns["kind"] = [job.kind.name for job in jobs]
    records = [job.record for job in jobs]
    return [
        *columns.values(),
        [_extra(job) for job in jobs],
        [record.topic if record else None for record in records],
        [record.value if record else None for record in records],
        [outbox_headers(record.headers) if record else None for record in records],
    ]
