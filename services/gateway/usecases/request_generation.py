"""Request a generation: one row, one event, one id, before anyone is told anything."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.cloudevents import to_record
from contracts.events import JobRequested
from contracts.ids import new_id
from contracts.models import choose_model
from contracts.requests import Wanted
from services.gateway.queries import generations
from services.gateway.store.jobs import Inserted, NewJob, insert_jobs
from services.runtime.database import Pool, is_transient
from services.runtime.group_commit import GroupCommit
from services.runtime.identity import Caller
from services.runtime.outbox import OutboxRow


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that is durable; `repeated` when the same one was asked for before."""

    view: generations.StatusView
    repeated: bool = False


class JobIdTaken(Exception):
    """The job_id belongs to another job, to somebody else, or to one that was deleted; choose another."""


class RequestGeneration:
    """The use case behind POST …/generate; requests that arrive together are committed together."""

    def __init__(
        self,
        pool: Pool,
        offer: Callable[[Sequence[OutboxRow]], None],
        *,
        lifetime: timedelta,
        resolve_input: Callable[[str, Wanted], Awaitable[Wanted]],
    ) -> None:
        self._pool = pool
        self._resolve_input = resolve_input
        self._offer = offer
        self._lifetime = lifetime
        self._commits: GroupCommit[NewJob, Inserted | None] = GroupCommit(self._flush, is_retryable=is_transient)

    @property
    def waiting(self) -> int:
        return self._commits.waiting

    async def __call__(self, caller: Caller, wanted: Wanted, traceparent: str | None) -> Accepted:
        """Accept the request; raises RequestRefused, ModelUnknown, JobIdTaken, or Overloaded."""
        wanted = await self._resolve_input(caller.user_id, wanted)
        job = self._new_job(caller, wanted, traceparent)
        inserted = await self._commits.submit(job)
        if inserted is not None:
            return Accepted(generations.StatusView.requested(wanted.kind, job.id, inserted.created_at))
        return await self._repeated(caller, wanted, job.id)

    def _new_job(self, caller: Caller, wanted: Wanted, traceparent: str | None) -> NewJob:
        model = choose_model(wanted.kind.name, wanted.model)
        now = datetime.now(UTC)
        event = JobRequested(
            job_id=wanted.job_id or new_id(),
            kind=wanted.kind.name,
            at=now,
            user_id=caller.user_id,
            organization_id=caller.organization_id,
            prompt=wanted.prompt,
            model=model.id,
            count=wanted.count,
            size=wanted.size,
            format=wanted.format,
            style=wanted.style,
            quality=wanted.quality,
            input_image_url=wanted.input_image_url,
            options=dict(wanted.options),
            finish_by=now + self._lifetime,
        )
        record = to_record(event, service="gateway", traceparent=traceparent)
        return NewJob(
            id=event.job_id,
            kind=wanted.kind,
            owner_id=caller.user_id,
            organization_id=caller.organization_id,
            origin="api",
            prompt=wanted.prompt,
            model=model.id,
            provider=model.provider,
            count=wanted.count,
            size=wanted.size,
            format=wanted.format,
            style=wanted.style,
            quality=wanted.quality,
            input_image_url=wanted.input_image_url,
            request=record.value.decode(),
            request_hash=wanted.digest(),
            numbers=json.dumps(dict(wanted.options)),
            finish_by=event.finish_by,
            record=record,
        )

    async def _flush(self, jobs: Sequence[NewJob]) -> list[Inserted | None]:
        # Two requests of one group with one id: the first counts, as if they had come in two groups.
        first = {job.id: job for job in reversed(jobs)}
        inserted = await insert_jobs(self._pool, list(first.values()))
        self._offer([row.outbox for row in inserted.values() if row.outbox is not None])
        return [inserted.get(job.id) if first[job.id] is job else None for job in jobs]

    async def _repeated(self, caller: Caller, wanted: Wanted, job_id: str) -> Accepted:
        known = await generations.job_asked_for(self._pool, job_id)
        if known is None or (known.owner_id, known.request_hash) != (caller.user_id, wanted.digest()):
            raise JobIdTaken
        view = await generations.status(self._pool, wanted.kind, job_id, caller.user_id)
        if view is None:
            raise JobIdTaken
        return Accepted(view, repeated=True)

    async def close(self) -> None:
        """Wait for the commits under way."""
        await self._commits.close()
