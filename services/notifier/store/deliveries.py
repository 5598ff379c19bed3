"""Deliveries: a row before anything is sent, leased to one sender at a time, settled with what came of each attempt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.runtime.database import Connection, Pool

# plan_deliveries: one row an endpoint and event, however often the event is heard. What is newer of a job makes
# progress that waits pointless; progress of a job goes out every half second at most.
PLAN_DELIVERIES = """
    WITH given AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                             $8::text[], $9::bool[], $10::bool[], $11::text[], $12::int[], $13::text[])
            AS g(id, endpoint, event_id, job_id, kind, seq, type, payload, supersedes, throttled, url, digest,
                 traceparent)
    ), pointless AS (
        UPDATE sorami.deliveries d SET state = 'superseded', finished_at = now()
        FROM given g
        WHERE g.supersedes AND d.endpoint = g.endpoint AND d.job_id = g.job_id AND d.seq < g.seq
          AND d.state = 'pending' AND d.type IN ('job.progress', 'job.updated')
          AND (d.lease_until IS NULL OR d.lease_until < now())
    )
    INSERT INTO sorami.deliveries (id, endpoint, event_id, job_id, kind, seq, type, payload, url, traceparent,
                                   next_attempt_at)
    SELECT g.id, g.endpoint, g.event_id, g.job_id, g.kind, g.seq, g.type, g.payload::jsonb, g.url, g.traceparent,
           CASE WHEN g.throttled THEN greatest(now(), (
               SELECT max(p.sent_at) + interval '500 milliseconds' FROM sorami.deliveries p
               WHERE p.endpoint = g.endpoint AND p.job_id = g.job_id AND p.type = 'job.progress'))
           -- The first is told at once; what comes soon after waits, to be told together.
           WHEN g.digest > 0 THEN greatest(now(), g.digest * interval '1 second' + (
               SELECT p.sent_at FROM sorami.deliveries p WHERE p.endpoint = g.endpoint AND p.sent_at IS NOT NULL
               ORDER BY p.created_at DESC, p.id DESC LIMIT 1))
           ELSE now() END
    FROM given g
    ON CONFLICT (endpoint, event_id) DO NOTHING
    RETURNING id
"""

# claim_deliveries: from endpoint to endpoint, each as far as it has room, so that one that hangs costs the others
# nothing. $1 slots, $2 lease seconds, $3 room of an endpoint, $4 that of a failing one, $5 and $6 what is being sent.
CLAIM_DELIVERIES = """
    WITH RECURSIVE waiting AS (
        (SELECT endpoint FROM sorami.deliveries WHERE state = 'pending' ORDER BY endpoint LIMIT 1)
        UNION ALL
        SELECT (SELECT d.endpoint FROM sorami.deliveries d
                WHERE d.state = 'pending' AND d.endpoint > w.endpoint ORDER BY d.endpoint LIMIT 1)
        FROM waiting w WHERE w.endpoint IS NOT NULL
    ), room AS (
        SELECT w.endpoint, coalesce(e.ordered, true) AS ordered, e.id IS NOT NULL AS throttles,
               least(CASE WHEN e.failing_since IS NULL THEN $3::int ELSE $4::int END, e.throttle_per_second)
               - coalesce(b.busy, 0) AS free
        FROM waiting w
        LEFT JOIN sorami.webhook_endpoints e ON e.id = w.endpoint
        LEFT JOIN unnest($5::text[], $6::int[]) AS b(endpoint, busy) ON b.endpoint = w.endpoint
        WHERE w.endpoint LIKE 'legacy:%' OR e.state = 'enabled'
    ), picked AS MATERIALIZED (
        SELECT d.id FROM room r CROSS JOIN LATERAL (
            SELECT c.id, c.next_attempt_at FROM sorami.deliveries c
            WHERE c.endpoint = r.endpoint AND c.state = 'pending' AND c.next_attempt_at <= now()
              AND (c.lease_until IS NULL OR c.lease_until < now())
              AND NOT (r.ordered AND EXISTS (
                  SELECT FROM sorami.deliveries e WHERE e.endpoint = c.endpoint AND e.job_id = c.job_id
                  AND e.state = 'pending' AND e.seq < c.seq))
              AND NOT (r.throttles AND c.type = 'job.progress' AND EXISTS (
                  SELECT FROM sorami.deliveries p WHERE p.endpoint = c.endpoint AND p.job_id = c.job_id
                  AND p.type = 'job.progress' AND p.id <> c.id AND p.sent_at > now() - interval '500 milliseconds'))
            ORDER BY c.next_attempt_at LIMIT greatest(r.free, 0) FOR UPDATE SKIP LOCKED) d
        ORDER BY d.next_attempt_at LIMIT $1
    )
    UPDATE sorami.deliveries d
    SET lease_until = now() + $2 * interval '1 second', fence = d.fence + 1, attempts = d.attempts + 1,
        tries = d.tries + 1, sent_at = now()
    FROM picked WHERE d.id = picked.id
    RETURNING d.id, d.endpoint, d.event_id, d.job_id, d.kind, d.type, d.payload::text AS payload, d.attempts, d.tries,
              d.fence, d.url, d.traceparent, extract(epoch FROM clock_timestamp())::float8 AS now,
              extract(epoch FROM clock_timestamp() - d.next_attempt_at)::float8 AS late
