"""Every statement the notifier writes with: a delivery is a row before it is sent."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.runtime.database import Pool

# plan_deliveries: one row an endpoint and event, however often the event is heard.
PLAN_DELIVERIES = """
    INSERT INTO sorami.deliveries (id, endpoint, event_id, job_id, seq, type, payload)
    SELECT id, endpoint, event_id, job_id, seq, type, payload
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::jsonb[])
        AS given(id, endpoint, event_id, job_id, seq, type, payload)
    ON CONFLICT (endpoint, event_id) DO NOTHING
    RETURNING id
"""

# supersede_progress: an ending makes progress that was not sent yet pointless.
SUPERSEDE_PROGRESS = """
    UPDATE sorami.deliveries d SET state = 'superseded', finished_at = now()
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS ended(endpoint, job_id, seq)
    WHERE d.endpoint = ended.endpoint AND d.job_id = ended.job_id AND d.seq < ended.seq AND d.state = 'pending'
      AND (d.lease_until IS NULL OR d.lease_until < now())
"""

# claim_deliveries: due ones, the oldest move of each job first.
CLAIM_DELIVERIES = """
    WITH picked AS (
        SELECT d.id FROM sorami.deliveries d
        WHERE d.state = 'pending' AND d.next_attempt_at <= now()
          AND (d.lease_until IS NULL OR d.lease_until < now())
          AND NOT EXISTS (SELECT FROM sorami.deliveries e WHERE e.endpoint = d.endpoint AND e.job_id = d.job_id
                          AND e.state = 'pending' AND e.seq < d.seq)
        ORDER BY d.next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    UPDATE sorami.deliveries d
    SET lease_until = now() + $2 * interval '1 second', fence = d.fence + 1, attempts = d.attempts + 1
    FROM picked WHERE d.id = picked.id
    RETURNING d.id, d.endpoint, d.event_id, d.job_id, d.payload, d.attempts, d.fence
"""

SETTLE_DELIVERY = """
    WITH settled AS (
        UPDATE sorami.deliveries SET state = $3, lease_until = NULL,
               next_attempt_at = CASE WHEN $3 = 'pending' THEN now() + $4 * interval '1 second'
                                      ELSE next_attempt_at END,
               finished_at = CASE WHEN $3 <> 'pending' THEN now() END
        WHERE id = $1 AND fence = $2 AND state = 'pending'
        RETURNING id, attempts
    )
    INSERT INTO sorami.delivery_attempts (delivery_id, attempt, status_code, error, duration_ms, answer)
    SELECT id, attempts, $5, $6, $7, $8 FROM settled ON CONFLICT DO NOTHING
"""

# unplanned_endings: endings of the last day that got no delivery, since this endpoint has been in use.
UNPLANNED_ENDINGS = """
    SELECT e.data FROM sorami.job_events e
    WHERE e.at < now() - $2 * interval '1 second' AND e.at > now() - interval '1 day'
      AND e.at > coalesce((SELECT min(d.created_at) FROM sorami.deliveries d WHERE d.endpoint = $1), 'infinity')
      AND e.data->>'kind' = $3 AND e.data->>'status' IN ('COMPLETED', 'FAILED', 'CANCELLED')
      AND NOT EXISTS (SELECT FROM sorami.deliveries d
                      WHERE d.endpoint = $1 AND d.event_id = e.job_id || '/job.updated.v1/' || e.seq)
    ORDER BY e.at LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery as it is planned."""

    id: str
    endpoint: str
    event_id: str
    job_id: str
    seq: int
    type: str
    payload: str
    ends_job: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery this process holds a lease on."""

    id: str
    endpoint: str
    event_id: str
    job_id: str
    payload: dict[str, Any]
    attempts: int
    fence: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt."""

    status_code: int | None
    error: str | None
    duration_ms: int
    answer: str | None


async def plan(pool: Pool, deliveries: Sequence[NewDelivery]) -> int:
    """Insert planned deliveries and return how many were new."""
    columns = [
        [getattr(d, name) for d in deliveries]
        for name in ("id", "endpoint", "event_id", "job_id", "seq", "type", "payload")
    ]
    rows = await pool.fetch(PLAN_DELIVERIES, *columns)
    endings = [d for d in deliveries if d.ends_job]
    if endings:
        await pool.execute(
            SUPERSEDE_PROGRESS,
            [d.endpoint for d in endings],
            [d.job_id for d in endings],
            [d.seq for d in endings],
        )
    return len(rows)


async def claim(pool: Pool, most: int, lease_seconds: float) -> list[Delivery]:
    """Lease due deliveries."""
    rows = await pool.fetch(CLAIM_DELIVERIES, most, lease_seconds)
    return [Delivery(**{**dict(row), "payload": json.loads(row["payload"])}) for row in rows]


async def settle(pool: Pool, delivery: Delivery, state: str, retry_after: float, attempt: Attempt) -> None:
    """Write down an attempt and what becomes of the delivery; nothing when another worker holds it now."""
    await pool.execute(
        SETTLE_DELIVERY,
        delivery.id,
        delivery.fence,
        state,
        retry_after,
        attempt.status_code,
        attempt.error,
        attempt.duration_ms,
        attempt.answer,
    )


async def unplanned_endings(pool: Pool, endpoint: str, kind: str, older_than_seconds: float) -> list[str]:
    """Return the events of endings that this endpoint was not told."""
    rows = await pool.fetch(UNPLANNED_ENDINGS, endpoint, older_than_seconds, kind)
    return [row["data"] for row in rows]
