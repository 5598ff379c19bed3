"""A generator that is killed at any step of any kind of work: the next one goes on, and nothing is paid twice.

The table at the end of this file has a row for each kind of provider and each step that it knows.
"""

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import asyncpg
import pytest

from contracts.events import JobCompleted, JobRequested
from contracts.media import incoming_key
from services.generator.providers.instant import instant_png
from services.generator.store.tasks import NewTask, accept_tasks
from tests.support.engine import Rows
from tests.support.engine_process import PAINTER
from tests.support.postgres import Database, wait_for
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import FakeProvider
from tests.support.providers.setups import SETUPS

NOON = "2026-11-21T12:00:00Z"


@contextmanager
def forking() -> Iterator["Popen[str]"]:
    with Popen([sys.executable, "-m", "tests.support.engine_process"], stdin=PIPE, stdout=PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def host() -> Iterator["Popen[str]"]:
    """What generators are forked from: everything is imported once."""
    with forking() as process:
        yield process


class Generator:
    """Starts and kills generators of one kind over one database."""

    def __init__(self, host: "Popen[str]", order: dict[str, Any]) -> None:
        self._host = host
        self._order = order
        self._pid: int | None = None

    async def _ask(self, order: dict[str, Any]) -> str:
        assert self._host.stdin is not None
        assert self._host.stdout is not None
        self._host.stdin.write(json.dumps(order) + "\n")
        self._host.stdin.flush()
        return await asyncio.wait_for(asyncio.to_thread(self._host.stdout.readline), 30)

    async def start(self, **changes: Any) -> None:
        answer = await self._ask({"start": self._order | changes})
        assert answer.startswith("ready "), answer
        self._pid = int(answer.split()[1])

    async def kill(self) -> None:
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            pid, self._pid = self._pid, None
            assert await self._ask({"reap": pid}) == "reaped\n"


# What the database waits with, as if the machine were slow just then; the step before it is written.
HOLDS = {
    "claimed": ("tasks", "OLD.report_step = 0 AND NEW.report_step > 0"),
    "answered": ("operations", "OLD.step = 'submitting' AND NEW.step IN ('submitted', 'rendered')"),
    "rendered": ("operations", "OLD.step = 'rendered'"),
    "stored": ("tasks", "NEW.state = 'finished' AND OLD.state = 'running'"),
    "reported": ("operations", "OLD.step = 'stored'"),
}
_HOLD = """
    CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$;
    CREATE TRIGGER hold BEFORE UPDATE ON sorami.{} FOR EACH ROW WHEN ({}) EXECUTE FUNCTION public.hold();
"""


@asynccontextmanager
async def held(pool: Any, step: str) -> AsyncIterator[None]:
    """Let the write after a step wait; inside, it has begun to wait. Its transaction dies with its process."""
    table, condition = HOLDS[step]
    await pool.execute(_HOLD.format(table, condition))
    async with pool.acquire() as ours:
        await ours.execute("SELECT pg_advisory_lock(42)")
        yield
        # The server would go on with what its dead client asked for: its process ends before the write, too.
        await ours.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        )
        await ours.execute("SELECT pg_advisory_unlock(42)")
    await pool.execute(f"DROP TRIGGER hold ON sorami.{table}")


@dataclass
class Stage:
    """One job of one kind, the generators that may have it, and whoever is paid for it."""

    name: str
    folder: Path
    generator: Generator
    rows: Rows
    fake: FakeProvider | None

    @property
    def paid(self) -> int:
        return len(self.fake.ledger.paid) if self.fake else 0

    async def request(self) -> None:
        if self.fake is not None:
            await self.rows.request("job1", self.name)
            return
        model = "painter-1" if self.name == PAINTER else "instant"
        event = JobRequested(
            job_id="job1", kind="image", at=NOON, user_id="u1", prompt="Un chat", model=model, count=1,
            size="64x64", format="PNG",
        )  # fmt: skip
        await accept_tasks(self.rows.pool, [NewTask(event, self.name, model, None)])

    async def worker_completes(self) -> None:
        """What a worker of others uploads and says, as the generator keeps it."""
        body = instant_png("painted elsewhere")
        key = incoming_key("job1", hashlib.sha256(body).hexdigest())
        path = self.folder / "objects" / key
        path.parent.mkdir(parents=True)
        path.write_bytes(body)
        file = {"index": 1, "storage_key": key, "filename": "a.png", "format": "PNG", "content_type": "image/png"}
        event = JobCompleted(job_id="job1", kind="image", at=NOON, provider=PAINTER, files=[file])
        await self.rows.pool.execute(
            "INSERT INTO sorami.worker_reports (job_id, provider, topic, event) VALUES ('job1', $1, $2, $3)",
            PAINTER, "job.completed", event.model_dump_json(),
        )  # fmt: skip

    async def restart(self, **changes: Any) -> None:
        """Start the next generator, whose predecessor's lease has run out."""
        await self.rows.pool.execute(
            "UPDATE sorami.tasks SET lease_until = now() - interval '1 second' WHERE state = 'running'"
        )
        await self.rows.pool.execute("UPDATE sorami.tasks SET due_at = now() WHERE state IN ('queued', 'waiting')")
        await self.generator.start(**changes)

    async def ends(self, code: str | None) -> None:
        """Wait for the one ending: COMPLETED with its file, or the failure of this code, whose outcome nobody knows."""
        topic, ending = await self.rows.ended("job1")
        if code is None:
            assert topic == "job.completed", ending
            (file,) = ending["files"]
            stored = (self.folder / "objects" / file["storage_key"]).read_bytes()
            assert hashlib.sha256(stored).hexdigest() == file["sha256"]
        else:
            assert (topic, ending["failure"]["code"]) == ("job.failed", code)
            assert ending["failure"]["charged"] == "unknown"


