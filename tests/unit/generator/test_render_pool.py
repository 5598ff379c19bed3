"""The render pool: children that are reused, limited, killed when they must be, and never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from contracts.failures import Failure, FailureCode
from services.generator.render_pool import PoolClosed, RenderFailed, RenderLimits, RenderPool

RENDERER = "tests.unit.generator.renderers"
ROOT = Path(__file__).resolve().parents[3]


@asynccontextmanager
async def a_pool(children: int = 1, idle_seconds: float = 60.0, **limits: Any) -> AsyncIterator[RenderPool]:
    pool = RenderPool(children, RenderLimits(**limits), idle_seconds=idle_seconds, renderer=RENDERER)
    try:
        yield pool
    finally:
        await pool.close()


async def failure_of(pool: RenderPool, **work: Any) -> Failure:
    with pytest.raises(RenderFailed) as caught:
        await pool.render(work, lambda fraction: None)
    return caught.value.failure


async def render(pool: RenderPool, **work: Any) -> dict[str, Any]:
    return await pool.render(work, lambda fraction: None)


async def eventually(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a state of the operating system, which announces nothing."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def own_children() -> set[str]:
    """The processes below this one that render, zombies included."""
    pids = {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}
    return {pid for pid in pids if is_renderer(pid)}


def is_renderer(pid: str) -> bool:
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return not command or b"render_child" in command


async def begun(pool: RenderPool, **work: Any) -> "asyncio.Task[dict[str, Any]]":
    """An order whose child has already reported."""
    started = asyncio.Event()
    task = asyncio.create_task(pool.render(work, lambda fraction: started.set()))
    await started.wait()
    return task


async def test_an_order_is_answered_and_its_progress_rises() -> None:
    heard: list[float] = []
    async with a_pool() as pool:
        await pool.render({"do": "nothing"}, heard.append)
    assert heard == [0.25, 0.75]


async def test_a_warm_child_takes_one_order_after_the_other() -> None:
    async with a_pool() as pool:
        await pool.warm()
        warm = pool.pids
        first, second = await render(pool), await render(pool)
        assert [first["pid"]] == [second["pid"]] == warm


async def test_orders_run_side_by_side_up_to_the_number_of_children() -> None:
    async with a_pool(children=2) as pool:
        done = await asyncio.gather(*(render(pool) for _ in range(4)))
    assert len({answer["pid"] for answer in done}) == 2


async def test_cancelling_an_order_kills_its_child_and_the_next_order_works() -> None:
    async with a_pool() as pool:
        task = await begun(pool, do="wait")
        (pid,) = pool.pids
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: not alive(pid))
        assert (await render(pool))["pid"] != pid


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_child_that_dies_at_work_is_a_typed_failure_and_is_replaced(deadly: signal.Signals) -> None:
    async with a_pool() as pool:
        failure = await failure_of(pool, do="die", signal=int(deadly))
        assert failure.code is FailureCode.INTERNAL
        assert failure.retryable
        assert failure.provider_words == deadly.name
        assert await render(pool)


async def test_a_child_killed_from_outside_at_work_is_a_typed_failure() -> None:
    async with a_pool() as pool:
        task = await begun(pool, do="wait")
        os.kill(pool.pids[0], signal.SIGKILL)
        with pytest.raises(RenderFailed) as caught:
            await task
        assert caught.value.failure.code is FailureCode.INTERNAL
        assert await render(pool)


async def test_a_child_killed_while_idle_is_replaced_unseen() -> None:
    async with a_pool() as pool:
        first = (await render(pool))["pid"]
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: not alive(first))
        await eventually(lambda: not pool.idle_and_usable)
        assert (await render(pool))["pid"] != first


async def test_the_wall_clock_ends_an_order() -> None:
    async with a_pool(wall_seconds=0.3) as pool:
        failure = await failure_of(pool, do="wait")
        assert failure.code is FailureCode.TIMEOUT
        assert failure.retryable
        assert not pool.pids


async def test_the_processor_limit_ends_an_order() -> None:
    async with a_pool(cpu_seconds=1) as pool:
        assert (await failure_of(pool, do="spin")).code is FailureCode.TIMEOUT


async def test_the_processor_limit_is_for_each_order_not_for_the_child() -> None:
    async with a_pool(cpu_seconds=1) as pool:
        pids = {(await render(pool))["pid"] for _ in range(3)}
    assert len(pids) == 1


async def test_the_memory_limit_is_a_typed_failure_and_the_child_is_replaced() -> None:
    async with a_pool(memory_bytes=64 << 20) as pool:
        before = (await render(pool, do="eat", bytes=8 << 20))["pid"]
        failure = await failure_of(pool, do="eat", bytes=512 << 20)
        assert failure.code is FailureCode.INTERNAL
        assert "memory" in (failure.provider_words or "")
        assert (await render(pool))["pid"] != before


async def test_a_refusal_keeps_its_code_and_the_child() -> None:
    async with a_pool() as pool:
        pid = (await render(pool))["pid"]
        failure = await failure_of(pool, do="refuse")
        assert (failure.code, failure.message, failure.retryable) == (FailureCode.INVALID_INPUT, "not this one", False)
        assert (await render(pool))["pid"] == pid


async def test_an_unforeseen_error_is_a_typed_failure() -> None:
    async with a_pool() as pool:
        failure = await failure_of(pool, do="break")
    assert failure.code is FailureCode.INTERNAL
    assert "KeyError" in (failure.provider_words or "")


async def test_a_library_that_prints_does_not_break_the_conversation() -> None:
    async with a_pool() as pool:
        assert await render(pool, do="chatter")


async def test_an_idle_child_ends_after_a_while() -> None:
    async with a_pool(idle_seconds=0.05) as pool:
        pid = (await render(pool))["pid"]
        await eventually(lambda: not pool.pids and not alive(pid))
        assert await render(pool)


async def test_no_secret_of_the_parent_reaches_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for you")
    async with a_pool() as pool:
        assert "AWS_SECRET_ACCESS_KEY" not in (await render(pool))["environment"]


async def test_closing_ends_busy_children_and_a_closed_pool_refuses() -> None:
    async with a_pool(children=2) as pool:
        task = await begun(pool, do="wait")
        (pid,) = pool.pids
        await pool.close()
        with pytest.raises(PoolClosed):
            await task
        await eventually(lambda: not alive(pid))
        with pytest.raises(PoolClosed):
            await render(pool)


async def test_nothing_is_left_behind() -> None:
    async with a_pool() as pool:
        await render(pool)
    await eventually(lambda: not own_children())
    before = open_files()
    async with a_pool(children=2, wall_seconds=0.3) as pool:
        await failure_of(pool, do="wait")
        await failure_of(pool, do="die")
        await asyncio.gather(*(render(pool) for _ in range(3)))
    await eventually(lambda: open_files() <= before and not own_children())


def test_children_end_when_their_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with parent:
        assert parent.stdout is not None
        busy, idle = (int(word) for word in parent.stdout.readline().split())
        assert alive(busy)
        assert alive(idle)
        parent.kill()
    asyncio.run(eventually(lambda: not alive(busy) and not alive(idle)))


_PARENT = f"""
import asyncio
from services.generator.render_pool import RenderPool

async def main():
    pool = RenderPool(2, renderer="{RENDERER}")
    working = asyncio.Event()
    order = asyncio.create_task(pool.render({{"do": "wait"}}, lambda fraction: working.set()))
    await working.wait()
    await pool.warm()
    print(*pool.pids, flush=True)
    await order

asyncio.run(main())
"""


def test_the_parent_loads_no_drawing_library() -> None:
    code = (
        "import sys, services.generator.render_pool, services.generator.providers.instant\n"
        "import services.generator.providers.procedural.provider\n"
        "sys.exit(sorted({'numpy', 'PIL', 'av'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
