"""The whole table through the engine on a real database: each job ends as stated, and is paid for as often as stated.

All cells run at once, each with a fake, an adapter and a job of its own; pauses that providers ask for pass at once.
"""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.events import JobRequested
from services.generator.app import RemoteParts
from services.generator.providers.base import RemoteProvider
from services.generator.providers.remote.in_parts import InParts
from services.generator.render_pool import RenderLimits, RenderPool
from services.generator.store.tasks import NewTask, accept_tasks
from services.generator.usecases.collect_media import EXAMINER
from tests.support.engine import Rows
from tests.support.postgres import PostgresServer, wait_for
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import FakeProvider
from tests.support.providers.setups import SETUPS
from tests.support.providers.table import LIVE, TABLE, B, C, Done, Fails, Waits
from tests.support.wired import wired

Key = tuple[str, Behaviour]
LONGEST_PAUSE = 20.0
"""Seconds: what waits for less goes on at once. A question under way has its task for a minute."""
AT_ONCE = """
    UPDATE sorami.tasks SET due_at = now()
    WHERE state IN ('queued', 'waiting') AND due_at > now() AND due_at < now() + $1 * interval '1 second'
      AND provider NOT LIKE 'flask%'
"""
NOT_ENDED = """
    SELECT count(*) FROM sorami.tasks t
    WHERE t.state <> 'finished' AND NOT (t.state = 'waiting' AND t.provider LIKE 'flask%')
       OR EXISTS (SELECT FROM sorami.operations o WHERE o.job_id = t.job_id AND o.closed_at IS NULL
                  AND t.provider NOT LIKE 'flask%')
"""


@dataclass(frozen=True)
class Ended:
    """How a cell came out: its only ending, what was paid, and the attempts."""

    topic: str | None
    event: dict[str, Any]
    paid: int
    attempts: list[dict[str, Any]]


def job_id_of(key: Key) -> str:
    return f"{list(SETUPS).index(key[0])}-{key[1].name}"


async def run_all(url: str, folder: Path) -> dict[Key, Ended]:
    fakes: dict[Key, FakeProvider] = {}
    providers: dict[str, RemoteProvider] = {}
    async with AsyncExitStack() as stack:
        for key in LIVE:
            fake, adapter = await _cell(key, folder / job_id_of(key), stack)
            fakes[key] = fake
            providers[adapter.name] = InParts(adapter)
        # Children that look at many media: one a medium is what the other tests are about.
        examiners = RenderPool(2, RenderLimits(wall_seconds=60.0), renderer=EXAMINER, orders_per_child=500)
        stack.push_async_callback(examiners.close)
        services = await stack.enter_async_context(wired(url, RemoteParts(providers, examiners)))
        await accept_tasks(services.pool, [_task(key) for key in LIVE])
        services.generator.run_tasks.wake()
        rows = Rows(services.pool)
        async with asyncio.timeout(240):
            while await services.pool.fetchval(NOT_ENDED):
                await services.pool.execute(AT_ONCE, LONGEST_PAUSE)
                services.generator.run_tasks.wake()
                services.generator.poll_tasks._wake.set()
                await asyncio.sleep(0.2)
        return {key: await _ended(rows, key, fake) for key, fake in fakes.items()}


async def _cell(key: Key, folder: Path, stack: AsyncExitStack) -> tuple[FakeProvider, Any]:
    name, behaviour = key
    fake = SETUPS[name].fake()
    fake.script = behaviour
    await fake.start()
    stack.push_async_callback(fake.stop)
    adapter = SETUPS[name].build(fake.url, folder)
    stack.push_async_callback(adapter.close)
    adapter.poll_every = 0.05
    adapter.name = f"{adapter.name} {job_id_of(key)}"
    adapter.api.submit_seconds = 1.0 if behaviour is B.LOST_ANSWER else 60.0
    return fake, adapter


def _task(key: Key) -> NewTask:
    setup = SETUPS[key[0]]
    film = setup.kind == "video"
    provider = {"localai": "openai"}.get(key[0], key[0].partition(" ")[0])
    event = JobRequested(
        job_id=job_id_of(key),
        kind=setup.kind,
        at=datetime.now(UTC),
        user_id="u1",
        prompt="Un chat mignon",
        model=setup.model,
        count=_asked(key[1]),
        size="1280x720" if film else "1024x1024",
        format="MP4" if film else "PNG",
    )
    return NewTask(event, f"{provider} {job_id_of(key)}", setup.model, None)


def _asked(behaviour: Behaviour) -> int:
    return 2 if behaviour is B.FILTER_PARTIAL else 1


async def _ended(rows: Rows, key: Key, fake: FakeProvider) -> Ended:
    endings = await rows.endings(job_id_of(key))
    assert len(endings) <= 1, f"{key} ended twice"
    topic, event = endings[0] if endings else (None, {})
    return Ended(topic, event, len(fake.ledger.paid), await rows.attempts(job_id_of(key)))


@pytest.fixture(scope="module")
def endings(
    postgres: PostgresServer, migrated_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[Key, Ended]]:
    """Every cell of the table, run to its end."""
    with pytest.MonkeyPatch.context() as patch:
        # Reading the machine's certificates for each of two hundred adapters would be most of the time.
        context = ssl.create_default_context()
        patch.setattr(ssl, "create_default_context", lambda: context)
        folder = tmp_path_factory.mktemp("cells")
        for key in LIVE:
            (folder / job_id_of(key)).mkdir()
        with postgres.lent(migrated_name) as database:
            yield wait_for(run_all(database.url, folder))


@pytest.mark.parametrize(("name", "behaviour"), [pytest.param(*key, id=f"{key[0]}: {key[1].value}") for key in LIVE])
def test_a_job_ends_as_the_table_says_and_is_paid_for_as_often(
    endings: Mapping[Key, Ended], name: str, behaviour: Behaviour
) -> None:
    expected, ended = TABLE[name][behaviour], endings[name, behaviour]
    assert ended.paid == expected.paid  # type: ignore[union-attr]
    match expected:
        case Waits():
            assert ended.topic is None
            assert ended.attempts[-1]["step"] == "submitted"
        case Done():
            assert ended.topic == "job.completed", ended.event
            assert len(ended.event["files"]) == expected.count
            assert ended.attempts[-1]["outcome"] == "completed"
            missing = ended.event["metadata"].get("partial", {}).get("missing", [])
            assert [one["code"] for one in missing[:1]] == ([expected.partial] if expected.partial else [])
            if expected.partial == "content_filtered":
                assert missing[0]["filtered"]["stage"] == "partial"
        case Fails():
            assert ended.topic == "job.failed", ended.event
            failure = ended.event["failure"]
            assert (failure["code"], failure["charged"]) == (expected.code, expected.charged)
            assert ended.attempts[-1]["failure_code"] == expected.code
            assert not expected.stage or failure["stage"] == expected.stage
            if expected.code is C.CONTENT_FILTERED:
                assert failure["filtered"]["stage"] == ("output" if expected.stage == "output" else "input")
                assert failure["filtered"]["reasons"]
