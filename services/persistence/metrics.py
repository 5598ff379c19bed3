"""What persistence counts."""

from datetime import datetime

from prometheus_client import Counter, Histogram

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


def count_completed(kind: str, *, created_at: datetime, now: datetime, files: int) -> None:
    """Count a job that completed."""
    JOBS_ENDED.labels(kind, "COMPLETED", "").inc()
    JOB_SECONDS.labels(kind).observe(max(0.0, (now - created_at).total_seconds()))
    FILES_STORED.labels(kind).inc(files)


def count_ended(kind: str, status: str, failure: str) -> None:
    """Count a job that ended otherwise."""
    JOBS_ENDED.labels(kind, status, failure).inc()
