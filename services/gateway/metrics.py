"""What the gateway counts."""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence

from prometheus_client import Counter, Gauge

from services.gateway.queries.operating import open_counts
from services.gateway.queries.pauses import pauses
from services.gateway.store.jobs import NewJob, Outcome
from services.runtime.database import Pool
from services.runtime.metrics import REGISTRY

JOBS_ACCEPTED = Counter(
    "sorami_jobs_accepted", "Jobs whose row was committed.", ["kind", "model", "origin"], registry=REGISTRY
)
JOBS_LIMITED = Counter("sorami_jobs_limited", "Jobs that a limit refused.", ["kind"], registry=REGISTRY)
DEAD_LETTERS = Gauge(
    "sorami_dead_letters_open",
    "Dead letters that wait for a decision, counted up to 10,000; the same from every gateway.",
    registry=REGISTRY,
)
ORPHANS = Gauge(
    "sorami_orphans_open",
    "Parked reports that wait for a decision, counted up to 10,000; the same from every gateway.",
    registry=REGISTRY,
)
PAUSES = Gauge(
    "sorami_pauses", "Pauses that operators made; the same from every gateway.", ["scope"], registry=REGISTRY
)


async def measure_decisions(pool: Pool) -> None:
    """Bring the gauges of what operators decide up to date."""
    letters, parked = await open_counts(pool)
    DEAD_LETTERS.set(letters)
    ORPHANS.set(parked)
    paused = Tally(pause.scope for pause in await pauses(pool))
    for scope in ("all", "kind", "model", "provider"):
        PAUSES.labels(scope).set(paused[scope])


def count_inserts(jobs: Sequence[NewJob], outcomes: Mapping[str, Outcome]) -> None:
    """Count what became of jobs whose insert was just committed."""
    tally = Tally((job.kind.name, job.model, job.origin) for job in jobs if outcomes[job.id].created_at is not None)
    for (kind, model, origin), count in tally.items():
        JOBS_ACCEPTED.labels(kind, model, origin).inc(count)
    for job in jobs:
        if outcomes[job.id].limited:
            JOBS_LIMITED.labels(job.kind.name).inc()