@asynccontextmanager
async def stage(
    database: Database, folder: Path, host: "Popen[str]", name: str, script: Behaviour = Behaviour.SUCCESS
) -> AsyncIterator[Stage]:
    fake = SETUPS[name].fake() if name in SETUPS else None
    if fake is not None:
        fake.script = script
        await fake.start()
    order = {
        "database": database.url,
        "name": name,
        "fake": fake.url if fake else "",
        "folder": str(folder),
        "poll_every": 0.05,
        "resubmit": False,
        "forgotten_after": 600,
    }
    generator = Generator(host, order)
    async with asyncpg.create_pool(database.url, min_size=1, max_size=3) as pool:
        made = Stage(name, folder, generator, Rows(pool), fake)
        await made.request()
        try:
            yield made
        finally:
            await generator.kill()
            if fake is not None:
                await fake.stop()


# The table: a kind of provider, the step at which its generator is killed, and how the job ends all the same.
SYNCHRONOUS, OPERATIONS, FINDABLE, KEYED = "gemini", "fal", "replicate", "openai with a key for repeats"
TABLE = [
    # sent and executed, no answer yet: only who can be asked, or honours a key, can tell
    (SYNCHRONOUS, "submitting", "outcome_unknown"),
    (OPERATIONS, "submitting", "outcome_unknown"),
    ("flask", "submitting", "outcome_unknown"),
    (FINDABLE, "submitting", None),
    ("comfyui", "submitting", None),
    (KEYED, "submitting", None),
    # the answer came and was not written
    (SYNCHRONOUS, "answered", "outcome_unknown"),
    (OPERATIONS, "answered", "outcome_unknown"),
    ("flask", "answered", "outcome_unknown"),
    (FINDABLE, "answered", None),
    (KEYED, "answered", None),
    (PAINTER, "answered", None),
    # the operation is known
    (OPERATIONS, "submitted", None),
    ("veo", "submitted", None),
    ("flask", "submitted", None),
    (PAINTER, "submitted", None),
    # the media are made, in our bucket, reported
    (SYNCHRONOUS, "rendered", None),
    (OPERATIONS, "rendered", None),
    (PAINTER, "rendered", None),
    (SYNCHRONOUS, "stored", None),
    (OPERATIONS, "stored", None),
    (PAINTER, "stored", None),
    (SYNCHRONOUS, "reported", None),
    (OPERATIONS, "reported", None),
    (PAINTER, "reported", None),
    # what is drawn here has no operation: begun, and stored but not reported
    ("instant", "claimed", None),
    ("instant", "stored", None),
]


async def until_paid(on: Stage) -> None:
    async with asyncio.timeout(20):
        while not on.paid:  # noqa: ASYNC110 - the fake's ledger tells nobody
            await asyncio.sleep(0.02)


async def kill_at(on: Stage, step: str) -> None:
    """Start a generator and kill it when this step is written and the next one is not."""
    if on.name == PAINTER and step != "submitted":
        await on.worker_completes()
    if step == "submitting":
        await on.generator.start()
        await until_paid(on)
        await on.generator.kill()
    elif step == "submitted":
        await on.generator.start(poll_every=600)
        await on.rows.until("SELECT 1 FROM sorami.operations WHERE step = 'submitted'")
        await on.generator.kill()
    else:
        async with held(on.rows.pool, step):
            await on.generator.start()
            await on.rows.until("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            await on.generator.kill()


@pytest.mark.parametrize(("name", "step", "code"), TABLE, ids=[f"{name}-{step}" for name, step, _ in TABLE])
def test_a_generator_killed_at_a_step_ends_its_job_once_and_pays_once(
    migrated: Database, tmp_path: Path, host: "Popen[str]", name: str, step: str, code: str | None
) -> None:
    async def story() -> None:
        script = Behaviour.LOST_ANSWER if step == "submitting" else Behaviour.SUCCESS
        async with stage(migrated, tmp_path, host, name, script) as on:
            await kill_at(on, step)
            if on.name == PAINTER and step == "submitted":
                await on.worker_completes()
            await on.restart(forgotten_after=1 if name == "flask" else 600)
            if (name, step) == ("flask", "submitted"):
                await settled_by_its_webhook(on)
            else:
                await on.ends(code)
            assert on.paid == (1 if on.fake else 0)

    wait_for(story())


async def settled_by_its_webhook(on: Stage) -> None:
    """The backend's own word ends the job; the generator only has to let go of it, once."""
    await on.rows.pool.execute(
        """INSERT INTO sorami.jobs (id, kind, owner_id, provider, request, request_hash, status)
           VALUES ('job1', 'image', 'u1', 'flask', '{}', '', 'COMPLETED')"""
    )
    await on.rows.until("SELECT 1 FROM sorami.operations WHERE outcome = 'completed' AND closed_at IS NOT NULL")
    assert await on.rows.endings("job1") == []


@pytest.mark.parametrize("name", [SYNCHRONOUS, OPERATIONS, "flask"])
def test_where_the_operator_wants_it_an_ambiguous_submit_is_repeated_once_a_crash(
    migrated: Database, tmp_path: Path, host: "Popen[str]", name: str
) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path, host, name, Behaviour.LOST_ANSWER) as on:
            await kill_at(on, "submitting")
            await on.restart(resubmit=True)
            if name == "flask":
                await on.rows.until("SELECT 1 FROM sorami.operations WHERE step = 'submitted'")
            else:
                await on.ends(None)
            assert on.paid == 2

    wait_for(story())
