"""Load on one side of a comparison: ask for some seconds, then see what of it gets done."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol

from tests.bench.running import Values
from tests.bench.wrk import Load


class Loaded(Protocol):
    """What takes jobs and says how many are done."""

    def post(self, seconds: float) -> Awaitable[Load]: ...
    async def count(self) -> int: ...
    async def open_jobs(self) -> int: ...


async def push(side: Loaded, seconds: float, *, patience: float) -> Values:
    """Ask as fast as the side answers, and return accepted and completed jobs a second.

    Completed counts from the first request until all are done or `patience` is over, whichever comes first: a side
    that accepts faster than it completes is not waited for.
    """
    before = await side.count()
    began = time.perf_counter()
    load = await side.post(seconds)
    if load.refused or load.broken:
        raise RuntimeError(f"{load.refused} requests were refused, {load.broken} broke")
    while await side.open_jobs() and time.perf_counter() - began < patience:
        await asyncio.sleep(0.05)
    took = time.perf_counter() - began
    done = await side.count() - before
    return {"accepted": load.rate, "completed": done / took, "p99_ms": load.p99_ms}
