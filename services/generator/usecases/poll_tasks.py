"""Ask providers about the operations that tasks wait for, each when it is due: one process asks for hundreds."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from contracts.cloudevents import to_record
from contracts.events import JobProgressed
from contracts.failures import Failure, FailureCode
from contracts.status import Stage
from services.generator.metrics import RENDER_SECONDS, provider_call
from services.generator.providers.base import Finished, Operation, ProviderFailed, RemoteProvider, Running
from services.generator.store.leases import Claim, Due, claim_due, next_due, put_back, take_up
from services.generator.store.operations import Attempt, last_attempt
from services.generator.store.tasks import TaskReport
from services.generator.usecases.remote_task import RemoteTask
from services.generator.usecases.rendered_state import write_rendered
from services.generator.usecases.reporter import LEAST_STEP, GiveBack, Reporter, SubmitReport, percent_of
from services.generator.usecases.run_tasks import Work
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

LOOK_EVERY: Final = 1.0
"""Seconds between looks for due tasks at most; when one is due sooner, sooner."""
MOST_AT_ONCE: Final = 128
"""Questions under way at a time."""
ASKED_FOR_SECONDS: Final = 60.0
"""How long a question may take before another process asks."""
AFTER_A_MISTAKE: Final = 10.0
MOST_TOLD: Final = 10_000

_log = get_logger(part="poll")


@dataclass(frozen=True, slots=True)
class Lease:
    """In whose name and for how long tasks are leased."""

    worker: str
    seconds: float


class PollTasks:
    """Polls by due time; a task at its operation's end goes on under a lease, which `take` runs.

    `wake` is set when a task begins to wait.
    """

    def __init__(
        self,
        pool: Pool,
        providers: Mapping[str, RemoteProvider],
        remote_task: RemoteTask,
        submit: SubmitReport,
        take: Callable[[Claim, Work], None],
        *,
        wake: asyncio.Event,
        lease: Lease,
    ) -> None:
        self._pool = pool
        self._providers = providers
        self._remote_task = remote_task
        self._submit = submit
        self._take = take
        self._lease = lease
        self._wake = wake
        self._asking: set[asyncio.Task[None]] = set()
        self._told: dict[str, int] = {}

    async def run(self) -> None:
        """Poll until cancelled; nothing is done where no remote provider is configured."""
        while self._providers:
            pause = LOOK_EVERY
            try:
                pause = await self._look()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("waiting tasks cannot be looked for now", error=type(error).__name__)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _look(self) -> float:
        """Ask about what is due and return the seconds until the next look."""
        names = list(self._providers)
        free = MOST_AT_ONCE - len(self._asking)
        due = await claim_due(self._pool, names, most=free, seconds=ASKED_FOR_SECONDS) if free else []
        for one in due:
            task = asyncio.create_task(self._ask(one))
            self._asking.add(task)
            task.add_done_callback(self._asked)
        if len(self._asking) >= MOST_AT_ONCE:
            return LOOK_EVERY  # an answer wakes us
        seconds = await next_due(self._pool, names)
        return LOOK_EVERY if seconds is None else min(max(seconds, 0.01), LOOK_EVERY)

    def _asked(self, task: "asyncio.Task[None]") -> None:
        full = len(self._asking) >= MOST_AT_ONCE
        self._asking.discard(task)
        if full:
            self._wake.set()

    async def _ask(self, due: Due) -> None:
        try:
            await self._answer(due)
        except Exception as error:
            # The due time was moved on when the task was claimed: it is asked for again then.
            if not is_transient(error):
                _log.exception("a poll failed unexpectedly", job_id=due.job_id, provider=due.provider)

    async def _answer(self, due: Due) -> None:
        attempt = await last_attempt(self._pool, due.job_id)
        if due.overdue or attempt is None or attempt.closed or attempt.operation_id is None:
            await self._end(due, attempt, _too_late())
            return
        operation = Operation(attempt.operation_id, attempt.state or {})
        try:
            with provider_call(due.provider, "poll"):
                answer = await self._providers[due.provider].poll(operation)
        except ProviderFailed as error:
            await self._end(due, attempt, error)
            return
        except Exception:
            _log.exception("a provider's answer could not be read", job_id=due.job_id, provider=due.provider)
            answer = Running(AFTER_A_MISTAKE)
        if isinstance(answer, Running):
            await self._wait_on(due, answer)
        else:
            await self._finish(due, attempt, answer)

    async def _wait_on(self, due: Due, answer: Running) -> None:
        if answer.trouble is not None:
            _log.warning(
                "a poll told nothing", job_id=due.job_id, provider=due.provider, code=answer.trouble.code.value
            )
        self._tell(due, answer.progress)
        jitter = random.uniform(0, min(1.0, answer.poll_after / 10))  # noqa: S311 - spreads load, keeps no secret
        await put_back(self._pool, due, answer.poll_after + jitter)

    def _tell(self, due: Due, fraction: float | None) -> None:
        percent = 0 if fraction is None else percent_of(fraction)
        if percent < self._told.get(due.job_id, 0) + LEAST_STEP:
            return
        if len(self._told) >= MOST_TOLD:
            self._told.clear()  # progress told once more changes nothing
        self._told[due.job_id] = percent
        event = JobProgressed(
            job_id=due.job_id,
            kind=due.kind,
            at=datetime.now(UTC),
            fence=due.fence,
            provider=due.provider,
            stage=Stage.GENERATING,
            progress=percent,
            report_step=due.report_step + 1,
        )
        record = to_record(event, service="generator", traceparent=due.traceparent)
        report = TaskReport(due.job_id, due.fence, due.report_step + 1, Stage.GENERATING.value, "waiting", record)
        self._submit(report).add_done_callback(lambda future: future.cancelled() or future.exception())

    async def _finish(self, due: Due, attempt: Attempt, finished: Finished) -> None:
        seconds = (datetime.now(UTC) - attempt.submitted_at).total_seconds()
        RENDER_SECONDS.labels(due.provider, due.kind).observe(max(0.0, seconds))

        async def collect(claim: Claim) -> GiveBack | None:
            return await self._remote_task.collect(claim, Reporter(claim, self._submit), attempt, finished)

        await self._go_on(due, collect, write_rendered(finished))

    async def _end(self, due: Due, attempt: Attempt | None, error: ProviderFailed) -> None:
        async def end(claim: Claim) -> GiveBack | None:
            reporter = Reporter(claim, self._submit)
            if due.overdue or attempt is None:
                # Its operation, if there is one, is ended by whoever looks for those whose task has ended.
                await reporter.failed(error.failure)
                return None
            return await self._remote_task.end(claim, reporter, attempt, error)

        await self._go_on(due, end, None)

    async def _go_on(self, due: Due, work: Work, rendered: str | None) -> None:
        self._told.pop(due.job_id, None)
        claim = await take_up(
            self._pool, due, worker=self._lease.worker, lease_seconds=self._lease.seconds, rendered=rendered
        )
        if claim is not None:
            self._take(claim, work)


def _too_late() -> ProviderFailed:
    message = "the deadline passed before the provider was done"
    return ProviderFailed(Failure.of(FailureCode.TIMEOUT, message, stage="generating", charged="unknown"))
