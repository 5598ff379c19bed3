"""b.12: what a browser meets. Views, clocks and double clicks of the page itself: tests/e2e/page."""

import asyncio

from tests.chaos.load import Load
from tests.chaos.rig import Rig
from tests.chaos.scenarios import scenario
from tests.support.product import TERMINAL, Frame, frames


@scenario("b.12 offline; reconnects with Last-Event-ID", usual=True)
async def line_breaks(rig: Rig, load: Load) -> None:
    """The line of whoever watches breaks every second: it comes back with the last id."""
    load.work(8)
    for _ in range(6):
        await asyncio.sleep(1)
        load.break_line()


@scenario("b.12 two tabs; tab closed and reloaded")
async def tabs(rig: Rig, load: Load) -> None:
    """Two watch the same film, one closes in the middle and looks again later: both saw the same."""
    job_id = await load.ask("video", model="procedural-1", size="640x360", duration_seconds=2, cancel=False)

    async def watch(most: int | None = None) -> list[Frame]:
        seen: list[Frame] = []
        async with load.person.http.stream("GET", f"/api/videos/{job_id}/events") as answer:
            async for frame in frames(answer):
                seen.append(frame)
                if len(seen) == most or frame.data["status"] in TERMINAL:
                    break
        return seen

    whole, part = await asyncio.gather(watch(), watch(2))
    assert [frame.id for frame in part] == [frame.id for frame in whole[:2]]
    assert [frame.data for frame in await watch()] == [frame.data for frame in whole]
