"""Deliveries and attempts as an endpoint's owner reads them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.runtime.database import Pool

_COLUMNS = """d.id, d.event_id, d.type, d.job_id, d.kind, d.state, d.attempts, d.created_at, d.finished_at, d.url,
    CASE WHEN d.state = 'pending' THEN d.next_attempt_at END AS next_attempt_at, d.sent_at"""
_LAST = """LEFT JOIN LATERAL (SELECT a.status_code, a.error FROM sorami.delivery_attempts a
    WHERE a.delivery_id = d.id ORDER BY a.attempt DESC LIMIT 1) a ON true"""

_PAGE = f"""
    SELECT {_COLUMNS}, a.status_code, a.error FROM sorami.deliveries d {_LAST}
    WHERE d.endpoint = $1 AND ($2::text IS NULL OR d.state = $2) AND ($3::text IS NULL OR d.type = $3)
      AND ($4::timestamptz IS NULL OR d.created_at >= $4)
      AND ($5::text IS NULL OR d.job_id = $5)
      AND ($6::timestamptz IS NULL OR (d.created_at, d.id) < ($6, $7))
    ORDER BY d.created_at DESC, d.id DESC LIMIT $8
"""  # noqa: S608 - constants
_ONE = f"""
    SELECT {_COLUMNS}, a.status_code, a.error, d.payload FROM sorami.deliveries d {_LAST}
    WHERE d.endpoint = $1 AND d.id = $2
"""  # noqa: S608 - constants
_ATTEMPTS = """
    SELECT attempt, at, status_code, error, duration_ms, answer FROM sorami.delivery_attempts
    WHERE delivery_id = $1 ORDER BY attempt
"""
_STATES = """
    SELECT state, count(*) AS n FROM sorami.deliveries WHERE endpoint = $1 AND created_at >= $2 GROUP BY state
"""
_TIMES = """
    SELECT count(*) AS attempts, count(*) FILTER (WHERE a.status_code BETWEEN 200 AND 299) AS taken,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY a.duration_ms) AS p50_ms,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY a.duration_ms) AS p95_ms
    FROM sorami.deliveries d JOIN sorami.delivery_attempts a ON a.delivery_id = d.id
    WHERE d.endpoint = $1 AND d.created_at >= $2
"""


async def page(
    pool: Pool,
    endpoint_id: str,
    filters: tuple[str | None, str | None, datetime | None, str | None],
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return deliveries of an endpoint, the newest first; `filters` are state, type, since and job."""
    position = after or (None, None)
    return [dict(row) for row in await pool.fetch(_PAGE, endpoint_id, *filters, *position, limit)]


async def one(pool: Pool, endpoint_id: str, delivery_id: str) -> dict[str, Any] | None:
    """Return a delivery with its payload and attempts."""
    row = await pool.fetchrow(_ONE, endpoint_id, delivery_id)
    if row is None:
        return None
    attempts = [dict(attempt) for attempt in await pool.fetch(_ATTEMPTS, delivery_id)]
    return {**dict(row), "payload": json.loads(row["payload"]), "log": attempts}


async def statistics(pool: Pool, endpoint_id: str, since: datetime) -> dict[str, Any]:
    """Count what was planned since then by state, and how attempts went; durations in milliseconds."""
    states = {row["state"]: row["n"] for row in await pool.fetch(_STATES, endpoint_id, since)}
    return {"states": states, **dict(await pool.fetchrow(_TIMES, endpoint_id, since) or {})}


# Counted up to a bound: a million of them must not slow whoever looks.
_MOST_COUNTED = 10_000
_BACKLOG = f"""
    SELECT (SELECT count(*) FROM (SELECT FROM sorami.deliveries WHERE state = 'pending' LIMIT {_MOST_COUNTED}) few)
               AS pending,
           coalesce((SELECT extract(epoch FROM now() - d.next_attempt_at)::float8
                     FROM sorami.deliveries d LEFT JOIN sorami.webhook_endpoints e ON e.id = d.endpoint
                     WHERE d.state = 'pending' AND d.next_attempt_at <= now()
                       AND (d.endpoint LIKE 'legacy:%' OR (e.state = 'enabled' AND e.failing_since IS NULL
                            AND e.throttle_per_second IS NULL AND NOT e.ordered))
                     ORDER BY d.next_attempt_at LIMIT 1), 0) AS oldest_due_seconds,
           count(*) FILTER (WHERE state = 'enabled' AND failing_since IS NULL) AS enabled,
           count(*) FILTER (WHERE state = 'enabled' AND failing_since IS NOT NULL) AS failing,
           count(*) FILTER (WHERE state = 'disabled') AS disabled
    FROM sorami.webhook_endpoints
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits to be delivered (counted up to 10,000), how late it is, and how receivers fare."""

    pending: int
    oldest_due_seconds: float
    enabled: int
    failing: int
    disabled: int


async def backlog(pool: Pool) -> Backlog:
    """Return how far deliveries are."""
    return Backlog(**dict(await pool.fetchrow(_BACKLOG) or {}))
