"""Request a generation: one row, one event, one id, before anyone is told anything."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from contracts.legacy_steps import Steps
from contracts.models import BUILT_IN, Models
from contracts.requests import Wanted
from services.gateway.metrics import count_inserts
from services.gateway.queries import generations
from services.gateway.queries.idempotency import kept_answer
from services.gateway.store.jobs import NO_LIMITS, Limits, NewJob, Outcome, insert_jobs
from services.gateway.usecases.limits import LimitReached, Remaining, limit_reached, remaining
from services.gateway.usecases.new_jobs import Asking, KeyReused, claimed, new_job, request_hash
from services.runtime.database import Pool, is_transient
from services.runtime.failpoints import reach
from services.runtime.group_commit import GroupCommit
from services.runtime.logs import get_logger
from services.runtime.outbox import OutboxRow
from services.runtime.own_rows import OwnRows

__all__ = ["Accepted", "Asking", "JobIdTaken", "KeyReused", "LimitReached", "ParentUnknown", "RequestGeneration"]


_log = get_logger(part="requests")

ResolveInput = Callable[[str, Wanted], Awaitable[Wanted]]
"""Turns what an owner gave as input image into what is kept; raises RequestRefused."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that is durable; `repeated` when its id was asked for before, `replayed` when its idempotency key was."""

    view: generations.StatusView
    repeated: bool = False
    replayed: bool = False
    language: str = "fr"
    remaining: list[Remaining] = field(default_factory=list)


class JobIdTaken(Exception):
    """The job_id belongs to another job, to somebody else, or to one that was deleted; choose another."""


class ParentUnknown(Exception):
    """The parent is no generation of the caller's."""


