"""What every process counts, for Prometheus: base units, no ids in labels, names that begin with `sorami_`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from services.runtime.logs import get_logger

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

CONTENT_TYPE = CONTENT_TYPE_LATEST
SAMPLE_TIMEOUT = 2.0
"""Seconds a question to the database may take while somebody scrapes."""

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets in seconds of what a person waits for."""
SLOW = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0)
"""Buckets in seconds of work."""

HTTP_REQUESTS = Counter("sorami_http_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY)
HTTP_SECONDS = Histogram(
    "sorami_http_response_start_seconds",
    "Time until an answer began.",
    ["method", "route"],
    buckets=FAST,
    registry=REGISTRY,
)
RECORDS = Counter(
    "sorami_consumed_records",
    "Records read; the group is empty where every process reads all of them.",
    ["group", "topic", "outcome"],
    registry=REGISTRY,
)
BATCH_SECONDS = Histogram(
    "sorami_consumed_batch_seconds", "Time a batch of records took.", ["topic"], buckets=FAST, registry=REGISTRY
)
RECORD_AGE = Histogram(
    "sorami_consumed_record_age_seconds",
    "Age of the oldest record of a batch when it was handled.",
    ["topic"],
    buckets=SLOW,
    registry=REGISTRY,
)
OUTBOX_SENT = Counter("sorami_outbox_sent_rows", "Rows that Kafka acknowledged.", ["topic"], registry=REGISTRY)
OUTBOX_UNSENT = Counter("sorami_outbox_unsent_rows", "Sends that Kafka did not acknowledge.", registry=REGISTRY)
OUTBOX_WAITING = Gauge(
    "sorami_outbox_waiting_rows", "Rows of the outbox, counted up to 10,000.", ["outbox"], registry=REGISTRY
)
OUTBOX_OLDEST = Gauge(
    "sorami_outbox_oldest_seconds", "Age of the oldest row, 0 for none.", ["outbox"], registry=REGISTRY
)
RELAY_HELD = Gauge("sorami_relay_held_rows", "Rows held in memory while Kafka is away.", ["outbox"], registry=REGISTRY)
RELAY_BOUND = Gauge("sorami_relay_held_rows_bound", "Most rows held in memory.", ["outbox"], registry=REGISTRY)
LAG = Gauge(
    "sorami_consumer_lag_records",
    "Records of this process' partitions that it has not read.",
    ["group", "topic"],
    registry=REGISTRY,
)
PARTITIONS = Gauge(
    "sorami_consumer_partitions", "Partitions that this process reads.", ["group", "topic"], registry=REGISTRY
)
COMMIT_WAITING = Gauge("sorami_commit_waiting", "Items that wait for a group commit.", ["commit"], registry=REGISTRY)
COMMIT_BOUND = Gauge(
    "sorami_commit_waiting_bound", "Most that may wait; more is refused.", ["commit"], registry=REGISTRY
)
DATABASE_CONNECTIONS = Gauge("sorami_database_connections", "Connections of the pool.", ["state"], registry=REGISTRY)
READY = Gauge("sorami_ready", "1 while every check of readiness passes.", ["process"], registry=REGISTRY)
BUILD = Gauge("sorami_build_info", "1, with the version of this process.", ["process", "version"], registry=REGISTRY)
SAMPLES_FAILED = Counter(
    "sorami_metrics_samples_failed",
    "Gauges that could not be brought up to date and kept their value.",
    registry=REGISTRY,
)

Sample = Callable[[], Awaitable[None] | None]
"""Brings gauges up to date before they are read."""

_log = get_logger(part="metrics")


async def scrape(samples: Sequence[Sample]) -> bytes:
    """Return all metrics as Prometheus reads them; a gauge that cannot be brought up to date keeps its last value.

    All are brought up to date at once: what is away delays the answer by one time-out, which every scraper waits for.
    """
    await asyncio.gather(*(_bring_up_to_date(sample) for sample in samples))
    return generate_latest(REGISTRY)


async def _bring_up_to_date(sample: Sample) -> None:
    try:
        async with asyncio.timeout(SAMPLE_TIMEOUT):
            result = sample()
            if result is not None:
                await result
    except Exception as error:
        SAMPLES_FAILED.inc()
        _log.warning("a gauge could not be brought up to date", error=type(error).__name__)
