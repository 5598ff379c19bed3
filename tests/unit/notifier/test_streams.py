"""The hub: whoever is slow is ended and delays nobody, and a process that stops spreads its clients."""

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


def taken(stream: Stream) -> list[int]:
    """Take everything that waits, to the end of the stream."""
    seen = []
    while not stream.queue.empty():
        update = stream.queue.get_nowait()
        if update is None:
            break
        seen.append(update.n)
    return seen


def test_a_stream_that_lags_is_ended_after_what_it_has_and_its_neighbour_hears_everything() -> None:
    hub = Hub()
    slow, quick = hub.open("someone", None), hub.open("someone", None)
    heard: list[int] = []
    for n in range(1, 2 * QUEUE_BOUND):
        hub.publish([moved(n)])
        heard += taken(quick)
    assert heard == list(range(1, 2 * QUEUE_BOUND))
    assert slow.ended
    assert taken(slow) == list(range(1, QUEUE_BOUND + 1))
    assert b"come back" in slow.farewell


def test_a_hub_that_closes_tells_each_stream_another_moment_to_come_back() -> None:
    hub = Hub(1_000)
    streams = [hub.open("someone", None) for _ in range(200)]
    hub.publish([moved(1)])
    hub.close()
    assert all(taken(stream) == [1] for stream in streams)
    moments = {int(stream.farewell.decode().removeprefix("retry:")) for stream in streams}
    assert COME_BACK_MS[0] <= min(moments) <= max(moments) <= COME_BACK_MS[1]
    assert max(moments) - min(moments) > (COME_BACK_MS[1] - COME_BACK_MS[0]) / 2
    assert hub.open("someone", None).farewell.startswith(b"retry:")