class RequestGeneration:
    """The use case behind POST …/generate; requests that arrive together are committed together."""

    def __init__(
        self,
        pool: Pool,
        offer: Callable[[Sequence[OutboxRow]], None],
        *,
        lifetime: timedelta,
        resolve_input: ResolveInput,
        limits: Limits = NO_LIMITS,
        models: Models = BUILT_IN,
    ) -> None:
        self._pool = pool
        self._resolve_input = resolve_input
        self._offer = offer
        self._lifetime = lifetime
        self._resolve_input = resolve_input
        self._limits = limits
        self._models = models
        self._commits: GroupCommit[NewJob, Outcome | None] = GroupCommit(
            self._flush, is_retryable=is_transient, name="jobs"
        )

    @property
    def waiting(self) -> int:
        return self._commits.waiting

    async def __call__(self, asking: Asking, wanted: Wanted, *, retry_of: str | None = None) -> Accepted:
        """Accept the request.

        Raises RequestRefused, ModelUnknown, ModelRetired, ModelCannot, ParentUnknown, JobIdTaken, KeyReused,
        LimitReached or Overloaded.
        """
        digest = request_hash("job", wanted.digest(), wanted.job_id, wanted.user_id, retry_of)
        if asking.key is not None and wanted.input_image_url is not None:
            # What its image was may be gone by now; the first answer stands all the same.
            replayed = await self._replayed(asking, wanted, digest)
            if replayed is not None:
                return replayed
        wanted = await self._resolve_input(asking.caller.user_id, wanted)
        job = claimed(asking, [new_job(asking, wanted, self._lifetime, self._models, retry_of=retry_of)], digest)[0]
        if wanted.parent_id is not None and retry_of is None:
            await self._check_parent(job.owner_id, wanted.parent_id)
        return await self._insert(asking, wanted, job, digest)

    async def _insert(self, asking: Asking, wanted: Wanted, job: NewJob, digest: str) -> Accepted:
        while True:
            outcome = await self._commits.submit(job)
            if outcome is not None and outcome.created_at is not None:
                _log.info(Steps(job.kind).created, id=job.id, authorId=job.owner_id)
                return _new(asking, job, outcome, self._limits)
            accepted = await self._known(asking, wanted, digest)
            if accepted is not None:
                return accepted
            if outcome is not None and outcome.limited:
                raise limit_reached(outcome, self._limits)
            if outcome is not None:
                raise JobIdTaken
            # Another request of the group had its key or its id and came to nothing: now it is this one's turn.

    async def _check_parent(self, owner_id: str, parent_id: str) -> None:
        if not await generations.is_own(OwnRows(self._pool, owner_id), parent_id):
            raise ParentUnknown

    async def _flush(self, jobs: Sequence[NewJob]) -> list[Outcome | None]:
        # Two requests of one group with one id or one key: the first counts, as if they had come in two groups.
        first: dict[str | tuple[str, str], NewJob] = {}
        for job in jobs:
            if not any(name in first for name in _names(job)):
                first |= dict.fromkeys(_names(job), job)
        alone = {job.id: job for job in first.values()}
        reach("gw.before_commit")
        outcomes = await insert_jobs(self._pool, list(alone.values()), self._limits)
        reach("gw.after_commit")
        count_inserts(list(alone.values()), outcomes)
        self._offer([outcome.outbox for outcome in outcomes.values() if outcome.outbox is not None])
        return [_own_outcome(job, first, outcomes) for job in jobs]

    async def _known(self, asking: Asking, wanted: Wanted, digest: str) -> Accepted | None:
        """Return the first answer to the key, or the job that was asked for under this id before."""
        replayed = await self._replayed(asking, wanted, digest)
        if replayed is not None or wanted.job_id is None:
            return replayed
        return await self._repeated(asking, wanted, wanted.job_id)

    async def _replayed(self, asking: Asking, wanted: Wanted, digest: str) -> Accepted | None:
        if asking.key is None:
            return None
        kept = await kept_answer(self._pool, asking.caller.user_id, asking.key)
        if kept is None:
            return None
        if kept.request_hash != digest:
            raise KeyReused
        # A client's own id may have gone to somebody else while the key was written.
        if wanted.job_id is not None and not await self._is_owners(asking, wanted.job_id):
            raise JobIdTaken
        return Accepted(kept.views[0], replayed=True, language=kept.language)

    async def _is_owners(self, asking: Asking, job_id: str) -> bool:
        known = await generations.job_asked_for(self._pool, job_id)
        return known is None or known.owner_id == asking.caller.user_id

    async def _repeated(self, asking: Asking, wanted: Wanted, job_id: str) -> Accepted | None:
        if not await self._check_own(asking, wanted, job_id):
            return None
        view = await generations.status(OwnRows(self._pool, asking.caller.user_id), wanted.kind, job_id)
        if view is None:
            raise JobIdTaken
        return Accepted(view, repeated=True, language=asking.language)

    async def _check_own(self, asking: Asking, wanted: Wanted, job_id: str) -> bool:
        """Tell whether this id was asked for; raises JobIdTaken when it was for something else."""
        known = await generations.job_asked_for(self._pool, job_id)
        if known is not None and (known.owner_id, known.request_hash) != (asking.caller.user_id, wanted.digest()):
            raise JobIdTaken
        return known is not None

    async def close(self) -> None:
        """Wait for the commits under way."""
        await self._commits.close()


def _names(job: NewJob) -> list[str | tuple[str, str]]:
    return [job.id, (job.owner_id, job.claim.key)] if job.claim else [job.id]


def _own_outcome(
    job: NewJob, first: dict[str | tuple[str, str], NewJob], outcomes: dict[str, Outcome]
) -> Outcome | None:
    """What became of a job; what refused the first of two by a limit refuses the second, else that must look."""
    mine = next((first[name] for name in _names(job) if name in first), job)
    outcome = outcomes.get(mine.id)
    return outcome if mine is job or (outcome is not None and outcome.limited) else None


def _new(asking: Asking, job: NewJob, outcome: Outcome, limits: Limits) -> Accepted:
    if outcome.created_at is None:
        raise ValueError(job.id)
    view = generations.StatusView.requested(
        job.kind, job.id, outcome.created_at, batch_id=job.batch_id, parent_id=job.parent_id, retry_of=job.retry_of
    )
    return Accepted(view, language=asking.language, remaining=remaining(outcome, limits))
