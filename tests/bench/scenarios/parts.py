"""What a job costs each part, in processor; then with two generators, two of persistence and two notifiers."""

import asyncio
import time
from collections.abc import Mapping

from tests.bench.alone import alone
from tests.bench.machine import Process, metered
from tests.bench.plan import Plan
from tests.bench.product import Product, product
from tests.bench.report import Row
from tests.bench.running import Measured, Values, interleave

PARTS = ("gateway", "generator", "persistence", "notifier", "postgres", "kafka", "s3")
DOUBLED = ("generator", "persistence", "notifier")


async def _cost(made: Product, seconds: float, others: Mapping[int, str]) -> Values:
    def name_of(process: Process) -> str:
        return others.get(process.pid) or made.name_of(process)

    before, began = await made.count(), time.perf_counter()
    with metered(name_of) as usage:
        await made.post(seconds)
        while await made.open_jobs():
            await asyncio.sleep(0.05)
        took = time.perf_counter() - began
    jobs = await made.count() - before
    costs = {name: usage.by_name.get(name, 0.0) / jobs * 1000 for name in PARTS}
    await made.quiet()
    return {"completed": jobs / took, "all": sum(costs.values()), **costs}


async def run(plan: Plan) -> list[Row]:
    async with product(jobs=plan.jobs) as made:
        one = await interleave({"one": lambda: _cost(made, plan.seconds, {})}, rounds=plan.rounds)
        with alone(DOUBLED, made.stack.env, second=True) as processes:
            await asyncio.sleep(8)
            others = {process.pid: name for name, process in processes.items()}
            two = await interleave({"two": lambda: _cost(made, plan.seconds, others)}, rounds=plan.rounds)
    return [*_rows(one, "one", "one of each"), *_rows(two, "two", "two of each")]


def _rows(measured: Measured, side: str, shown: str) -> list[Row]:
    def row(figure: str, what: str, unit: str) -> Row:
        return Row("parts", f"{shown}: {figure}", unit, measured.of(f"{side}.{what}"), foreign=measured.foreign)

    costs = [row(f"{name}, processor a job", name, "ms") for name in PARTS]
    return [row("completed", "completed", "/s"), *costs, row("all parts, processor a job", "all", "ms")]
