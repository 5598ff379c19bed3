"""Where a waiting job stands in line, who else waits, and how long jobs take."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.runtime.database import Pool

MOST_COUNTED = 1_000
"""Tasks that are counted before one: a longer line is told as this long."""
DURATIONS_OF = 500
"""How many of the last finished jobs tell how long jobs take."""

# What an owner's task waits behind among the owner's own, each line a range of tasks_line_idx and cut off; and where
# the owner's turn stands (and their organisation's), how far turns have come, and whether something keeps it waiting.
_PLACE = f"""
    SELECT t.state, t.provider, t.owner_id, coalesce(t.organization_id, '') AS organization_id, t.rests,
           extract(epoch FROM t.due_at - now())::float8 AS due_in,
           (SELECT coalesce(sum(n.ahead), 0)::int FROM sorami.lines o CROSS JOIN LATERAL (
               SELECT count(*) AS ahead FROM (
                   (SELECT FROM sorami.tasks a
                    WHERE a.state = 'queued' AND NOT a.rests AND a.provider = t.provider AND a.owner_id = t.owner_id
                      AND coalesce(a.organization_id, '') = o.organization_id AND a.kind = o.kind
                      AND coalesce(a.model, '') = o.model AND a.priority > t.priority LIMIT {MOST_COUNTED})
                   UNION ALL
                   (SELECT FROM sorami.tasks a
                    WHERE a.state = 'queued' AND NOT a.rests AND a.provider = t.provider AND a.owner_id = t.owner_id
                      AND coalesce(a.organization_id, '') = o.organization_id AND a.kind = o.kind
                      AND coalesce(a.model, '') = o.model AND a.priority = t.priority
                      AND (a.created_at, a.job_id) < (t.created_at, t.job_id) LIMIT {MOST_COUNTED})) AS first) AS n
            WHERE o.waiting AND o.provider = t.provider AND o.owner_id = t.owner_id
              AND o.organization_id = coalesce(t.organization_id, '')) AS ahead,
           own.place AS own_place, greatest(own.served_at, 'epoch') AS own_served_at,
           org.place AS org_place, greatest(org.served_at, 'epoch') AS org_served_at,
           coalesce((SELECT turn FROM sorami.turns c
                     WHERE c.provider = t.provider AND c.organization_id = ''), 0) AS now,
           coalesce((SELECT turn FROM sorami.turns c WHERE c.provider = t.provider AND t.organization_id <> ''
                     AND c.organization_id = t.organization_id), 0) AS org_now,
           EXISTS (SELECT FROM sorami.pauses p
                   WHERE p.scope = 'all' OR (p.scope = 'provider' AND p.name = t.provider)
                      OR (p.scope = 'kind' AND p.name = t.kind) OR (p.scope = 'model' AND p.name = t.model)) AS paused
    FROM sorami.tasks t
    LEFT JOIN sorami.lines own ON own.provider = t.provider AND own.owner_id = t.owner_id AND own.kind = t.kind
        AND own.organization_id = coalesce(t.organization_id, '') AND own.model = coalesce(t.model, '')
    LEFT JOIN sorami.lines org ON org.provider = t.provider AND org.organization_id = t.organization_id
        AND org.owner_id = '' AND org.kind = t.kind AND org.model = coalesce(t.model, '')
    WHERE t.job_id = $1
"""  # noqa: S608 - constants

# Everybody who waits, with their place among those they share with (an organisation's own row has owner ''), and how
# much they have queued: of many lines less is counted of each, since it is their number that makes the wait.
_WAITING = f"""
    WITH leaves AS (
        SELECT l.provider, l.organization_id, l.owner_id, l.place, l.served_at, l.kind, l.model FROM sorami.lines l
        WHERE l.waiting AND l.owner_id <> ''
    ), most AS (SELECT least({MOST_COUNTED}, 10 + 30000 / greatest(count(*), 1)) AS number FROM leaves)
    SELECT l.provider, l.organization_id, l.owner_id, max(l.place) AS place,
           greatest(max(l.served_at), 'epoch') AS served_at, sum(n.queued)::int AS queued
    FROM leaves l CROSS JOIN most CROSS JOIN LATERAL (
        SELECT count(*) AS queued FROM (
            SELECT FROM sorami.tasks t
            WHERE t.state = 'queued' AND NOT t.rests AND t.provider = l.provider AND t.owner_id = l.owner_id
              AND coalesce(t.organization_id, '') = l.organization_id AND t.kind = l.kind
              AND coalesce(t.model, '') = l.model LIMIT most.number) AS counted) AS n
    GROUP BY l.provider, l.organization_id, l.owner_id
    UNION ALL
    SELECT l.provider, l.organization_id, '', max(l.place), greatest(max(l.served_at), 'epoch'), 0 FROM sorami.lines l
    WHERE l.waiting AND l.owner_id = '' GROUP BY l.provider, l.organization_id
