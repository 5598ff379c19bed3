"""What waits, what is stuck and who works, from the rows."""

from collections.abc import Sequence
from typing import Any

from services.runtime.database import Pool
from services.runtime.outbox import table_of
from sorami.doctor.findings import Finding, bad, look, ok

SERVICES = ("gateway", "generator", "persistence", "notifier")
OUTBOX_LOOK, OUTBOX_BAD = 20.0, 60.0
"""Seconds: the sweeper takes rows from 15 on, so older ones mean that Kafka does not take them."""
LATE_DELIVERY = 120.0
LATE_TASK = 900.0
RUNBOOKS = "docs/operating/runbooks"

_OUTBOXES = " UNION ALL ".join(
    f"""SELECT '{service}' AS service, (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8
        FROM {table_of(service)} ORDER BY id LIMIT 1) AS seconds"""  # noqa: S608 - names of ours
    for service in SERVICES
)
_WORKERS = """
    SELECT count(*) FILTER (WHERE seen_at > now() - interval '30 seconds')::int AS here,
           count(*) FILTER (WHERE seen_at <= now() - interval '30 seconds')::int AS gone FROM sorami.workers
"""
_WAITING = """
    SELECT t.provider, count(*)::int AS tasks,
           extract(epoch FROM now() - min(t.due_at) FILTER (WHERE t.due_at <= now()))::float8 AS waited,
           EXISTS (SELECT FROM sorami.workers w
                   WHERE w.seen_at > now() - interval '30 seconds' AND w.slots ? t.provider) AS has_worker,
           EXISTS (SELECT FROM sorami.pauses p WHERE p.scope = 'all' OR (p.scope = 'provider' AND p.name = t.provider))
               AS paused
    FROM sorami.tasks t WHERE t.state = 'queued' GROUP BY t.provider ORDER BY t.provider
"""
_ABANDONED = """
    SELECT count(*)::int FROM sorami.tasks WHERE state = 'running' AND lease_until < now() - interval '1 minute'
"""
_BREAKERS = """
    SELECT provider, model, state, last_failure_code FROM sorami.provider_health WHERE state <> 'closed' ORDER BY 1, 2
"""
_PAUSES = "SELECT scope, name, reason FROM sorami.pauses ORDER BY paused_at"
_OPEN = """
    SELECT (SELECT count(*) FROM (SELECT FROM sorami.dead_letters WHERE resolution IS NULL LIMIT 10000) few)::int
               AS letters,
           (SELECT count(*) FROM (SELECT FROM sorami.orphans WHERE resolution IS NULL LIMIT 10000) few)::int
               AS orphans,
           (SELECT count(*) FROM (SELECT FROM sorami.deletions WHERE purged_at IS NULL
                AND purge_after < now() - interval '1 hour' LIMIT 10000) few)::int AS purges,
           (SELECT extract(epoch FROM now() - d.next_attempt_at)::float8
            FROM sorami.deliveries d LEFT JOIN sorami.webhook_endpoints e ON e.id = d.endpoint
            WHERE d.state = 'pending' AND d.next_attempt_at <= now()
              AND (d.endpoint LIKE 'legacy:%' OR (e.state = 'enabled' AND e.failing_since IS NULL
                   AND e.throttle_per_second IS NULL AND NOT e.ordered))
            ORDER BY d.next_attempt_at LIMIT 1) AS late
"""


async def examine_work(pool: Pool) -> list[Finding]:
    """Ask the rows."""
    open_ = await pool.fetchrow(_OPEN)
    return [
        *_outboxes(await pool.fetch(_OUTBOXES)),
        *_workers(await pool.fetchrow(_WORKERS)),
        *_tasks(await pool.fetch(_WAITING), await pool.fetchval(_ABANDONED)),
        *_breakers(await pool.fetch(_BREAKERS)),
        *_pauses(await pool.fetch(_PAUSES)),
        *_decisions(open_),
    ]


def _outboxes(rows: Sequence[Any]) -> list[Finding]:
    found = []
    for row in rows:
        seconds = row["seconds"] or 0.0
        says = f"events of the {row['service']} have waited {seconds:.0f} s for Kafka"
        if seconds > OUTBOX_BAD:
            found.append(bad("outbox", says, f"{RUNBOOKS}/SoramiOutboxOld.md"))
        elif seconds > OUTBOX_LOOK:
            found.append(look("outbox", says, "look again in a minute: the sweeper takes what is older than 15 s"))
    return found or [ok("outbox", "nothing waits for Kafka")]


def _workers(row: Any) -> list[Finding]:
    if row["here"] == 0:
        return [bad("workers", "no generator has given a sign of life for 30 s", "start one, and read its log")]
    if row["gone"]:
        says = f"{row['here']} are here, {row['gone']} went without a word"
        return [look("workers", says, "they were killed: see why")]
    return [ok("workers", f"{row['here']} here")]


def _tasks(rows: Sequence[Any], abandoned: int) -> list[Finding]:
    found = []
    if abandoned:
        says = f"{abandoned} tasks are nobody's: their leases ran out a minute ago"
        found.append(bad("tasks", says, f"{RUNBOOKS}/SoramiTasksAbandoned.md"))
    for row in rows:
        says = f"{row['tasks']} wait for {row['provider']}"
        if not row["has_worker"]:
            do = "start a generator that runs it: its key or address, and SORAMI_GENERATOR_PROVIDERS"
            found.append(bad("tasks", f"{says}, which no generator runs", do))
        elif (row["waited"] or 0.0) > LATE_TASK and not row["paused"]:
            found.append(
                look("tasks", f"{says}, the oldest for {row['waited']:.0f} s", f"{RUNBOOKS}/SoramiJobsWait.md")
            )
    return found or [ok("tasks", "none waits long")]


def _breakers(rows: Sequence[Any]) -> list[Finding]:
    found = [
        look(
            "breakers",
            f"{' '.join(filter(None, (row['provider'], row['model'])))} gets no work: {row['last_failure_code']}",
            f"{RUNBOOKS}/SoramiProviderFailing.md",
        )
        for row in rows
    ]
    return found or [ok("breakers", "no provider fails")]


def _pauses(rows: Sequence[Any]) -> list[Finding]:
    found = []
    for row in rows:
        what = " ".join(filter(None, (row["scope"], row["name"])))
        why = f": {row['reason']}" if row["reason"] else ""
        found.append(look("pauses", f"{what} is paused{why}", f"sorami admin resume {what}"))
    return found


def _decisions(row: Any) -> list[Finding]:
    found = []
    if row["letters"]:
        found.append(look("dead letters", f"{row['letters']} wait for a decision", "sorami admin dead-letters list"))
    if row["orphans"]:
        found.append(look("orphans", f"{row['orphans']} reports are nobody's", "sorami admin orphans list"))
    if row["purges"]:
        found.append(
            look("purges", f"{row['purges']} deleted generations are still there", f"{RUNBOOKS}/SoramiPurgesLate.md")
        )
    if (row["late"] or 0.0) > LATE_DELIVERY:
        says = f"a webhook whose receiver is well is {row['late']:.0f} s late"
        found.append(look("deliveries", says, f"{RUNBOOKS}/SoramiDeliveriesLate.md"))
    return found or [ok("decisions", "no dead letters, nothing parked, nothing late")]
