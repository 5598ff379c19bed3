"""Streams of one notifier, as `tests.bench.streams` measures them."""

from tests.bench.plan import Plan
from tests.bench.report import Row
from tests.bench.running import Spread
from tests.bench.told import find, told


async def run(plan: Plan) -> list[Row]:
    text = await told("streams", str(plan.streams))
    count = f"{plan.streams:,} streams"

    def row(figure: str, unit: str, pattern: str, goal: float, *, at_least: bool = False) -> Row:
        return Row("streams", figure, unit, Spread.of(find(text, pattern)), goal, at_least)

    return [
        row(f"memory a stream, of {count}", "kB", r"memory a stream: ([\d.]+)", 25),
        row(f"idle processor, {count}", "%", r"idle: ([\d.]+)", 5),
        row(f"one event to {count}", "ms", r"one event to all: ([\d.]+)", 500),
        row("events to single clients", "/s", r"single clients: ([\d.]+) a second", 10_000, at_least=True),
    ]
