"""Where one lease stands, told in order; and how a lease may end."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.cloudevents import to_record
from contracts.events import CompletedFile, JobCompleted, JobFailed, JobProgressed, Reported
from contracts.failures import Failure
from contracts.status import STAGE_PROGRESS, Stage
from services.generator.store.leases import Claim
from services.generator.store.tasks import TaskReport
from services.runtime.failpoints import reach
from services.runtime.logs import get_logger

RENDER_SPAN = (STAGE_PROGRESS[Stage.GENERATING], STAGE_PROGRESS[Stage.SAVING])
"""Percent between which a provider's own progress is told."""
LEAST_STEP = 2
"""Percent by which progress must have grown before it is told again."""
PREVIEW_STEP = 5
"""Percent that an unfinished picture counts for; three of them are the most that any provider shows."""

_log = get_logger(part="render")


class FenceLost(Exception):
    """Another worker holds the lease; this one drops its work and says nothing."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The task goes back to the queue after a pause; a forgiven attempt does not count."""

    after_seconds: float
    forgive_attempt: bool


def backoff(attempts: int, asked: float | None = None) -> float:
    """Return the seconds until the next attempt: never sooner than the provider `asked`, never many at one moment."""
    return spread(2.0**attempts if asked is None else asked)


def spread(pause: float) -> float:
    """Return a pause with a little more to it, so that many do not end at one moment."""
    return pause + random.uniform(0, max(0.5, pause / 4))  # noqa: S311 - spreads load, keeps no secret


SubmitReport = Callable[[TaskReport], "asyncio.Future[bool]"]
"""Takes a report in line at once, so that reports are written in the order they were made."""


def percent_of(fraction: float) -> int:
    """Return where a provider's own progress (0.0 to 1.0) stands in the job's."""
    low, high = RENDER_SPAN
    return low + int(max(0.0, min(1.0, fraction)) * (high - low - 1))


class Reporter:
    """Tells where one lease stands, in order; a report that meets a lost fence ends the work."""

    def __init__(self, claim: Claim, submit: SubmitReport) -> None:
        self._claim = claim
        self._submit = submit
        self._step = 0
        self._told = 0
        self._last: asyncio.Future[bool] | None = None

    def progress(self, stage: Stage, percent: int) -> None:
        """Tell progress without waiting for the database."""
        if percent <= self._told:
            return
        self._told = percent
        self._progressed(stage, percent)

    def preview(self, key: str) -> None:
        """Tell that an unfinished picture can be seen; it counts as progress, so that a late one changes nothing."""
        percent = min(self._told + PREVIEW_STEP, RENDER_SPAN[1] - 1)
        if percent <= self._told:
            return
        self._told = percent
        self._progressed(Stage.GENERATING, percent, preview_key=key)

    def fraction(self, fraction: float) -> None:
        """Tell the provider's own progress, between the marks of its stage and rarely enough to mean something."""
        if fraction >= 1:
            return  # the next stage says so
        percent = percent_of(fraction)
        if percent >= self._told + LEAST_STEP:
            self.progress(Stage.GENERATING, percent)

    def _progressed(self, stage: Stage, percent: int, preview_key: str | None = None) -> None:
        event = JobProgressed(
            **self._head(), stage=stage, progress=percent, report_step=self._step + 1, preview_key=preview_key
        )
        self._send(event, step=stage.value, state="running").add_done_callback(self._note_unwritten)

    async def completed(self, files: list[CompletedFile], metadata: Mapping[str, Any]) -> None:
        await self._finish(JobCompleted(**self._head(), files=files, metadata=dict(metadata)))

    async def failed(self, failure: Failure) -> None:
        await self._finish(JobFailed(**self._head(), failure=failure))

    async def _finish(self, event: Reported) -> None:
        reach("gen.before_report")
        if not await self._send(event, step="reported", state="finished"):
            raise FenceLost

    def _head(self) -> dict[str, Any]:
        claim = self._claim
        return {
            "job_id": claim.job_id,
            "kind": claim.kind,
            "at": datetime.now(UTC),
            "fence": claim.fence,
            "provider": claim.provider,
            "model": claim.model,
        }

    def _send(self, event: Reported, *, step: str, state: str) -> "asyncio.Future[bool]":
        self._step += 1
        record = to_record(event, service="generator", traceparent=self._claim.traceparent)
        self._last = self._submit(TaskReport(self._claim.job_id, self._claim.fence, self._step, step, state, record))
        return self._last

    async def written(self) -> None:
        """Wait until what was told so far is written, or is known not to be."""
        if self._last is not None:
            await asyncio.wait({self._last})

    def _note_unwritten(self, future: "asyncio.Future[bool]") -> None:
        # Progress that could not be written is not worth an attempt: the final report decides.
        if not future.cancelled() and (error := future.exception()) is not None:
            _log.warning("progress was not written", job_id=self._claim.job_id, error=type(error).__name__)
