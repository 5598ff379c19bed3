"""Completed jobs a second with an object of 3 kB each in the local store, against seeds that store nothing."""

from tests.bench.completing import completing
from tests.bench.plan import Plan
from tests.bench.report import Row


async def run(plan: Plan) -> list[Row]:
    measured = await completing(plan, generator=None, steps=3)
    times = measured.ratio("ours.completed", "seeds.completed")
    return [
        Row("stored", "completed, with an object each", "/s", measured.of("ours.completed"), foreign=measured.foreign),
        Row("stored", "completed with an object, to the seeds", "x", times, 3, foreign=measured.foreign),
    ]
