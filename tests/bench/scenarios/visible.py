"""How long after a job's completion is on its topic its row can be read."""

import asyncio
import time

from tests.bench.pacing import percentile
from tests.bench.plan import Plan
from tests.bench.report import Row
from tests.bench.reports import Persistence, persistence, reports_of
from tests.bench.running import Values, interleave

DONE = "SELECT id FROM sorami.jobs WHERE id = ANY($1::text[]) AND status = 'COMPLETED'"


async def _see(made: Persistence, rate: float, count: int) -> Values:
    ids = await made.jobs(count)
    told: dict[str, float] = {}
    seen: dict[str, float] = {}

    async def watch() -> None:
        while len(seen) < count:
            if waiting := [one for one in told if one not in seen]:
                for row in await made.pool.fetch(DONE, waiting):
                    seen[row["id"]] = time.perf_counter()
            await asyncio.sleep(0.001)

    async def tell(job_id: str) -> None:
        told[job_id] = time.perf_counter()
        await made.tell(reports_of(job_id)[-1:])

    began = time.perf_counter()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(watch())
        for number, job_id in enumerate(ids):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            group.create_task(tell(job_id))
    waits = sorted((seen[one] - told[one]) * 1000 for one in ids)
    return {"p50": percentile(waits, 0.5), "p99": percentile(waits, 0.99)}


async def run(plan: Plan) -> list[Row]:
    async with persistence() as made:
        measured = await interleave(
            {
                "slow": lambda: _see(made, 10, int(30 * plan.seconds)),
                "fast": lambda: _see(made, 200, int(200 * plan.seconds)),
            },
            rounds=plan.rounds,
        )

    def row(figure: str, what: str, goal: float | None) -> Row:
        return Row("visible", figure, "ms", measured.of(what), goal, False, measured.foreign)

    return [
        row("completion sent to row readable at 10/s, p50", "slow.p50", 8),
        row("completion sent to row readable at 10/s, p99", "slow.p99", 25),
        row("completion sent to row readable at 200/s, p50", "fast.p50", None),
        row("completion sent to row readable at 200/s, p99", "fast.p99", 100),
    ]
