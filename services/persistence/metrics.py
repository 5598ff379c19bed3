"""What persistence counts."""

from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from services.persistence.store.backlog import backlog
from services.runtime.database import Pool
from services.runtime.metrics import REGISTRY, SLOW

JOBS_ENDED = Counter(
    "sorami_jobs_ended",
    "Jobs that ended, with the code of the failure.",
    ["kind", "status", "failure"],
    registry=REGISTRY,
)
JOB_SECONDS = Histogram(
    "sorami_job_seconds", "Time from the request to COMPLETED.", ["kind"], buckets=SLOW, registry=REGISTRY
)
FILES_STORED = Counter("sorami_files_stored", "Files of completed jobs.", ["kind"], registry=REGISTRY)
RESENT = Counter(
    "sorami_events_resent", "Events sent again because nobody reacted to them for a minute.", registry=REGISTRY
)
JOBS_OPEN = Gauge(
    "sorami_jobs_open",
    "Jobs that have not ended; the same from every persistence.",
    ["kind", "status"],
    registry=REGISTRY,
)
OLDEST_OPEN = Gauge(
    "sorami_job_oldest_open_seconds",
    "Age of the oldest job that has not ended, 0 for none; the same from every persistence.",
    ["kind", "status"],
    registry=REGISTRY,
)
SEARCH_PENDING = Gauge(
    "sorami_search_pending_documents",
    "Prompts whose search document is not made yet, counted up to 10,000; the same from every persistence.",
    registry=REGISTRY,
)
PURGES_DUE = Gauge(
    "sorami_purges_due",
    "Deleted generations whose window has ended, counted up to 10,000; the same from every persistence.",
    registry=REGISTRY,
)


async def measure_backlog(pool: Pool) -> None:
    """Bring the gauges of what is left to do up to date."""
    found = await backlog(pool)
    for gauge in (JOBS_OPEN, OLDEST_OPEN):
        gauge.clear()
    for one in found.open_jobs:
        JOBS_OPEN.labels(one.kind, one.status).set(one.jobs)
        OLDEST_OPEN.labels(one.kind, one.status).set(one.oldest_seconds)
    SEARCH_PENDING.set(found.search_pending)
    PURGES_DUE.set(found.purges_due)


def count_completed(kind: str, *, created_at: datetime, now: datetime, files: int) -> None:
    """Count a job that completed."""
    JOBS_ENDED.labels(kind, "COMPLETED", "").inc()
    JOB_SECONDS.labels(kind).observe(max(0.0, (now - created_at).total_seconds()))
    FILES_STORED.labels(kind).inc(files)


def count_ended(kind: str, status: str, failure: str) -> None:
    """Count a job that ended otherwise."""
    JOBS_ENDED.labels(kind, status, failure).inc()
