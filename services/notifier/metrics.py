"""What the notifier counts."""

from prometheus_client import Counter, Gauge, Histogram

from services.notifier.queries.deliveries import backlog
from services.runtime.database import Pool
from services.runtime.metrics import FAST, REGISTRY

STREAMS = Gauge("sorami_streams", "Event streams that are open.", registry=REGISTRY)
STREAMS_BOUND = Gauge("sorami_streams_of_a_user_bound", "Most streams of one user in a process.", registry=REGISTRY)
STREAM_UPDATES = Counter("sorami_stream_updates", "Updates put into open streams.", registry=REGISTRY)
STREAM_QUEUE_BOUND = Gauge(
    "sorami_stream_queue_bound", "Updates a stream may lag behind before it is ended.", registry=REGISTRY
)
STREAMS_DROPPED = Counter("sorami_streams_dropped", "Streams ended because they read too slowly.", registry=REGISTRY)

PENDING = Gauge(
    "sorami_deliveries_pending",
    "Deliveries that wait for their first or next attempt, counted up to 10,000; the same from every notifier.",
    registry=REGISTRY,
)
OLDEST_DUE = Gauge(
    "sorami_delivery_oldest_due_seconds",
    "How long the oldest delivery has been due whose receiver neither fails nor is throttled or told in order, "
    "0 for none; the same from every notifier.",
    registry=REGISTRY,
)
ENDPOINTS = Gauge(
    "sorami_webhook_endpoints",
    "Webhook endpoints and channels by state; the same from every notifier.",
    ["state"],
    registry=REGISTRY,
)
SENDING = Gauge("sorami_delivery_slots_used", "Deliveries that this process is sending.", registry=REGISTRY)
SENDING_BOUND = Gauge("sorami_delivery_slots", "Deliveries that this process sends at once.", registry=REGISTRY)
ATTEMPTS = Counter(
    "sorami_delivery_attempts",
    "Attempts by what was answered: the class of the status, or none.",
    ["dialect", "answer"],
    registry=REGISTRY,
)
ATTEMPT_SECONDS = Histogram(
    "sorami_delivery_attempt_seconds",
    "Time an attempt took.",
    ["dialect"],
    buckets=(*FAST, 20.0, 30.0),
    registry=REGISTRY,
)
SETTLED = Counter(
    "sorami_deliveries_settled",
    "What became of deliveries after an attempt: delivered, pending (another try) or exhausted.",
    ["dialect", "state"],
    registry=REGISTRY,
)
FIRST_ATTEMPT_LATE = Histogram(
    "sorami_delivery_first_attempt_delay_seconds",
    "Time between a delivery's due time and its first attempt, where its receiver holds nothing back.",
    buckets=(*FAST, 30.0, 60.0, 300.0),
    registry=REGISTRY,
)


async def measure_deliveries(pool: Pool) -> None:
    """Bring the gauges of all deliveries and endpoints up to date."""
    found = await backlog(pool)
    PENDING.set(found.pending)
    OLDEST_DUE.set(found.oldest_due_seconds)
    ENDPOINTS.labels("failing").set(found.failing)
    ENDPOINTS.labels("disabled").set(found.disabled)
    ENDPOINTS.labels("enabled").set(found.enabled)


def count_attempt(dialect: str, status_code: int | None, seconds: float) -> None:
    """Count an attempt by the class of its answer."""
    ATTEMPTS.labels(dialect, f"{status_code // 100}xx" if status_code is not None else "none").inc()
    ATTEMPT_SECONDS.labels(dialect).observe(seconds)
