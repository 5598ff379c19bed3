"""What the generator counts."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from contracts.breakers import Door
from contracts.failures import Failure
from contracts.prices import Price, cost_of
from services.generator.queries import open_work
from services.generator.store.health import read_health
from services.generator.store.operations import Closed
from services.runtime.database import Pool
from services.runtime.metrics import FAST, REGISTRY, SLOW

JANITOR_LOOKED = Counter("sorami_janitor_looked_at_objects", "Objects the janitor looked at.", registry=REGISTRY)
JANITOR_REMOVED = Counter(
    "sorami_janitor_removed",
    "What no row named: objects by folder, uploads nobody finished, folders of crashed work.",
    ["what"],
    registry=REGISTRY,
)
UNSIGNED = Counter("sorami_media_unsigned", "Files stored without the manifest they should have.", registry=REGISTRY)

TASKS = Gauge(
    "sorami_tasks",
    "Tasks that have not ended; the same from every generator.",
    ["provider", "kind", "state"],
    registry=REGISTRY,
)
OLDEST_QUEUED = Gauge(
    "sorami_task_oldest_queued_seconds",
    "How long the oldest due task has waited that no pause holds back, 0 for none; the same from every generator.",
    ["provider", "kind"],
    registry=REGISTRY,
)
ABANDONED = Gauge(
    "sorami_tasks_abandoned",
    "Running tasks whose lease ran out and which nobody took up; the same from every generator.",
    ["provider", "kind"],
    registry=REGISTRY,
)
SLOTS = Gauge("sorami_task_slots", "Tasks that this process runs at once.", ["provider"], registry=REGISTRY)
SLOTS_USED = Gauge("sorami_task_slots_used", "Tasks that this process runs.", ["provider"], registry=REGISTRY)
CLAIMS = Counter("sorami_task_claims", "Leases taken.", ["provider", "kind"], registry=REGISTRY)
FENCES_LOST = Counter(
    "sorami_task_fences_lost", "Work dropped because another worker holds the task.", ["provider"], registry=REGISTRY
)
WORK_SECONDS = Histogram(
    "sorami_task_work_seconds", "Time under one lease.", ["provider", "kind"], buckets=SLOW, registry=REGISTRY
)
RENDER_SECONDS = Histogram(
    "sorami_render_seconds",
    "Time from the order to the rendered media, here or at the provider.",
    ["provider", "kind"],
    buckets=SLOW,
    registry=REGISTRY,
)
CALLS = Counter(
    "sorami_provider_calls", "Calls of remote providers.", ["provider", "call", "outcome"], registry=REGISTRY
)
CALL_SECONDS = Histogram(
    "sorami_provider_call_seconds",
    "Time a call of a remote provider took.",
    ["provider", "call"],
    buckets=(*FAST, 30.0, 60.0),
    registry=REGISTRY,
)
ATTEMPTS = Counter(
    "sorami_provider_attempts",
    "Attempts that ended, and whether the provider charges them.",
    ["provider", "model", "outcome", "charged"],
    registry=REGISTRY,
)
SPENT = Counter(
    "sorami_provider_spent",
    "Estimated cost of completed attempts by the price list, in units of the currency.",
    ["provider", "model", "currency"],
    registry=REGISTRY,
)
BREAKERS = Gauge(
    "sorami_breaker_state",
    "1 for the state of each breaker that ever moved; the model is empty for the provider's own.",
    ["provider", "model", "state"],
    registry=REGISTRY,
)


async def measure_work(pool: Pool) -> None:
    """Bring the gauges of all tasks and breakers up to date."""
    work = await open_work(pool)
    health = await read_health(pool)
    for gauge in (TASKS, OLDEST_QUEUED, ABANDONED, BREAKERS):
        gauge.clear()
    waited: dict[tuple[str, str], float] = {}
    for one in work:
        TASKS.labels(one.provider, one.kind, one.state).inc(one.tasks)
        ABANDONED.labels(one.provider, one.kind).inc(one.abandoned)
        place = (one.provider, one.kind)
        waited[place] = max(waited.get(place, 0.0), one.waited)
    for place, seconds in waited.items():
        OLDEST_QUEUED.labels(*place).set(seconds)
    for breaker in health:
        for door in Door:
            state = BREAKERS.labels(breaker.provider, breaker.model, door.value)
            state.set(breaker.breaker.door is door)


def measure_slots(slots: Mapping[str, int], used: Mapping[str, int]) -> None:
    """Bring the gauges of this process' slots up to date."""
    for provider, number in slots.items():
        SLOTS.labels(provider).set(number)
        SLOTS_USED.labels(provider).set(used.get(provider, 0))


@contextmanager
def provider_call(provider: str, call: str) -> Iterator[None]:
    """Count and time a call: its outcome is `ok`, the code of its failure, or the name of another error."""
    began = time.perf_counter()
    outcome = "ok"
    try:
        yield
    except BaseException as error:
        failure = getattr(error, "failure", None)
        outcome = failure.code.value if isinstance(failure, Failure) else type(error).__name__
        raise
    finally:
        CALLS.labels(provider, call, outcome).inc()
        CALL_SECONDS.labels(provider, call).observe(time.perf_counter() - began)


def count_attempt(closed: Closed | None, outcome: str) -> None:
    """Count an attempt that was just closed; None is one that was closed before."""
    if closed is not None:
        ATTEMPTS.labels(closed.provider, closed.model or "", outcome, closed.charged).inc()


def count_spent(closed: Closed | None, price: Price | None, seconds: Iterable[float | None]) -> None:
    """Add what a completed attempt is estimated to cost; `seconds` has an entry a medium, None for a picture."""
    if closed is not None and price is not None and closed.charged != "no":
        lengths = list(seconds)
        amount = cost_of(price, media=len(lengths), seconds=sum(length or 0.0 for length in lengths))
        SPENT.labels(closed.provider, closed.model or "", price.currency).inc(float(amount))
