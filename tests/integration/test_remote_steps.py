"""Work that is rendered elsewhere, on a real database: every ending, and how often was paid for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from contracts.events import JobCancelRequested
from contracts.failures import Failure
from services.generator.app import RemoteParts
from services.generator.providers.base import Operation, Order, Running, Submitted, Traits
from services.generator.usecases.reporter import Reporter
from tests.support.engine import Rows, faked
from tests.support.postgres import Database, wait_for
from tests.support.providers.behaviours import PAUSE_SECONDS, Behaviour
from tests.support.providers.fake import FakeProvider
from tests.support.wired import Wired, wired


@asynccontextmanager
async def engine(
    database: Database,
    folder: Path,
    name: str,
    script: Behaviour = Behaviour.SUCCESS,
    *,
    poll_every: float = 0.05,
    **settings: Any,
) -> AsyncIterator[tuple[FakeProvider, Wired, Rows]]:
    async with (
        faked(name, folder, script, poll_every=poll_every) as (fake, parts),
        wired(database.url, parts, **settings) as services,
    ):
        yield fake, services, Rows(services.pool)


@pytest.mark.parametrize("name", ["gemini", "openai", "veo", "replicate", "fal", "bfl", "comfyui"])
def test_a_job_is_rendered_elsewhere_and_paid_once(migrated: Database, tmp_path: Path, name: str) -> None:
    async def story() -> None:
        async with engine(migrated, tmp_path, name, Behaviour.SLOW) as (fake, services, rows):
            await rows.request("job1", name)
            services.generator.run_tasks.wake()
            topic, ending = await rows.ended("job1")
            assert topic == "job.completed", ending
            (file,) = ending["files"]
            assert file["storage_key"].rpartition("/")[0] == ("videos/job1" if name == "veo" else "images/job1")
            assert file["sha256"]
            assert file["width"] in (32, 64)  # what the fakes make, whatever was asked for
            assert file["placeholder"]
            assert file["storage_key"] in services.objects.stored
            assert len(fake.ledger.paid) == 1
            (attempt,) = await rows.attempts("job1")
            assert (attempt["step"], attempt["outcome"]) == ("reported", "completed")

    wait_for(story())


def test_a_film_has_its_length_and_a_poster(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(migrated, tmp_path, "veo") as (_, services, rows):
            await rows.request("film", "veo")
            services.generator.run_tasks.wake()
            _, ending = await rows.ended("film")
            (file,) = ending["files"]
            assert (file["duration_seconds"], file["fps"]) == (1.0, 8)
            assert file["thumbnail_key"] in services.objects.stored

    wait_for(story())


@pytest.mark.parametrize(
    ("name", "paid", "code"),
    [("replicate", 1, None), ("openai with a key for repeats", 1, None), ("fal", 1, "outcome_unknown")],
    ids=["findable", "idempotent", "neither"],
)
def test_an_answer_that_breaks_off_is_paid_once(
    migrated: Database, tmp_path: Path, name: str, paid: int, code: str | None
) -> None:
    async def story() -> None:
        async with engine(migrated, tmp_path, name, Behaviour.HALF_ANSWER) as (fake, services, rows):
            await rows.request("job1", name)
            services.generator.run_tasks.wake()
            topic, ending = await rows.ended("job1")
            assert len(fake.ledger.paid) == paid
            if code is None:
                assert topic == "job.completed", ending
            else:
                assert topic == "job.failed"
                assert (ending["failure"]["code"], ending["failure"]["charged"]) == (code, "unknown")
            (attempt,) = await rows.attempts("job1")
            assert (attempt["failure_code"], attempt["closed"]) == (code, True)

    wait_for(story())


def test_a_submit_that_was_certainly_not_accepted_is_sent_again(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(migrated, tmp_path, "replicate", Behaviour.NOT_EXECUTED) as (fake, services, rows):
            await rows.request("job1", "replicate")
            services.generator.run_tasks.wake()
            assert (await rows.ended("job1"))[0] == "job.completed"
            assert (len(fake.ledger.tried), len(fake.ledger.paid)) == (2, 1)
            (attempt,) = await rows.attempts("job1")
            assert attempt["submits"] == 2

    wait_for(story())


def test_a_repeat_that_is_refused_keeps_its_key(migrated: Database, tmp_path: Path) -> None:
    """The first request may have been executed: another key would pay for another picture."""

    async def story() -> None:
        async with engine(migrated, tmp_path, "openai with a key for repeats", Behaviour.HALF_ANSWER) as (
            fake,
            services,
            rows,
        ):
            await rows.request("job1", "openai with a key for repeats")
            services.generator.run_tasks.wake()
            await rows.until("SELECT 1 FROM sorami.tasks WHERE state = 'queued' AND fence = 1")
            fake.script = Behaviour.CAPACITY
            row = await rows.until(
                "SELECT extract(epoch FROM due_at - updated_at)::float8 AS pause FROM sorami.tasks"
                " WHERE state = 'queued' AND fence = 2"
            )
            assert row["pause"] >= PAUSE_SECONDS
            fake.script = Behaviour.SUCCESS
            await services.pool.execute("UPDATE sorami.tasks SET due_at = now()")
            services.generator.run_tasks.wake()
            assert (await rows.ended("job1"))[0] == "job.completed"
            assert len({submit.headers["Idempotency-Key"] for submit in fake.ledger.tried}) == 1
            assert (len(fake.ledger.tried), len(fake.ledger.paid)) == (3, 1)
            assert [one["submits"] for one in await rows.attempts("job1")] == [3]

    wait_for(story())


def test_an_ambiguous_submit_is_repeated_once_where_the_operator_wants_it(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(migrated, tmp_path, "fal", Behaviour.HALF_ANSWER, resubmit_ambiguous=True) as (
            fake,
            services,
            rows,
        ):
            await rows.request("job1", "fal")
            services.generator.run_tasks.wake()
            assert (await rows.ended("job1"))[0] == "job.completed"
            assert len(fake.ledger.paid) == 2

    wait_for(story())


def test_a_pause_that_the_provider_asks_for_is_kept_and_the_attempt_listed(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(migrated, tmp_path, "fal", Behaviour.RATE_LIMITED) as (fake, services, rows):
            await rows.request("job1", "fal")
            services.generator.run_tasks.wake()
            row = await rows.until(
                "SELECT extract(epoch FROM due_at - updated_at)::float8 AS pause FROM sorami.tasks"
                " WHERE state = 'queued' AND fence = 1"
            )
            assert PAUSE_SECONDS <= row["pause"] <= PAUSE_SECONDS * 1.3
            assert len(fake.ledger.tried) == 1
            await services.pool.execute("UPDATE sorami.tasks SET due_at = now()")
            services.generator.run_tasks.wake()
            assert (await rows.ended("job1"))[0] == "job.completed"
            first, second = await rows.attempts("job1")
            assert (first["outcome"], first["failure_code"], first["charged"]) == ("failed", "rate_limited", "no")
            assert (second["outcome"], second["attempt"]) == ("completed", 2)
            assert len(fake.ledger.paid) == 1

    wait_for(story())


@pytest.mark.parametrize(
    ("script", "code", "charged"),
    [
        (Behaviour.FILTER_OUTPUT, "content_filtered", "unknown"),
        (Behaviour.VANISHED, "provider_error", "unknown"),
        (Behaviour.HTML, "provider_error", "yes"),
        (Behaviour.CORRUPT, "provider_error", "yes"),
        (Behaviour.PRIVATE_REDIRECT, "provider_error", "yes"),
        (Behaviour.AUTH, "provider_auth", "no"),
        (Behaviour.QUOTA, "quota", "no"),
    ],
)
def test_what_ends_badly_ends_for_its_reason_and_is_not_sent_again(
    migrated: Database, tmp_path: Path, script: Behaviour, code: str, charged: str
) -> None:
    async def story() -> None:
        async with engine(migrated, tmp_path, "replicate", script) as (fake, services, rows):
            await rows.request("job1", "replicate")
            services.generator.run_tasks.wake()
            topic, ending = await rows.ended("job1")
            assert topic == "job.failed"
            assert (ending["failure"]["code"], ending["failure"]["charged"]) == (code, charged)
            assert len(fake.ledger.tried) == 1
            assert services.objects.stored == {}
            (attempt,) = await rows.attempts("job1")
            assert (attempt["outcome"], attempt["failure_code"]) == ("failed", code)

    wait_for(story())


def test_cancelling_a_submitted_task_stops_the_provider_s_job(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(migrated, tmp_path, "fal", Behaviour.SLOW, poll_every=0.4) as (fake, services, rows):
            await rows.request("job1", "fal")
            services.generator.run_tasks.wake()
            await rows.until("SELECT 1 FROM sorami.tasks WHERE state = 'waiting'")
            wish = JobCancelRequested(job_id="job1", kind="image", at=datetime.now(UTC), user_id="u1")
            await services.generator.cancel_jobs([(wish, None)])
            await rows.until("SELECT 1 FROM sorami.operations WHERE outcome = 'cancelled' AND closed_at IS NOT NULL")
            (work,) = fake.works.values()
            assert work.cancelled
            polls = work.polls
            # The provider is done all the same: nobody asks, and the first ending stays the only one.
            fake.script = Behaviour.SUCCESS
            await services.pool.execute("UPDATE sorami.tasks SET due_at = now()")
            services.generator.poll_tasks._wake.set()
            await asyncio.sleep(1)
            assert work.polls == polls
            ((topic, ending),) = await rows.endings("job1")
            assert (topic, ending["failure"]["code"]) == ("job.failed", "cancelled")

    wait_for(story())


class SlowToAnswer:
    """Takes a submit, and answers when it is let."""

    name = "fal"
    traits = Traits(cancellable=True)

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.cancelled: list[str] = []

    async def submit(self, order: Order, submit_key: str) -> Submitted:
        self.asked.set()
        await self.answers.wait()
        return Submitted(Operation("op-1"), 60)

    async def cancel(self, operation: Operation) -> bool:
        self.cancelled.append(operation.id)
        return True


def test_a_submit_that_is_called_off_is_heard_out_and_its_operation_stopped(migrated: Database) -> None:
    async def story() -> None:
        provider = SlowToAnswer()
        async with wired(migrated.url, RemoteParts(providers={"fal": cast(Any, provider)})) as services:
            rows = Rows(services.pool)
            await rows.request("job1", "fal")
            services.generator.run_tasks.wake()
            async with asyncio.timeout(10):
                await provider.asked.wait()
            wish = JobCancelRequested(job_id="job1", kind="image", at=datetime.now(UTC), user_id="u1")
            await services.generator.cancel_jobs([(wish, None)])
            provider.answers.set()
            await rows.until("SELECT 1 FROM sorami.operations WHERE operation_id = 'op-1' AND outcome = 'cancelled'")
            await rows.until("SELECT 1 FROM sorami.operations WHERE closed_at IS NOT NULL", within=10)
            assert provider.cancelled == ["op-1"]
            ((topic, ending),) = await rows.endings("job1")
            assert (topic, ending["failure"]["code"]) == ("job.failed", "cancelled")

    wait_for(story())


def test_a_waiting_task_whose_deadline_passes_ends_and_its_operation_too(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(migrated, tmp_path, "fal", Behaviour.SLOW, poll_every=30) as (fake, services, rows):
            await rows.request("job1", "fal", finish_by=datetime.now(UTC) + timedelta(seconds=1.5))
            services.generator.run_tasks.wake()
            topic, ending = await rows.ended("job1", within=8)
            assert (topic, ending["failure"]["code"]) == ("job.failed", "timeout")
            assert next(iter(fake.works.values())).cancelled

    wait_for(story())


WAITING = """
    WITH made AS (
        INSERT INTO sorami.tasks (job_id, kind, owner_id, provider, request, state)
        SELECT 'job' || n, 'image', 'u1', 'fal', '{}', 'waiting' FROM generate_series(1, $1::int) AS n
        RETURNING job_id
    )
    INSERT INTO sorami.operations (job_id, attempt, provider, operation_id, owner_id, submit_key, step)
    SELECT job_id, 1, 'fal', job_id, 'u1', 'k', 'submitted' FROM made