"""

NEXT_DUE = """
    SELECT extract(epoch FROM next_attempt_at - now())::float8 FROM sorami.deliveries
    WHERE state = 'pending' AND next_attempt_at > now() ORDER BY next_attempt_at LIMIT 1
"""

# settle_deliveries: a delivery that another worker holds by now is left alone; progress that failed is not tried
# again when something newer of its job is known.
SETTLE_DELIVERIES = """
    WITH given AS (
        SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::float8[], $5::int[], $6::text[], $7::int[],
                             $8::text[])
            AS g(id, fence, state, pause, status_code, error, duration_ms, answer)
    ), judged AS (
        SELECT g.*, CASE WHEN g.state = 'pending' AND d.type = 'job.progress' AND EXISTS (
                SELECT FROM sorami.deliveries n
                WHERE n.endpoint = d.endpoint AND n.job_id = d.job_id AND n.seq > d.seq)
            THEN 'superseded' ELSE g.state END AS becomes
        FROM given g JOIN sorami.deliveries d ON d.id = g.id
    ), settled AS (
        UPDATE sorami.deliveries d SET state = j.becomes, lease_until = NULL,
               next_attempt_at = CASE WHEN j.becomes = 'pending' THEN now() + j.pause * interval '1 second'
                                      ELSE d.next_attempt_at END,
               finished_at = CASE WHEN j.becomes <> 'pending' THEN now() END
        FROM judged j WHERE d.id = j.id AND d.fence = j.fence AND d.state = 'pending'
        RETURNING d.id, d.attempts, j.status_code, j.error, j.duration_ms, j.answer
    ), noted AS (
        INSERT INTO sorami.delivery_attempts (delivery_id, attempt, at, status_code, error, duration_ms, answer)
        SELECT id, attempts, now() - duration_ms * interval '1 millisecond', status_code, error, duration_ms, answer
        FROM settled ON CONFLICT DO NOTHING
    )
    SELECT id FROM settled
"""

# put_off: the attempt never took place, so it is not counted.
PUT_OFF = """
    UPDATE sorami.deliveries SET lease_until = NULL, attempts = attempts - 1, tries = tries - 1,
           next_attempt_at = now() + $3 * interval '1 second'
    WHERE id = $1 AND fence = $2 AND state = 'pending'
"""

DROP_PENDING = """
    UPDATE sorami.deliveries SET state = 'dropped', finished_at = now() WHERE endpoint = $1 AND state = 'pending'
"""

# resend: due now, whatever became of it before.
RESEND = """
    UPDATE sorami.deliveries SET state = 'pending', tries = 0, next_attempt_at = now(), finished_at = NULL
    WHERE id = $1 AND endpoint = $2 RETURNING id
"""

# resend_missed: what was given up or dropped; progress is of no use to anybody by now.
RESEND_MISSED = """
    UPDATE sorami.deliveries SET state = 'pending', tries = 0, next_attempt_at = now(), finished_at = NULL
    WHERE id IN (SELECT id FROM sorami.deliveries
                 WHERE endpoint = $1 AND created_at >= $2 AND state IN ('exhausted', 'dropped')
                   AND type NOT IN ('job.progress', 'job.updated')
                 ORDER BY created_at LIMIT $3)
    RETURNING id
"""

DUE_DELIVERIES = """
    SELECT count(*) FROM (SELECT FROM sorami.deliveries
                          WHERE finished_at < now() - $1 * interval '1 day' LIMIT 10000) few
