"""The generator with one remote provider behind it: a fake at an address, and what reads its rows."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.events import JobRequested
from contracts.models import BUILT_IN, Model, Models
from services.generator.app import RemoteParts
from services.generator.moderation.policy import Policy
from services.generator.providers.base import RemoteProvider
from services.generator.providers.remote.in_parts import InParts
from services.generator.render_pool import RenderLimits, RenderPool
from services.generator.store.tasks import NewTask, accept_tasks
from services.generator.usecases.collect_media import EXAMINER
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import FakeProvider
from tests.support.providers.setups import SETUPS

_ATTEMPTS = """
    SELECT attempt, step, submits, outcome, failure_code, charged, operation_id, closed_at IS NOT NULL AS closed
    FROM sorami.operations WHERE job_id = $1 ORDER BY attempt
"""
_ENDINGS = """
    SELECT topic, convert_from(value, 'UTF8') AS value FROM sorami.outbox_generator
    WHERE key = $1 AND topic IN ('job.completed', 'job.failed') ORDER BY id
"""


def parts_for(name: str, url: str, folder: Path, *, poll_every: float = 0.05) -> RemoteParts:
    """Build what the generator needs of the provider of a setup, whose fake is at an address."""
    setup = SETUPS[name]
    adapter = setup.build(url, folder)
    adapter.poll_every = poll_every
    model = Model(setup.model, adapter.name, (setup.kind,))
    return RemoteParts(
        providers={adapter.name: InParts(adapter)},
        examiners=RenderPool(1, RenderLimits(wall_seconds=30.0), renderer=EXAMINER, orders_per_child=1),
        models=replace(BUILT_IN, known={**BUILT_IN.known, model.id: model}),
    )


@asynccontextmanager
async def faked(
    name: str, folder: Path, script: Behaviour = Behaviour.SUCCESS, *, poll_every: float = 0.05
) -> AsyncIterator[tuple[FakeProvider, RemoteParts]]:
    """Start the fake of a setup and build the parts in front of it."""
    fake = SETUPS[name].fake()
    fake.script = script
    await fake.start()
    parts = parts_for(name, fake.url, folder, poll_every=poll_every)
    try:
        yield fake, parts
    finally:
        for provider in parts.providers.values():
            await provider.close()
        if parts.examiners is not None:
            await parts.examiners.close()
        await fake.stop()


@asynccontextmanager
async def side_by_side(
    folder: Path, *names: str, orders: Mapping[str, Sequence[str]] | None = None, policy: Policy | None = None
) -> AsyncIterator[tuple[dict[str, FakeProvider], RemoteParts]]:
    """Start the fakes of several setups; `orders` has the models of requests that name none, by kind."""
    async with AsyncExitStack() as stack:
        opened = {name: await stack.enter_async_context(faked(name, folder)) for name in names}
        known = dict(BUILT_IN.known)
        providers: dict[str, RemoteProvider] = {}
        for _, parts in opened.values():
            known |= parts.models.known
            providers |= parts.providers
        first = next(iter(opened.values()))[1]
        models = Models(known, {**BUILT_IN.orders, **(orders or {})})
        fakes = {name: fake for name, (fake, _) in opened.items()}
        yield fakes, RemoteParts(providers, first.examiners, models, policy)


@dataclass
class Rows:
    """What the generator wrote of its tasks."""

    pool: Any

    async def request(self, job_id: str, name: str, **more: Any) -> None:
        """Put a requested job into the task table, as the generator's handler does."""
        setup = SETUPS[name]
        film = setup.kind == "video"
        event = JobRequested(
            job_id=job_id,
            kind=setup.kind,
            at=datetime.now(UTC),
            user_id="u1",
            prompt="Un chat mignon",
            model=setup.model,
            count=1,
            size="1280x720" if film else "1024x1024",
            format="MP4" if film else "PNG",
            **more,
        )
        await accept_tasks(self.pool, [NewTask(event, provider_of(name), setup.model, None)])

    async def attempts(self, job_id: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.pool.fetch(_ATTEMPTS, job_id)]

    async def endings(self, job_id: str) -> list[tuple[str, dict[str, Any]]]:
        """What was told of the job's end, in order."""
        rows = await self.pool.fetch(_ENDINGS, job_id)
        return [(row["topic"], json.loads(row["value"])) for row in rows]

    async def ended(self, job_id: str, within: float = 30) -> tuple[str, dict[str, Any]]:
        """Return the only ending of a job, when it has come."""
        await self.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1 AND state = 'finished'", job_id, within=within)
        endings = await self.endings(job_id)
        assert len(endings) == 1, endings
        await self.until(
            "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.operations WHERE job_id = $1 AND closed_at IS NULL)", job_id
        )
        return endings[0]

    async def until(self, statement: str, *values: Any, within: float = 30) -> Any:
        """Return the first row of a statement, asking again until there is one."""
        try:
            async with asyncio.timeout(within):
                while True:
                    if (row := await self.pool.fetchrow(statement, *values)) is not None:
                        return row
                    await asyncio.sleep(0.03)
        except TimeoutError:
            tasks = [dict(row) for row in await self.pool.fetch("SELECT * FROM sorami.tasks")]
            raise AssertionError(f"never came: {statement}; {tasks}") from None


def provider_of(name: str) -> str:
    """Return the provider's name of a setup."""
    return {"localai": "openai", "openai with a key for repeats": "openai", "comfyui before 0.26": "comfyui"}.get(
        name, name
    )
