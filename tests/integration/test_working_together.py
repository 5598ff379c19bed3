"""Generators at work: they wake one another, start what is due when it is due, and are called by providers."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from contracts.sharing import TASKS_CHANNEL
from services.generator.store.leases import Claim
from services.generator.usecases import run_tasks as run_tasks_module
from services.generator.usecases.reporter import GiveBack
from services.generator.usecases.run_tasks import RunTasks
from services.runtime.bell import Bell
from tests.integration.test_fair_share import PROVIDER, Generator
from tests.support.engine import Rows, faked
from tests.support.postgres import Database, wait_for
from tests.support.providers.setups import SETUPS
from tests.support.wired import wired

SOON = 10.0


class Scheduler:
    """A generator whose work ends when the test says so."""

    def __init__(self, run_tasks: RunTasks) -> None:
        self.run_tasks = run_tasks
        self.begun: asyncio.Queue[Claim] = asyncio.Queue()
        self.endings: dict[str, asyncio.Future[GiveBack | None]] = {}

    async def work(self, claim: Claim) -> GiveBack | None:
        ending: asyncio.Future[GiveBack | None] = asyncio.get_running_loop().create_future()
        self.endings[claim.job_id] = ending
        self.begun.put_nowait(claim)
        return await ending

    async def next(self) -> Claim:
        return await asyncio.wait_for(self.begun.get(), SOON)


@asynccontextmanager
async def scheduler(
    pool: Any, slots: int, allowed: Callable[[str], int | None] = lambda _: None
) -> AsyncIterator[Scheduler]:
    run_tasks = RunTasks(pool, slots={PROVIDER: slots}, worker="test", lease_seconds=60, allowed=allowed)
    one = Scheduler(run_tasks)
    run_tasks.use(one.work)
    running = asyncio.create_task(run_tasks.run())
    try:
        yield one
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by himself: what happens, happens because somebody was told or because it was due."""
    monkeypatch.setattr(run_tasks_module, "LOOK_EVERY", 600.0)


def test_a_generator_with_room_is_woken_by_another_that_has_none(migrated: Database, no_looks: None) -> None:
    async def story() -> None:
        async with asyncpg.create_pool(migrated.url, min_size=1, max_size=4) as pool, scheduler(pool, 1) as idle:
            heard = asyncio.Event()

            def on_ring() -> None:
                heard.set()
                idle.run_tasks.wake()

            mine = Bell(pool, migrated.url, TASKS_CHANNEL, "idle", on_ring)
            others = Bell(pool, migrated.url, TASKS_CHANNEL, "busy", lambda: None)
            async with asyncio.TaskGroup() as group:
                bells = [group.create_task(bell.run()) for bell in (mine, others)]
                await asyncio.wait_for(heard.wait(), SOON)  # it listens now
                await Generator(pool).ask("a")
                others.ring()
                assert (await idle.next()).owner_id == "a"
                for bell in bells:
                    bell.cancel()

    wait_for(story())


def test_what_is_put_off_begins_when_it_is_due_and_not_at_the_next_look(migrated: Database, no_looks: None) -> None:
    async def story() -> None:
        async with asyncpg.create_pool(migrated.url, min_size=1, max_size=4) as pool:
            await Generator(pool).ask("a")
            async with scheduler(pool, 2) as one:
                first = await one.next()
                one.endings[first.job_id].set_result(GiveBack(0.4, forgive_attempt=False))
                again = await one.next()
                assert (again.job_id, again.attempts) == (first.job_id, 2)
                early = await pool.fetchval("SELECT now() < due_at FROM sorami.tasks")
                assert early is False

    wait_for(story())


def test_a_lone_job_is_the_next_to_begin_behind_a_thousand(migrated: Database, no_looks: None) -> None:
    async def story() -> None:
        async with asyncpg.create_pool(migrated.url, min_size=1, max_size=4) as pool:
            everybody = Generator(pool)
            await everybody.ask("busy", 1_000)
            async with scheduler(pool, 2) as one:
                first, _ = await one.next(), await one.next()
                await everybody.ask("lone")
                one.endings[first.job_id].set_result(None)
                assert (await one.next()).owner_id == "lone"

    wait_for(story())


