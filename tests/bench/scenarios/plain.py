"""Completed jobs a second when nobody tells progress, on either side; no object is kept."""

from tests.bench.completing import completing
from tests.bench.plan import Plan
from tests.bench.report import Row


async def run(plan: Plan) -> list[Row]:
    generator = "tests.bench.launch:generator_that_tells_the_end"
    measured = await completing(plan, generator=generator, steps=0)
    times = measured.ratio("ours.completed", "seeds.completed")
    return [
        Row("plain", "completed, without progress", "/s", measured.of("ours.completed"), foreign=measured.foreign),
        Row("plain", "completed without progress, to the seeds", "x", times, 8, foreign=measured.foreign),
    ]