"""


class Punctual:
    """Never done; notes how late it is asked about each operation."""

    name = "fal"
    traits = Traits()

    def __init__(self) -> None:
        self.due: dict[str, float] = {}
        self.late: list[float] = []
        self.asked_often = asyncio.Event()

    async def poll(self, operation: Operation) -> Running:
        now = datetime.now(UTC).timestamp()
        if operation.id in self.due:
            self.late.append(now - self.due[operation.id])
        if len(self.late) >= 400:
            self.asked_often.set()
        await asyncio.sleep(0.2)
        self.due[operation.id] = datetime.now(UTC).timestamp() + 3.0
        return Running(3.0)

    async def close(self) -> None:
        """Nothing is held."""


def test_one_process_asks_about_two_hundred_operations_in_time(migrated: Database) -> None:
    async def story() -> None:
        provider = Punctual()
        parts = RemoteParts(providers={"fal": cast(Any, provider)})
        async with wired(migrated.url, parts) as services:
            await services.pool.execute(WAITING, 200)
            async with asyncio.timeout(30):
                await provider.asked_often.wait()
            assert len(provider.due) == 200
            worst = max(provider.late)
            print(f"200 operations every 3 s: the latest question was {worst:.2f} s late")
            # Up to 0.3 s of it is meant: what is due together is spread.
            assert worst < 2.0

    wait_for(story())


def test_a_worker_that_dies_before_it_reports_a_paid_failure_pays_nothing_again(
    migrated: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = Reporter.failed
    told: list[Failure] = []

    async def die_once(self: Reporter, failure: Failure) -> None:
        told.append(failure)
        if len(told) == 1:
            raise ConnectionError("the worker is gone")
        await tell(self, failure)

    monkeypatch.setattr(Reporter, "failed", die_once)

    async def story() -> None:
        async with engine(migrated, tmp_path, "fal", Behaviour.HTML) as (fake, services, rows):
            await rows.request("job1", "fal")
            services.generator.run_tasks.wake()
            topic, ending = await rows.ended("job1")
            assert topic == "job.failed"
            assert (ending["failure"]["code"], ending["failure"]["charged"]) == ("provider_error", "yes")
            assert len(told) == 2
            assert len(fake.ledger.paid) == 1

    wait_for(story())