"""
FORGET_DELIVERIES = """
    DELETE FROM sorami.deliveries WHERE id IN (
        SELECT id FROM sorami.deliveries WHERE finished_at < now() - $1 * interval '1 day'
        ORDER BY finished_at LIMIT 5000)
"""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery as it is planned; `supersedes` older progress of its job, `throttled` to one per half second."""

    id: str
    endpoint: str
    event_id: str
    job_id: str | None
    kind: str | None
    seq: int
    type: str
    payload: str
    supersedes: bool = False
    throttled: bool = False
    url: str | None = None
    """Where it goes, when its job brought the address."""
    digest: int = 0
    """Seconds between two messages to its endpoint; what comes between is told together."""
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery this process holds a lease on.

    `now` is the database's clock at the claim, in seconds, `late` how long it had been due; `tries` is where it stands
    in the schedule.
    """

    id: str
    endpoint: str
    event_id: str
    job_id: str | None
    kind: str | None
    type: str
    payload: str
    attempts: int
    tries: int
    fence: int
    now: float
    url: str | None = None
    traceparent: str | None = None
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt; `retry_after` is what the receiver asked for, in seconds."""

    status_code: int | None
    error: str | None
    duration_ms: int
    answer: str | None
    retry_after: float | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver took it."""
        return self.status_code is not None and 200 <= self.status_code < 300


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a delivery after an attempt; `pause` in seconds when it is tried again."""

    delivery: Delivery
    state: str
    pause: float
    attempt: Attempt


_PLANNED = (
    "id",
    "endpoint",
    "event_id",
    "job_id",
    "kind",
    "seq",
    "type",
    "payload",
    "supersedes",
    "throttled",
    "url",
    "digest",
    "traceparent",
)


async def plan(executor: Pool | Connection, deliveries: Sequence[NewDelivery]) -> int:
    """Insert planned deliveries and return how many were new."""
    if not deliveries:
        return 0
    columns = [[getattr(delivery, name) for delivery in deliveries] for name in _PLANNED]
    return len(await executor.fetch(PLAN_DELIVERIES, *columns))


async def claim(
    pool: Pool, most: int, lease_seconds: float, *, room: int, room_failing: int, busy: Mapping[str, int]
) -> list[Delivery]:
    """Lease due deliveries: `most` in all, of each endpoint as many as it has room beside those being sent."""
    rows = await pool.fetch(CLAIM_DELIVERIES, most, lease_seconds, room, room_failing, list(busy), list(busy.values()))
    return [Delivery(**dict(row)) for row in rows]


async def next_due(pool: Pool) -> float | None:
    """Return the seconds until the next delivery is due, or None."""
    seconds: float | None = await pool.fetchval(NEXT_DUE)
    return seconds


async def settle(pool: Pool, settlements: Sequence[Settlement]) -> list[bool]:
    """Write down attempts and what becomes of the deliveries; False for those that another worker holds now."""
    columns: list[list[Any]] = [
        [one.delivery.id for one in settlements],
        [one.delivery.fence for one in settlements],
        [one.state for one in settlements],
        [one.pause for one in settlements],
        [one.attempt.status_code for one in settlements],
        [one.attempt.error for one in settlements],
        [one.attempt.duration_ms for one in settlements],
        [one.attempt.answer for one in settlements],
    ]
    settled = {row["id"] for row in await pool.fetch(SETTLE_DELIVERIES, *columns)}
    return [one.delivery.id in settled for one in settlements]


async def put_off(pool: Pool, delivery: Delivery, seconds: float) -> None:
    """Give a lease back without having tried."""
    await pool.execute(PUT_OFF, delivery.id, delivery.fence, seconds)


async def resend(pool: Pool, endpoint: str, delivery_id: str) -> bool:
    """Make a delivery due now; False when the endpoint has none of this id."""
    return await pool.fetchval(RESEND, delivery_id, endpoint) is not None


async def resend_missed(pool: Pool, endpoint: str, since: Any, most: int) -> int:
    """Make what was given up or dropped since then due now, and return how many."""
    return len(await pool.fetch(RESEND_MISSED, endpoint, since, most))


def by_endpoint(deliveries: Iterable[Delivery]) -> dict[str, list[Delivery]]:
    """Group deliveries by endpoint, in order."""
    grouped: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        grouped.setdefault(delivery.endpoint, []).append(delivery)
    return grouped
