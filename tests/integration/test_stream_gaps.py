"""A stream is behind the rows for no longer than the pause between two signs of life, whatever Kafka did not bring."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.events import JobUpdated
from contracts.status import JobStatus
from services.notifier.channels.streams import HEARTBEAT_SECONDS
from services.notifier.parts import Parts
from services.notifier.usecases.watch_jobs import HEARTBEAT
from tests.support.console import console
from tests.support.postgres import Database

GENERATING, CANCELLED = JobStatus.GENERATING, JobStatus.CANCELLED


def moved(n: int, status: JobStatus) -> JobUpdated:
    now = datetime.now(UTC)
    given: dict[str, Any] = {
        "job_id": "job-1",
        "kind": "image",
        "user_id": "someone",
        "status": status,
        "seq": n,
        "n": n,
    }
    return JobUpdated(at=now, created_at=now, progress=0, **given)


async def written(parts: Parts, event: JobUpdated) -> None:
    """Write a move as persistence does; that anybody hears of it is left out."""
    await parts.pool.execute(
        "INSERT INTO sorami.job_events (job_id, seq, user_id, n, type, data, at)"
        " VALUES ($1, $2, $3, $4, 'job.updated', $5, now())",
        event.job_id,
        event.seq,
        event.user_id,
        event.n,
        event.model_dump_json(exclude_none=True),
    )
    await parts.pool.execute(
        "INSERT INTO sorami.user_counters (user_id, n) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET n = $2",
        event.user_id,
        event.n,
    )


async def beat(parts: Parts) -> None:
    for turn in range(HEARTBEAT_SECONDS):
        await parts.hub.beat(turn, parts.watch_jobs.newest)


def told(frame: bytes) -> list[tuple[int, str]]:
    """Return the numbers and statuses of the moves in what was sent."""
    blocks = [block.splitlines() for block in frame.decode().split("\n\n") if "event: job.updated" in block]
    return [
        (int(lines[0].removeprefix("id: ")), json.loads(lines[2].removeprefix("data: "))["status"]) for lines in blocks
    ]


@pytest.mark.parametrize("job_id", [None, "job-1"])
async def test_a_move_that_kafka_never_brought_is_told_with_the_next_sign_of_life(
    migrated: Database, job_id: str | None
) -> None:
    async with console(migrated.url) as (_, parts):
        await written(parts, moved(1, GENERATING))
        watch = parts.watch_jobs
        stream = watch.of_job("someone", job_id, 1, "en") if job_id else watch.of_user("someone", 1, "en")
        async with asyncio.timeout(20):
            assert (await anext(stream)).startswith(b"retry:")
            silent = asyncio.ensure_future(anext(stream))
            while not silent.done():
                await beat(parts)
                await asyncio.sleep(0)
            assert silent.result() == HEARTBEAT
            await written(parts, moved(2, CANCELLED))
            late = asyncio.ensure_future(anext(stream))
            while not late.done():
                await beat(parts)
                await asyncio.sleep(0)
            assert told(late.result()) == [(2, "CANCELLED")]
            # What comes after all is not told twice.
            parts.hub.publish([moved(2, CANCELLED), moved(3, CANCELLED)])
            if job_id is None:
                assert told(await anext(stream)) == [(3, "CANCELLED")]
        await stream.aclose()
