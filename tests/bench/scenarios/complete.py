"""Completed jobs a second: row, file row, notification and three progress events each; no object is kept."""

from tests.bench.completing import completing
from tests.bench.plan import Plan
from tests.bench.report import Row

GOALS = {"seeds": 12.0, "celery": 3.0, "taskiq": 1.2, "procrastinate": None}
NAMES = {
    "seeds": "the seeds",
    "celery": "Celery's drain (2 processes)",
    "taskiq": "Taskiq's drain",
    "procrastinate": "Procrastinate's drain",
}


async def run(plan: Plan) -> list[Row]:
    generator = "tests.bench.launch:generator_without_objects"
    measured = await completing(plan, generator=generator, steps=3, peers=True)
    rows = [
        Row("complete", "completed, three steps each", "/s", measured.of("ours.completed"), foreign=measured.foreign)
    ]
    for side, goal in GOALS.items():
        name = f"{side}.completed"
        if any(name in one.values for one in measured.rounds):
            times = measured.ratio("ours.completed", name)
            rows += [
                Row("complete", f"{NAMES[side]}, completed", "/s", measured.of(name), foreign=measured.foreign),
                Row("complete", f"completed, to {NAMES[side]}", "x", times, goal, foreign=measured.foreign),
            ]
    return rows
