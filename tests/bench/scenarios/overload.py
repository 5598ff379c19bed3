"""Sixteen times the connections: what is accepted must hold, what is refused is told so, what is accepted gets done."""

import asyncio
import time

from tests.bench.plan import Plan
from tests.bench.product import Product, product
from tests.bench.report import Row
from tests.bench.running import Spread, Values, interleave

MANY = 1_024
ALL = "SELECT count(*) FROM sorami.jobs"


async def _ask(made: Product, plan: Plan, connections: int) -> Values:
    before = await made.pool.fetchval(ALL)
    load = await made.post(plan.seconds, connections=connections)
    # What wrk did not wait for may be accepted all the same: no fewer rows than answers, and none of them lost.
    rows = await made.pool.fetchval(ALL) - before
    began = time.perf_counter()
    await made.quiet()
    await asyncio.sleep(0.2)
    completed = await made.pool.fetchval(f"{ALL} WHERE status = 'COMPLETED'") - before
    lost = load.accepted - min(rows, completed)
    return {"accepted": load.rate, "refused": load.refused, "lost": max(0, lost), "rest": time.perf_counter() - began}


async def run(plan: Plan) -> list[Row]:
    async with product(entries={"generator": "tests.bench.launch:generator_without_objects"}, jobs=0) as made:
        measured = await interleave(
            {"peak": lambda: _ask(made, plan, 64), "over": lambda: _ask(made, plan, MANY)}, rounds=plan.rounds
        )
    held = measured.ratio("over.accepted", "peak.accepted")
    lost = [one.values["peak.lost"] + one.values["over.lost"] for one in measured.rounds]
    return [
        Row("overload", f"accepted with {MANY:,} connections, to 64", "x", held, 0.8, foreign=measured.foreign),
        Row("overload", "accepted and not completed", "jobs", Spread.of(lost), 0, False, measured.foreign),
    ]