"""  # noqa: S608 - constants

_TURNS = "SELECT provider, organization_id, turn FROM sorami.turns"

_HANDS = """
    SELECT provider, count(*)::int AS at_work FROM sorami.tasks WHERE state IN ('running', 'waiting') GROUP BY provider
"""

# Since work began, not since it was asked for: what a job waited says nothing of how long the next one takes.
_DURATIONS = f"""
    SELECT kind, model, avg((metadata->>'generation_time_seconds')::float8) AS seconds
    FROM (SELECT kind, model, metadata FROM sorami.jobs
          WHERE completed_at IS NOT NULL ORDER BY completed_at DESC LIMIT {DURATIONS_OF}) AS latest
    WHERE jsonb_typeof(metadata->'generation_time_seconds') = 'number'
    GROUP BY kind, model
"""  # noqa: S608 - a constant

# queues: what each provider has to do, who does it, and which of them fail. A worker that gave no sign of life for half
# a minute is gone.
_QUEUES = """
    WITH work AS (
        SELECT provider, count(*) FILTER (WHERE state = 'queued') AS queued,
               count(*) FILTER (WHERE state = 'running') AS running,
               count(*) FILTER (WHERE state = 'waiting') AS waiting,
               extract(epoch FROM now() - min(created_at) FILTER (WHERE state = 'queued'))::float8 AS oldest_seconds
        FROM sorami.tasks WHERE state IN ('queued', 'running', 'waiting') GROUP BY provider
    ), hands AS (
        SELECT s.key AS provider, sum(s.value::int) AS slots
        FROM sorami.workers w, jsonb_each_text(w.slots) AS s
        WHERE w.seen_at > now() - interval '30 seconds' GROUP BY s.key
    ), failing AS (
        SELECT provider, bool_or(state = 'open') AS open FROM sorami.provider_health
        WHERE state <> 'closed' GROUP BY provider
    )
    SELECT provider, coalesce(queued, 0)::int AS queued, coalesce(running, 0)::int AS running,
           coalesce(waiting, 0)::int AS waiting, oldest_seconds, coalesce(slots, 0)::int AS slots,
           EXISTS (SELECT FROM sorami.pauses p
                   WHERE p.scope = 'all' OR (p.scope = 'provider' AND p.name = provider)) AS paused,
           -- The worst of the provider's own and of those of its models.
           CASE WHEN failing.open THEN 'open' WHEN failing.provider IS NOT NULL THEN 'half_open' ELSE 'closed' END
               AS breaker
    FROM work FULL JOIN hands USING (provider) FULL JOIN failing USING (provider) ORDER BY provider
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A task in its owner's line (`ahead` go before it there), and where the owner's turns stand.

    For a member of an organisation `own_place` is among its members and `org_place` the organisation's among all;
    `now` and `org_now` say how far turns have come there. A task that rests (`due_in` seconds) stands in no line.
    """

    state: str
    provider: str
    owner_id: str
    organization_id: str
    rests: bool
    due_in: float
    ahead: int
    own_place: float | None
    own_served_at: datetime | None
    org_place: float | None
    org_served_at: datetime | None
    now: float
    org_now: float
    paused: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits at a provider: a person, a member of an organisation, or an organisation (owner '')."""

    provider: str
    organization_id: str
    owner_id: str
    place: float
    served_at: datetime
    queued: int


@dataclass(frozen=True, slots=True)
class Queue:
    """What one provider has to do; `slots` are those of all workers that are there."""

    provider: str
    queued: int
    running: int
    waiting: int
    oldest_seconds: float | None
    slots: int
    paused: bool
    breaker: str


async def place_of(pool: Pool, job_id: str) -> Place | None:
    """Return where the job's task stands; None while no generator has taken it up."""
    row = await pool.fetchrow(_PLACE, job_id)
    return Place(**dict(row)) if row else None


async def all_waiting(pool: Pool) -> list[Waiting]:
    """Return everybody who waits."""
    return [Waiting(**dict(row)) for row in await pool.fetch(_WAITING)]


async def turns(pool: Pool) -> dict[tuple[str, str], float]:
    """Return how far turns have come, by provider and organisation ('' for those among all)."""
    return {(row["provider"], row["organization_id"]): row["turn"] for row in await pool.fetch(_TURNS)}


async def at_work(pool: Pool) -> dict[str, int]:
    """Return how many tasks of each provider are under way, here or there."""
    return {row["provider"]: row["at_work"] for row in await pool.fetch(_HANDS)}


async def durations(pool: Pool) -> dict[tuple[str, str | None], float]:
    """Return the mean seconds of recent jobs by kind and model."""
    rows: list[Any] = await pool.fetch(_DURATIONS)
    return {(row["kind"], row["model"]): row["seconds"] for row in rows}


async def queues(pool: Pool) -> list[Queue]:
    """Return what every provider has to do."""
    return [Queue(**dict(row)) for row in await pool.fetch(_QUEUES)]
