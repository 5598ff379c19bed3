"""Cores the whole stack uses when nobody asks for anything, and at ten jobs a second."""

import asyncio

from tests.bench.machine import metered
from tests.bench.pacing import clients
from tests.bench.plan import Plan
from tests.bench.product import Product, product
from tests.bench.report import Row
from tests.bench.running import Values, interleave


def _cores(made: Product, by_name: dict[str, float], seconds: float) -> Values:
    """Return the cores of the stack's processes, the bench's own left out."""
    parts = {name: used / seconds for name, used in by_name.items() if name not in ("bench", "client")}
    return {"all": sum(parts.values()), **parts}


async def _rest(made: Product, seconds: float) -> Values:
    await asyncio.sleep(5)
    with metered(made.name_of) as usage:
        await asyncio.sleep(seconds)
    return _cores(made, usage.by_name, usage.seconds)


async def _work(made: Product, seconds: float) -> Values:
    async with clients(made.url, made.tokens[:5]) as people:
        with metered(made.name_of) as usage:
            await people.ask(10, int(10 * seconds))
    return _cores(made, usage.by_name, usage.seconds)


async def run(plan: Plan) -> list[Row]:
    async with product() as made:
        seconds = 3 * plan.seconds
        sides = {"rest": lambda: _rest(made, seconds), "work": lambda: _work(made, seconds)}
        measured = await interleave(sides, rounds=plan.rounds)
    return [
        Row("idle", "the stack at rest", "cores", measured.of("rest.all"), 0.15, False, measured.foreign),
        Row("idle", "the stack at 10 jobs/s", "cores", measured.of("work.all"), 0.6, False, measured.foreign),
    ]
