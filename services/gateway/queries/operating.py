"""What operators look at: dead letters, parked reports, outboxes."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.runtime.database import Pool
from services.runtime.outbox import table_of

SERVICES = ("gateway", "generator", "persistence", "notifier")

_LETTER = """
    topic, partition, "offset", consumer, key, reason, detail, at, octet_length(value) AS size_bytes,
    resolution, resolved_at, resolved_by
"""


def _letters(state: str) -> str:
    return f"""
    SELECT {_LETTER} FROM sorami.dead_letters
    WHERE ($1::text IS NULL OR topic = $1) AND ($2::text IS NULL OR consumer = $2) AND {state}
      AND ($3::timestamptz IS NULL
           OR (at, topic, partition, "offset", consumer) < ($3, $4::text, $5::int, $6::bigint, $7::text))
    ORDER BY at DESC, topic DESC, partition DESC, "offset" DESC, consumer DESC LIMIT $8
    """  # noqa: S608 - constant parts only


LETTERS_BY_STATE = {
    "open": _letters("resolution IS NULL"),
    "replayed": _letters("resolution = 'replayed'"),
    "discarded": _letters("resolution = 'discarded'"),
    "all": _letters("true"),
}
LETTER = f"""
    SELECT {_LETTER}, value, headers FROM sorami.dead_letters
    WHERE topic = $1 AND partition = $2 AND "offset" = $3 AND consumer = $4
"""  # noqa: S608 - constant parts only

_ORPHAN = "id, kind, job_id, status, payload, reason, received_at, resolution, resolved_at, resolved_by"


def _orphans(state: str) -> str:
    return f"""
    SELECT {_ORPHAN} FROM sorami.orphans
    WHERE ($1::timestamptz IS NULL OR (received_at, id) < ($1, $2::text)) AND {state}
    ORDER BY received_at DESC, id DESC LIMIT $3
    """  # noqa: S608 - constant parts only


ORPHANS_BY_STATE = {
    "open": _orphans("resolution IS NULL"),
    "assigned": _orphans("resolution = 'assigned'"),
    "discarded": _orphans("resolution = 'discarded'"),
    "all": _orphans("true"),
}
ORPHAN = f"SELECT {_ORPHAN} FROM sorami.orphans WHERE id = $1"  # noqa: S608 - constant parts only

# Counted up to a bound: an outbox of a million rows must not slow the page that tells of it.
MOST_COUNTED = 10_000
OUTBOXES = " UNION ALL ".join(
    f"""SELECT '{service}' AS service,
               (SELECT count(*) FROM (SELECT FROM {table_of(service)} LIMIT {MOST_COUNTED}) few) AS waiting,
               (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM {table_of(service)}
                ORDER BY id LIMIT 1) AS oldest_seconds"""  # noqa: S608 - names of ours
    for service in SERVICES
)
OPEN_COUNTS = f"""
    SELECT (SELECT count(*) FROM (SELECT FROM sorami.dead_letters WHERE resolution IS NULL LIMIT {MOST_COUNTED}) few)
               AS dead_letters,
           (SELECT count(*) FROM (SELECT FROM sorami.orphans WHERE resolution IS NULL LIMIT {MOST_COUNTED}) few)
               AS orphans
"""  # noqa: S608 - constant parts only


@dataclass(frozen=True, slots=True)
class LetterView:
    """A dead letter without its content."""

    topic: str
    partition: int
    offset: int
    consumer: str
    key: str | None
    reason: str
    detail: str | None
    at: datetime
    size_bytes: int | None
    resolution: str | None
    resolved_at: datetime | None
    resolved_by: str | None


@dataclass(frozen=True, slots=True)
class OrphanView:
    """A report that nobody could be given; `payload` is the webhook's body as it came."""

    id: str
    kind: str
    job_id: str
    status: str
    payload: dict[str, Any]
    reason: str
    received_at: datetime
    resolution: str | None
    resolved_at: datetime | None
    resolved_by: str | None


@dataclass(frozen=True, slots=True)
class OutboxView:
    """How much waits in a service's outbox (counted up to MOST_COUNTED), and how long the oldest has waited."""

    service: str
    waiting: int
    oldest_seconds: float | None


async def letters(
    pool: Pool,
    state: str,
    *,
    topic: str | None,
    consumer: str | None,
    after: tuple[datetime, str, int, int, str] | None,
    limit: int,
) -> list[LetterView]:
    """Return dead letters in this state, newest first."""
    place = after or (None,) * 5
    rows = await pool.fetch(LETTERS_BY_STATE[state], topic, consumer, *place, limit)
    return [LetterView(**dict(row)) for row in rows]


WholeLetter = tuple[LetterView, bytes, dict[str, str]]
"""A dead letter, its value and its headers."""


async def letter(pool: Pool, place: tuple[str, int, int, str]) -> WholeLetter | None:
    """Return one dead letter with its value and headers."""
    row = await pool.fetchrow(LETTER, *place)
    if row is None:
        return None
    found = dict(row)
    value, headers = found.pop("value"), found.pop("headers")
    return LetterView(**found), value or b"", json.loads(headers) if headers else {}


async def orphans(pool: Pool, state: str, *, after: tuple[datetime, str] | None, limit: int) -> list[OrphanView]:
    """Return parked reports in this state, newest first."""
    rows = await pool.fetch(ORPHANS_BY_STATE[state], *(after or (None, None)), limit)
    return [_orphan(row) for row in rows]


async def orphan(pool: Pool, orphan_id: str) -> OrphanView | None:
    """Return one parked report."""
    row = await pool.fetchrow(ORPHAN, orphan_id)
    return _orphan(row) if row is not None else None


def _orphan(row: Any) -> OrphanView:
    return OrphanView(**{**dict(row), "payload": json.loads(row["payload"])})


async def outboxes(pool: Pool) -> list[OutboxView]:
    """Return how far each service's outbox is."""
    return [OutboxView(**dict(row)) for row in await pool.fetch(OUTBOXES)]


async def open_counts(pool: Pool) -> tuple[int, int]:
    """Return how many dead letters and parked reports wait for an operator."""
    row = await pool.fetchrow(OPEN_COUNTS)
    return (row["dead_letters"], row["orphans"]) if row is not None else (0, 0)
