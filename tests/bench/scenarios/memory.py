"""What each service holds (PSS, render children apart), each started by itself, and how that grows with jobs."""

import asyncio
from pathlib import Path

from tests.bench.alone import alone
from tests.bench.loading import push
from tests.bench.plan import Plan
from tests.bench.product import Product, product
from tests.bench.report import Row
from tests.bench.running import Spread

SERVICES = ("gateway", "persistence", "generator", "notifier")
ENTRIES = {"generator": "tests.bench.launch:generator_without_objects"}
MOST_MB = 110
MOST_GROWTH_MB = 10


def pss_mb(pid: int) -> float:
    """Return what a process holds, its share of what it has in common with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


async def _until_it_answers(made: Product) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await made.post(1, connections=4)
                return
            except RuntimeError:
                await asyncio.sleep(0.2)


async def run(plan: Plan) -> list[Row]:
    async with product(entries=ENTRIES) as made:
        for name in SERVICES:
            await made.stack.astop(name)
        # By themselves: a fork shares pages with its siblings, which hides what it costs.
        with alone(SERVICES, made.stack.env, entries=ENTRIES) as processes:
            await _until_it_answers(made)
            await push(made, plan.seconds, patience=120)
            before = {name: pss_mb(process.pid) for name, process in processes.items()}
            asked = 0
            for _ in range(plan.memory_rounds):
                asked += (await made.post(plan.seconds)).accepted
                await made.quiet()
            after = {name: pss_mb(process.pid) for name, process in processes.items()}
    rows = []
    for name in SERVICES:
        held, more = Spread.of([after[name]]), Spread.of([after[name] - before[name]])
        rows += [
            Row("memory", f"{name}, after {asked:,} jobs", "MB", held, MOST_MB, False),
            Row("memory", f"{name}, more than {asked:,} jobs before", "MB", more, MOST_GROWTH_MB, False),
        ]
    return rows
