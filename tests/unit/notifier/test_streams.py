"""The hub: whoever is slow is ended and delays nobody, and a process that stops spreads its clients."""

import asyncio
from datetime import UTC, datetime

from contracts.events import JobUpdated
from contracts.status import JobStatus
from services.notifier.channels.streams import COME_BACK_MS, QUEUE_BOUND, Hub, Stream


def moved(n: int) -> JobUpdated:
    now = datetime.now(UTC)
    return JobUpdated(
        job_id=f"job-{n}",
        kind="image",
        at=now,
        created_at=now,
        user_id="someone",
        seq=1,
        n=n,
        status=JobStatus.PENDING,
        progress=0,
    )


async def taken(stream: Stream) -> list[int]:
    """Take everything that waits."""
    stream.wake()
    async with asyncio.timeout(0.1):
        return [update.n for update in await stream.take()]


async def test_a_stream_that_lags_is_ended_after_what_it_has_and_its_neighbour_hears_everything() -> None:
    hub = Hub()
    slow, quick = hub.open("someone", None), hub.open("someone", None)
    heard: list[int] = []
    for n in range(1, 2 * QUEUE_BOUND):
        hub.publish([moved(n)])
        heard += await taken(quick)
    assert heard == list(range(1, 2 * QUEUE_BOUND))
    assert slow.ended
    assert await taken(slow) == list(range(1, QUEUE_BOUND + 1))
    assert await taken(slow) == []
    assert b"come back" in slow.farewell


async def test_a_hub_that_closes_tells_each_stream_another_moment_to_come_back() -> None:
    hub = Hub(1_000)
    streams = [hub.open("someone", None) for _ in range(200)]
    hub.publish([moved(1)])
    hub.close()
    assert all([await taken(stream) == [1] for stream in streams])
    moments = {int(stream.farewell.decode().removeprefix("retry:")) for stream in streams}
    assert COME_BACK_MS[0] <= min(moments) <= max(moments) <= COME_BACK_MS[1]
    assert max(moments) - min(moments) > (COME_BACK_MS[1] - COME_BACK_MS[0]) / 2
    assert hub.open("someone", None).farewell.startswith(b"retry:")


async def test_a_silent_line_is_heard_from_in_its_turn() -> None:
    hub = Hub()
    stream = hub.open("someone", None)
    waiting = asyncio.ensure_future(stream.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    stream.wake()
    assert await waiting == []
    assert not stream.ended
