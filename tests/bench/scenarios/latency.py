"""How long one job takes at a steady rate: to its 202, to its event on the topic, to its end on the owner's stream."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer

from contracts.topics import JOB_REQUESTED
from tests.bench.pacing import Paced, clients, percentile
from tests.bench.plan import Plan
from tests.bench.product import Product, product
from tests.bench.report import Row
from tests.bench.running import Measured, Values, interleave
from tests.bench.seeds import seeds

STREAMS = 20
POLL_SECONDS = 2.0


@asynccontextmanager
async def _topic(servers: str) -> AsyncIterator[dict[str, float]]:
    """Note when each job's request can be read on the topic."""
    seen: dict[str, float] = {}
    consumer = AIOKafkaConsumer(JOB_REQUESTED.name, bootstrap_servers=servers, auto_offset_reset="latest")
    await consumer.start()
    await consumer.seek_to_end()

    async def read() -> None:
        async for record in consumer:
            seen.setdefault(record.key.decode(), time.perf_counter())

    reading = asyncio.create_task(read())
    try:
        yield seen
    finally:
        reading.cancel()
        await consumer.stop()


def _both(name: str, waits: list[float]) -> Values:
    return {f"{name}_p50": percentile(waits, 0.5), f"{name}_p99": percentile(waits, 0.99)}


async def _check_rows(made: Product, paced: Paced) -> None:
    """Every job that a stream told to be done is done in its row."""
    ids = list(paced.asked)
    open_ones = await made.pool.fetchval(
        "SELECT count(*) FROM sorami.jobs WHERE id = ANY($1::text[]) AND status <> 'COMPLETED'", ids
    )
    if open_ones:
        raise RuntimeError(f"{open_ones} jobs were told to be done before their row said so")


async def _ask(made: Product, rate: float, seconds: float) -> Values:
    async with (
        _topic(made.stack.env["KAFKA_BOOTSTRAP_SERVERS"]) as seen,
        clients(made.url, made.tokens[:STREAMS]) as people,
    ):
        await people.ask(rate, STREAMS)
        paced = await people.ask(rate, int(rate * seconds))
        await _check_rows(made, paced)
        await asyncio.sleep(0.1)
        return {
            **_both("answer", paced.waits(paced.answered)),
            **_both("topic", paced.waits(seen)),
            **_both("end", paced.waits(paced.ended)),
        }


def rows(measured: Measured) -> list[Row]:
    def row(figure: str, what: str, goal: float | None = None) -> Row:
        return Row("latency", figure, "ms", measured.of(what), goal, False, measured.foreign)

    goal_of_topic = measured.of("slow.answer_p50").median + 3
    found = [
        row("POST to 202 at 10/s, p50", "slow.answer_p50", 4),
        row("POST to 202 at 10/s, p99", "slow.answer_p99", 12),
        row("POST to job.requested on the topic at 10/s, p50", "slow.topic_p50", goal_of_topic),
        row("POST to job.requested on the topic at 10/s, p99", "slow.topic_p99", 20),
        row("POST to COMPLETED by SSE at 10/s, with its object, p50", "slow.end_p50", 30),
        row("POST to COMPLETED by SSE at 10/s, with its object, p99", "slow.end_p99", 90),
        row("POST to COMPLETED by SSE at 200/s, with its object, p50", "fast.end_p50", 40),
        row("POST to COMPLETED by SSE at 200/s, with its object, p99", "fast.end_p99", 150),
        row("POST to 202 at 200/s, p50", "fast.answer_p50"),
        row("POST to 202 at 200/s, p99", "fast.answer_p99"),
        row("the seeds, POST to COMPLETED seen by polling every 2 s, p50", "seeds.end_p50"),
    ]
    sooner = measured.ratio("seeds.end_p50", "slow.end_p50")
    return [*found, Row("latency", "COMPLETED seen sooner than by polling", "x", sooner, 80, foreign=measured.foreign)]


async def run(plan: Plan) -> list[Row]:
    async with product(jobs=plan.jobs) as made, seeds(made.stack.env["DATABASE_URL"]) as theirs:

        async def by_polling() -> Values:
            waits = await theirs.watch(10, every=POLL_SECONDS)
            return {"end_p50": percentile(sorted(waits), 0.5)}

        measured = await interleave(
            {
                "slow": lambda: _ask(made, 10, 3 * plan.seconds),
                "fast": lambda: _ask(made, 200, plan.seconds),
                "seeds": by_polling,
            },
            rounds=plan.rounds,
        )
        return rows(measured)
