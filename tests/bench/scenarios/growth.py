"""What must not grow with the database: accepting, a status, and the gallery's first and last pages."""

import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from contracts.kinds import KINDS
from services.gateway.queries import gallery, generations
from services.runtime.own_rows import OwnRows
from tests.bench.plan import Plan
from tests.bench.product import Product, product
from tests.bench.report import Row
from tests.bench.running import Spread

READS = 200
ROUNDS = 3
OWNER = "SELECT \"authorId\" FROM image_generations WHERE id LIKE 'cseed%' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
# The place of a row that nine tenths of its owner's are newer than.
DEEP = """
    SELECT "createdAt" AT TIME ZONE 'UTC', id FROM image_generations WHERE "authorId" = $1 AND status = 'COMPLETED'
    ORDER BY "createdAt" DESC, id DESC
    OFFSET (SELECT count(*) * 9 / 10 FROM image_generations WHERE "authorId" = $1 AND status = 'COMPLETED') LIMIT 1
"""


async def _median_ms(read: Callable[[], Awaitable[Any]]) -> float:
    waits = []
    for _ in range(READS):
        began = time.perf_counter()
        await read()
        waits.append((time.perf_counter() - began) * 1000)
    return statistics.median(waits)


async def _at(made: Product, plan: Plan) -> dict[str, float]:
    await made.greet()
    loads = []
    for _ in range(ROUNDS):
        loads.append((await made.post(plan.seconds)).rate)
        await made.quiet()
    owner = await made.pool.fetchval(OWNER)
    deep = await made.pool.fetchrow(DEEP, owner)
    own, filters = OwnRows(made.pool, owner), gallery.Filters()
    return {
        "accepted": statistics.median(loads),
        "status": await _median_ms(lambda: generations.status(own, KINDS["image"], deep[1])),
        "first": await _median_ms(lambda: gallery.page(own, filters, limit=50)),
        "deep": await _median_ms(lambda: gallery.page(own, filters, after=(deep[0], deep[1]), limit=50)),
    }


async def run(plan: Plan) -> list[Row]:
    async with product(entries={"generator": "tests.bench.launch:generator_without_objects"}) as made:
        found: dict[int, dict[str, float]] = {}
        there = 0
        for size in plan.sizes:
            await made.fill(size - there)
            there = size
            found[size] = await _at(made, plan)
            print(f"  {size:,} jobs: {found[size]}", flush=True)
    rates = [values["accepted"] for values in found.values()]
    last = found[plan.sizes[-1]]
    name = f"at {plan.sizes[-1]:,} jobs"
    return [
        Row("growth", f"accepted {name}, to the smallest", "x", Spread.of([rates[-1] / rates[0]]), 0.9),
        Row("growth", f"status {name}, in SQL", "ms", Spread.of([last["status"]]), 2, False),
        Row("growth", f"the gallery's first page {name}, in SQL", "ms", Spread.of([last["first"]]), 2, False),
        Row("growth", f"a page behind nine tenths {name}, in SQL", "ms", Spread.of([last["deep"]]), 2, False),
        Row("growth", "that page, to the first", "x", Spread.of([last["deep"] / last["first"]]), 1.5, False),
    ]
