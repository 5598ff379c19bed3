"""A generator that is killed at any step of remote work: the next one goes on, and nothing is paid twice."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.support.engine import Rows
from tests.support.postgres import Database, wait_for
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import FakeProvider
from tests.support.providers.setups import SETUPS


class Generator:
    """Starts and kills the process."""

    def __init__(self, database: Database, name: str, url: str, folder: Path) -> None:
        self._arguments = (database.url, name, url, str(folder))
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, **environment: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.engine_process",
            *self._arguments,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | environment,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            assert await self._process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.communicate()


@asynccontextmanager
async def stage(
    database: Database, folder: Path, name: str, script: Behaviour
) -> AsyncIterator[tuple[FakeProvider, Generator, Rows]]:
    fake = SETUPS[name].fake()
    fake.script = script
    await fake.start()
    generator = Generator(database, name, fake.url, folder)
    async with asyncpg.create_pool(database.url, min_size=1, max_size=3) as pool:
        rows = Rows(pool)
        await rows.request("job1", name)
        try:
            yield fake, generator, rows
        finally:
            await generator.kill()
            await fake.stop()


@pytest.mark.parametrize("name", ["fal", "veo"])
def test_a_killed_generator_goes_on_with_the_operation_it_had(migrated: Database, tmp_path: Path, name: str) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path, name, Behaviour.SUCCESS) as (fake, generator, rows):
            await generator.start(POLL_EVERY="600")
            await rows.until("SELECT 1 FROM sorami.operations WHERE step = 'submitted'")
            await generator.kill()
            await generator.start()
            await rows.pool.execute("UPDATE sorami.tasks SET due_at = now()")
            topic, ending = await rows.ended("job1")
            assert topic == "job.completed", ending
            assert len(ending["files"]) == 1
            assert len(fake.ledger.tried) == len(fake.ledger.paid) == 1

    wait_for(story())


@pytest.mark.parametrize(
    ("name", "code"),
    [("replicate", None), ("comfyui", None), ("openai with a key for repeats", None), ("gemini", "outcome_unknown")],
)
def test_a_generator_killed_while_it_submits_pays_once(
    migrated: Database, tmp_path: Path, name: str, code: str | None
) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path, name, Behaviour.LOST_ANSWER) as (fake, generator, rows):
            await generator.start()
            async with asyncio.timeout(20):
                while True:
                    if fake.ledger.paid:
                        break
                    await asyncio.sleep(0.02)
            assert [one["step"] for one in await rows.attempts("job1")] == ["submitting"]
            await generator.kill()
            await generator.start()
            topic, ending = await rows.ended("job1")
            assert len(fake.ledger.paid) == 1
            if code is None:
                assert topic == "job.completed", ending
            else:
                assert (topic, ending["failure"]["code"]) == ("job.failed", code)
                assert ending["failure"]["charged"] == "unknown"

    wait_for(story())


@pytest.mark.parametrize("step", ["rendered", "stored"])
def test_a_generator_killed_with_media_in_hand_pays_once(migrated: Database, tmp_path: Path, step: str) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path, "gemini", Behaviour.SUCCESS) as (fake, generator, rows):
            # The write that follows the step waits for a lock of ours, as if the machine were slow just then.
            await rows.pool.execute(
                f"""
                CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$;
                CREATE TRIGGER hold BEFORE UPDATE ON sorami.operations FOR EACH ROW
                WHEN (OLD.step = '{step}') EXECUTE FUNCTION public.hold();
                """
            )
            async with rows.pool.acquire() as ours:
                await ours.execute("SELECT pg_advisory_lock(42)")
                await generator.start()
                await rows.until("SELECT 1 FROM sorami.operations WHERE step = $1", step)
                await rows.until("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                await generator.kill()
                await ours.execute("SELECT pg_advisory_unlock(42)")
            await rows.until("SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')")
            await rows.pool.execute("DROP TRIGGER hold ON sorami.operations")
            await generator.start()
            topic, ending = await rows.ended("job1")
            assert topic == "job.completed", ending
            assert len(fake.ledger.tried) == 1

    wait_for(story())
