"""Events a second that persistence absorbs from a backlog: three steps and an end of each job; then the same again."""

import asyncio
import time

from tests.bench.plan import Plan
from tests.bench.report import Row
from tests.bench.reports import Persistence, persistence, reports_of
from tests.bench.running import Values, interleave

JOBS = 5_000
DONE = "SELECT count(*) FROM sorami.jobs WHERE id = ANY($1::text[]) AND status = 'COMPLETED'"


async def _absorb(made: Persistence) -> Values:
    ids = await made.jobs(JOBS)
    events = [event for job_id in ids for event in reports_of(job_id)]
    await made.stack.astop("persistence")
    await made.tell(events)
    await made.stack.astart("persistence")
    firsts = await _rate_of_rows(made, ids)
    await made.stack.astop("persistence")
    await made.tell(events)
    await made.stack.astart("persistence")
    return {"firsts": firsts, "again": await _rate_of_offsets(made)}


async def _rate_of_rows(made: Persistence, ids: list[str]) -> float:
    """Return events a second between the first completed twentieth and the end."""
    began, first = 0.0, 0
    async with asyncio.timeout(120):
        while True:
            done = await made.pool.fetchval(DONE, ids)
            now = time.perf_counter()
            if not began and done >= len(ids) / 20:
                began, first = now, done
            if done == len(ids):
                return (done - first) * 4 / (now - began) if now > began else float("nan")
            await asyncio.sleep(0.02)


async def _rate_of_offsets(made: Persistence) -> float:
    """Return events a second between the first committed record and the end."""
    began, first, whole = 0.0, 0, JOBS * 4
    async with asyncio.timeout(120):
        while True:
            left = await made.behind()
            now = time.perf_counter()
            if not began and left < whole:
                began, first = now, left
            if left == 0:
                return first / (now - began) if now > began else float(whole)
            await asyncio.sleep(0.02)


async def run(plan: Plan) -> list[Row]:
    async with persistence() as made:
        measured = await interleave({"ours": lambda: _absorb(made)}, rounds=plan.rounds)
    ratio = measured.ratio("ours.again", "ours.firsts")
    return [
        Row("absorb", "events absorbed", "/s", measured.of("ours.firsts"), 15_000, foreign=measured.foreign),
        Row("absorb", "the same events again", "/s", measured.of("ours.again"), foreign=measured.foreign),
        Row("absorb", "again, to the first time", "x", ratio, 1, foreign=measured.foreign),
    ]
