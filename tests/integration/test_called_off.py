"""Work that another process called off stops here too, long before a heartbeat would tell."""

import asyncio

import asyncpg

from services.generator.store.leases import Claim
from services.generator.usecases.reporter import GiveBack
from services.generator.usecases.run_tasks import RunTasks
from tests.support.postgres import Database, wait_for

REQUEST = """{"job_id": "%s", "kind": "image", "at": "2026-01-01T00:00:00Z", "user_id": "u", "prompt": "x", "count": 1,
              "size": "512x512", "format": "PNG"}"""
INSERT = """
    INSERT INTO sorami.tasks (job_id, kind, owner_id, provider, model, request, start_by)
    VALUES ($1, 'image', 'u', 'slow', 'slow', $2::jsonb, now() + $3 * interval '1 second')
"""


class SlowRender:
    """Renders for ever; notes what was begun, what was called off and what came too late."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.called_off = asyncio.Event()
        self.overdue: list[str] = []
        self.told = asyncio.Event()

    async def __call__(self, claim: Claim) -> GiveBack | None:
        if claim.overdue:
            self.overdue.append(claim.job_id)
            self.told.set()
            return None
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.called_off.set()
            raise
        return None


def test_a_task_that_another_process_cancelled_is_dropped_and_its_slot_is_free(migrated: Database) -> None:
    async def story() -> None:
        async with asyncpg.create_pool(migrated.url, min_size=1, max_size=4) as pool:
            render = SlowRender()
            # A lease of ten minutes: its heartbeat would notice after three.
            tasks = RunTasks(pool, slots={"slow": 1}, worker="test", lease_seconds=600)
            tasks.use(render)
            work = asyncio.create_task(tasks.run())
            try:
                await pool.execute(INSERT, "first", REQUEST % "first", 600)
                tasks.wake()
                async with asyncio.timeout(10):
                    await render.begun.wait()
                    await pool.execute("UPDATE sorami.tasks SET state = 'cancelled' WHERE job_id = 'first'")
                    await render.called_off.wait()
                    render.begun.clear()
                    await pool.execute(INSERT, "second", REQUEST % "second", 600)
                    tasks.wake()
                    await render.begun.wait()
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)

    wait_for(story())


def test_a_waiting_task_past_its_deadline_is_ended_although_no_slot_is_free(migrated: Database) -> None:
    async def story() -> None:
        async with asyncpg.create_pool(migrated.url, min_size=1, max_size=4) as pool:
            render = SlowRender()
            tasks = RunTasks(pool, slots={"slow": 1}, worker="test", lease_seconds=600)
            tasks.use(render)
            work = asyncio.create_task(tasks.run())
            try:
                await pool.execute(INSERT, "busy", REQUEST % "busy", 600)
                tasks.wake()
                async with asyncio.timeout(10):
                    await render.begun.wait()
                    await pool.execute(INSERT, "late", REQUEST % "late", 0)
                    await render.told.wait()
                assert render.overdue == ["late"]
                assert not render.called_off.is_set()
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)

    wait_for(story())