def test_no_more_begin_than_are_allowed_just_now(migrated: Database, no_looks: None) -> None:
    async def story() -> None:
        bounds: dict[str, int | None] = {PROVIDER: 0}
        async with asyncpg.create_pool(migrated.url, min_size=1, max_size=4) as pool:
            await Generator(pool).ask("a", 6)
            async with scheduler(pool, 5, bounds.get) as one:
                bounds[PROVIDER] = 2
                one.run_tasks.wake()
                assert len({(await one.next()).job_id for _ in range(2)}) == 2
                bounds[PROVIDER] = 0
                first = next(iter(one.endings))
                one.endings[first].set_result(GiveBack(0, forgive_attempt=True))
                put_back = "SELECT 1 FROM sorami.tasks WHERE job_id = $1 AND state = 'queued'"
                await Rows(pool).until(put_back, first)
                assert one.begun.empty()
                bounds[PROVIDER] = None
                one.run_tasks.wake()
                assert len({(await one.next()).job_id for _ in range(4)}) == 4

    wait_for(story())


def test_two_generator_processes_share_the_work_and_pay_nothing_twice(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        fake = SETUPS["fal"].fake()
        await fake.start()
        jobs: list[str] = []
        async with asyncpg.create_pool(migrated.url, min_size=1, max_size=3) as pool:
            rows = Rows(pool)
            host = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.support.engine_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=os.environ | {"SORAMI_REMOTE_SLOTS": "2"},
            )
            assert host.stdin is not None
            assert host.stdout is not None
            order = {
                "database": migrated.url,
                "name": "fal",
                "fake": fake.url,
                "folder": str(tmp_path),
                "poll_every": 0.05,
                "forgotten_after": 60,
                "resubmit": False,
            }
            try:
                for _ in range(2):
                    host.stdin.write(json.dumps({"start": order}).encode() + b"\n")
                    assert (await asyncio.wait_for(host.stdout.readline(), 30)).startswith(b"ready ")
                workers: set[str] = set()
                # One alone may be quick enough for a handful: more come until both have had some.
                while len(workers) < 2:
                    assert len(jobs) < 200, workers
                    jobs += [f"job{len(jobs) + number}" for number in range(4)]
                    for job_id in jobs[-4:]:
                        await rows.request(job_id, "fal")
                    done = "SELECT 1 FROM sorami.tasks WHERE state = 'finished' HAVING count(*) = $1"
                    await rows.until(done, len(jobs), within=60)
                    workers = {row["worker"] for row in await pool.fetch("SELECT DISTINCT worker FROM sorami.tasks")}
                assert len(fake.ledger.paid) == len(fake.ledger.tried) == len(jobs)
                assert {(await rows.endings(job_id))[0][0] for job_id in jobs} == {"job.completed"}
                assert {len(await rows.endings(job_id)) for job_id in jobs} == {1}
            finally:
                # At the end of its orders it ends whom it started.
                host.stdin.close()
                await host.wait()
                await fake.stop()

    wait_for(story())


def test_a_providers_call_has_it_asked_at_once(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            faked("fal", tmp_path, poll_every=600) as (fake, parts),
            wired(migrated.url, parts, provider_webhook_url="https://sorami.example/") as services,
        ):
            rows = Rows(services.pool)
            for job_id in ("job1", "job2"):
                await rows.request(job_id, "fal")
            services.generator.run_tasks.wake()
            await rows.until("SELECT 1 FROM sorami.tasks WHERE state = 'waiting' HAVING count(*) = 2")
            addresses = {
                submit.query["fal_webhook"].split("/")[-1].split(".")[0]: submit.query["fal_webhook"]
                for submit in fake.ledger.paid
            }
            path = urlsplit(addresses["job1"]).path
            assert addresses["job1"] == f"https://sorami.example{path}"
            # Whoever guesses learns nothing: every answer is the same, and nothing is asked.
            for wrong in (
                path[:-1] + ("0" if path[-1] != "0" else "1"),
                path.replace("/job1.", "/job2."),
                path.replace("/fal/", "/replicate/"),
                path.replace("/job1.1.", "/job1.2."),
                path.rpartition("/")[0] + "/nothing",
            ):
                answer = await services.gateway.post(wrong, content=b"{}")
                assert (answer.status_code, answer.content) == (204, b"")
            assert [row for row in services.hands.rows if row.topic == "provider.notified"] == []
            answer = await services.gateway.post(path, json={"status": "OK", "payload": {"images": []}})
            assert (answer.status_code, answer.content) == (204, b"")
            await services.hands.hand_on([await services.hands.heard("provider.notified")])
            assert (await rows.ended("job1"))[0] == "job.completed"
            assert await rows.endings("job2") == []
            # What is over is not asked about again.
            services.hands.rows.clear()
            assert (await services.gateway.post(path)).status_code == 204
            assert services.hands.rows == []
            large = await services.gateway.post(path, content=bytes(600_000))
            assert large.status_code == 413

    wait_for(story())
