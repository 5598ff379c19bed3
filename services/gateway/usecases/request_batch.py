"""Request a batch: all of its jobs or none, in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from contracts.abilities import ModelCannot
from contracts.batches import WantedBatch
from contracts.ids import new_id
from contracts.models import BUILT_IN, Models
from contracts.requests import Wanted
from services.gateway.metrics import count_inserts
from services.gateway.queries import generations
from services.gateway.queries.idempotency import kept_answer
from services.gateway.store.batches import insert_batch
from services.gateway.store.jobs import Limits, NewJob, Outcome, insert_jobs
from services.gateway.usecases.limits import Remaining, limit_reached, remaining
from services.gateway.usecases.new_jobs import Asking, KeyReused, claimed, new_job, request_hash
from services.gateway.usecases.request_generation import JobIdTaken, ParentUnknown, ResolveInput
from services.runtime.database import Pool, transaction
from services.runtime.outbox import OutboxRow
from services.runtime.own_rows import OwnRows


@dataclass(frozen=True, slots=True)
class AcceptedBatch:
    """A batch whose jobs are durable; `replayed` when its idempotency key was used before."""

    batch_id: str
    views: list[generations.StatusView]
    replayed: bool = False
    language: str = "fr"
    remaining: list[Remaining] = field(default_factory=list)


class _NotAll(Exception):
    """Some job of the batch could not be inserted, so none is."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = outcomes


class RequestBatch:
    """The use case behind POST /api/batches."""

    def __init__(
        self,
        pool: Pool,
        offer: Callable[[Sequence[OutboxRow]], None],
        *,
        lifetime: timedelta,
        limits: Limits,
        resolve_input: ResolveInput,
        models: Models = BUILT_IN,
    ) -> None:
        self._pool = pool
        self._offer = offer
        self._lifetime = lifetime
        self._limits = limits
        self._models = models
        self._resolve_input = resolve_input

    async def __call__(self, asking: Asking, wanted: WantedBatch) -> AcceptedBatch:
        """Accept the batch; raises what RequestGeneration raises."""
        digest = request_hash("batch", wanted.digest())
        replayed = await self._replayed(asking, digest)
        if replayed is not None:
            return replayed
        batch_id = new_id()
        resolved = [await self._resolve_input(asking.caller.user_id, one) for one in wanted.jobs]
        jobs = [self._new_job(asking, one, batch_id, wanted.place(number)) for number, one in enumerate(resolved)]
        for parent_id in {job.parent_id for job in jobs if job.parent_id is not None}:
            if not await generations.is_own(OwnRows(self._pool, asking.caller.user_id), parent_id):
                raise ParentUnknown
        try:
            return await self._insert(asking, batch_id, claimed(asking, jobs, digest))
        except _NotAll as error:
            return await self._known(asking, digest, error.outcomes)

    def _new_job(self, asking: Asking, wanted: Wanted, batch_id: str, place: str) -> NewJob:
        try:
            return new_job(asking, wanted, self._lifetime, self._models, batch_id=batch_id)
        except ModelCannot as error:
            faults = [replace(fault, field=place + fault.field) for fault in error.faults]
            raise ModelCannot(error.model, faults, error.others) from None

    async def _insert(self, asking: Asking, batch_id: str, jobs: Sequence[NewJob]) -> AcceptedBatch:
        caller = asking.caller
        async with transaction(self._pool) as connection:
            outcomes = await insert_jobs(connection, jobs, self._limits)
            if any(outcome.created_at is None for outcome in outcomes.values()):
                raise _NotAll(list(outcomes.values()))
            await insert_batch(connection, batch_id, caller.user_id, caller.organization_id, len(jobs))
        count_inserts(jobs, outcomes)
        self._offer([row.outbox for row in outcomes.values() if row.outbox is not None])
        views = [_view(job, outcomes[job.id]) for job in jobs]
        left = remaining(outcomes[jobs[0].id], self._limits)
        return AcceptedBatch(batch_id, views, language=asking.language, remaining=left)

    async def _known(self, asking: Asking, digest: str, outcomes: Sequence[Outcome]) -> AcceptedBatch:
        replayed = await self._replayed(asking, digest)
        if replayed is not None:
            return replayed
        limited = [outcome for outcome in outcomes if outcome.limited]
        if limited:
            raise limit_reached(limited[0], self._limits, taken_back=len(outcomes) - len(limited))
        raise JobIdTaken

    async def _replayed(self, asking: Asking, digest: str) -> AcceptedBatch | None:
        if asking.key is None:
            return None
        kept = await kept_answer(self._pool, asking.caller.user_id, asking.key)
        if kept is None:
            return None
        if kept.request_hash != digest or kept.batch_id is None:
            raise KeyReused
        return AcceptedBatch(kept.batch_id, kept.views, replayed=True, language=kept.language)


def _view(job: NewJob, outcome: Outcome) -> generations.StatusView:
    if outcome.created_at is None:
        raise ValueError(job.id)
    return generations.StatusView.requested(
        job.kind, job.id, outcome.created_at, batch_id=job.batch_id, parent_id=job.parent_id, retry_of=job.retry_of
    )
