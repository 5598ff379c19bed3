"""A slot is free again however its work ended, also work that was called off before it took its first step."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

from contracts.events import JobRequested
from services.generator.store.leases import Claim
from services.generator.usecases.reporter import GiveBack
from services.generator.usecases.run_tasks import RunTasks


def claim(fence: int) -> Claim:
    now = datetime.now(UTC)
    request = JobRequested(
        job_id="job1", kind="image", at=now, user_id="u1", prompt="x", model="m", count=1, size="256x256", format="PNG"
    )
    return Claim(
        job_id="job1",
        kind="image",
        owner_id="u1",
        provider="p",
        model="m",
        request=request,
        traceparent=None,
        fence=fence,
        attempts=1,
        created_at=now,
        overdue=False,
        unwanted=False,
        seconds_left=None,
    )


def one_slot() -> RunTasks:
    return RunTasks(cast(Any, None), slots={"p": 1}, worker="w", lease_seconds=15)


async def work_for_ever(_: Claim) -> GiveBack | None:
    await asyncio.Event().wait()
    return None


async def test_work_that_is_called_off_before_its_first_step_frees_its_slot() -> None:
    tasks = one_slot()
    tasks.take(claim(1), work_for_ever)
    assert tasks._free() == {}
    tasks.call_off(["job1"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (tasks.running, tasks._free()) == (0, {"p": 1})


async def test_the_slot_of_a_lost_lease_is_freed_once_though_the_job_came_back() -> None:
    tasks = one_slot()
    tasks.take(claim(1), work_for_ever)
    await asyncio.sleep(0)
    first = tasks._running["job1"][1]
    tasks.take(claim(2), work_for_ever)
    first.cancel()
    await asyncio.wait([first])
    await asyncio.sleep(0)
    assert (tasks.running, tasks._free()) == (1, {})
    tasks.call_off(["job1"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (tasks.running, tasks._free()) == (0, {"p": 1})
