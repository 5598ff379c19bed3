"""Webhooks of one notifier against `requests.post` in sixteen threads, as `tests.bench.sending` measures them."""

from tests.bench.plan import Plan
from tests.bench.report import Row
from tests.bench.running import Spread
from tests.bench.told import find, told


async def run(plan: Plan) -> list[Row]:
    # The bench itself lets both sides take turns.
    text = await told("sending", "3000")
    theirs, ours = find(text, r"16 threads: ([\d.]+)"), find(text, r"quick\d: ([\d.]+) a second")
    alone, beside = find(text, r"p99: ([\d.]+) ms alone"), find(text, r"alone, ([\d.]+) ms beside")
    times = Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])
    return [
        Row("webhooks", "webhooks signed and recorded", "/s", Spread.of(ours)),
        Row("webhooks", "webhooks, to requests.post in 16 threads", "x", times, 4),
        Row("webhooks", "planned to settled, p99", "ms", Spread.of(alone)),
        Row("webhooks", "the same beside 500 that hang, p99", "ms", Spread.of(beside)),
    ]
