"""What the gateway counts."""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence

from prometheus_client import Counter

from services.gateway.store.jobs import NewJob, Outcome
from services.runtime.metrics import REGISTRY

JOBS_ACCEPTED = Counter(
    "sorami_jobs_accepted", "Jobs whose row was committed.", ["kind", "model", "origin"], registry=REGISTRY
)
JOBS_LIMITED = Counter("sorami_jobs_limited", "Jobs that a limit refused.", ["kind"], registry=REGISTRY)


def count_inserts(jobs: Sequence[NewJob], outcomes: Mapping[str, Outcome]) -> None:
    """Count what became of jobs whose insert was just committed."""
    tally = Tally((job.kind.name, job.model, job.origin) for job in jobs if outcomes[job.id].created_at is not None)
    for (kind, model, origin), count in tally.items():
        JOBS_ACCEPTED.labels(kind, model, origin).inc(count)
    for job in jobs:
        if outcomes[job.id].limited:
            JOBS_LIMITED.labels(job.kind.name).inc()
