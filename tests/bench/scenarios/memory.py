"""What each service holds (PSS, render children apart), each started by itself, and how that grows with jobs."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.bench.loading import push
from tests.bench.plan import Plan
from tests.bench.product import Product, product
from tests.bench.report import Row
from tests.bench.running import Spread

SERVICES = ("gateway", "persistence", "generator", "notifier")
MOST_MB = 110


def pss_mb(pid: int) -> float:
    """Return what a process holds, its share of what it has in common with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


async def _alone(made: Product) -> dict[str, subprocess.Popen[bytes]]:
    """Start each service anew by itself: a fork shares pages with its siblings, which hides what it costs."""
    processes = {}
    for name in SERVICES:
        await made.stack.astop(name)
        env = {**os.environ, **made.stack.env, "SORAMI_LOG_LEVEL": "warning"}
        processes[name] = subprocess.Popen([sys.executable, "-m", f"services.{name}"], env=env)
    for _ in range(300):
        try:
            await made.post(1, connections=4)
            break
        except RuntimeError:
            await asyncio.sleep(0.1)
    return processes


async def run(plan: Plan) -> list[Row]:
    async with product(entries={"generator": "tests.bench.launch:generator_without_objects"}) as made:
        processes = await _alone(made)
        try:
            await asyncio.sleep(5)
            await push(made, plan.seconds, patience=120)
            before = {name: pss_mb(process.pid) for name, process in processes.items()}
            asked = 0
            for _ in range(plan.memory_rounds):
                asked += (await made.post(plan.seconds)).accepted
                await made.quiet()
            after = {name: pss_mb(process.pid) for name, process in processes.items()}
        finally:
            for process in processes.values():
                process.terminate()
            for process in processes.values():
                process.wait()
    rows = [
        Row("memory", f"{name}, after {asked:,} jobs", "MB", Spread.of([after[name]]), MOST_MB, False)
        for name in SERVICES
    ]
    growth = [
        Row(
            "memory",
            f"{name}, more than {asked:,} jobs before",
            "MB",
            Spread.of([after[name] - before[name]]),
            10,
            False,
        )
        for name in SERVICES
    ]
    return rows + growth
