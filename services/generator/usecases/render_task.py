"""Render one leased task: it ends with one stated outcome, or gives the lease back."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.events import CompletedFile
from contracts.failures import Failure, FailureCode
from contracts.status import STAGE_PROGRESS, Stage
from services.generator.metrics import RENDER_SECONDS
from services.generator.providers.base import Provider, ProviderFailed, Rendered
from services.generator.store.leases import Claim
from services.generator.store.operations import LocalAttempt
from services.generator.usecases.gates import Gates
from services.generator.usecases.make_order import ReadInput, make_order
from services.generator.usecases.missing_media import with_missing
from services.generator.usecases.reporter import GiveBack, Reporter, SubmitReport, backoff
from services.generator.usecases.store_media import StoreMedia
from services.runtime.logs import get_logger

_log = get_logger(part="render")

RemoteWork = Callable[[Claim, Reporter], Awaitable[GiveBack | None]]
"""Goes on with a task that is rendered elsewhere, at its last durable step."""
NoteAttempt = Callable[[LocalAttempt], object]
"""Takes note of an attempt of this process, without waiting until it is written."""


class RenderTask:
    """The use case of a worker slot."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        store_media: StoreMedia,
        submit: SubmitReport,
        read_input: ReadInput,
        *,
        max_attempts: int,
        note: NoteAttempt,
        gates: Gates,
        remote: RemoteWork | None = None,
    ) -> None:
        self._providers = providers
        self._store_media = store_media
        self._submit = submit
        self._read_input = read_input
        self._max_attempts = max_attempts
        self._note = note
        self._moderate = gates.moderate
        self._detour = gates.detour
        self._remote = remote

    async def __call__(self, claim: Claim) -> GiveBack | None:
        """Render the task; returns GiveBack when it must be tried again, raises FenceLost when it is another's."""
        reporter = Reporter(claim, self._submit)
        if claim.unwanted:
            await reporter.failed(Failure.of(FailureCode.CANCELLED, "the job was cancelled before it was done"))
            return None
        if claim.overdue:
            await reporter.failed(_overdue(claim))
            return None
        if claim.provider not in self._providers and self._remote is not None:
            return await self._remote(claim, reporter)
        if claim.attempts > self._max_attempts:
            message = f"{self._max_attempts} attempts ended without a result"
            await reporter.failed(Failure.of(FailureCode.ATTEMPTS_EXHAUSTED, message, charged="unknown"))
            return None
        reporter.progress(Stage.INITIALIZING, STAGE_PROGRESS[Stage.INITIALIZING])
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="sorami-")) if _needs_folder(claim) else Path()
        began = time.perf_counter()
        try:
            failure = await self._render_in_time(claim, reporter, folder)
        except ProviderFailed as error:
            self._note(LocalAttempt(claim, time.perf_counter() - began, error.failure))
            return await self._after_failure(claim, reporter, error)
        finally:
            if _needs_folder(claim):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        self._note(LocalAttempt(claim, time.perf_counter() - began, failure))
        return None

    async def _render_in_time(self, claim: Claim, reporter: Reporter, folder: Path) -> Failure | None:
        """Render and report; returns the failure of work that was called off at its deadline."""
        try:
            async with asyncio.timeout(claim.seconds_left) as limit:
                await self._render(claim, reporter, folder)
        except TimeoutError:
            if not limit.expired():
                raise
            message = "the deadline passed before the work was done; it was called off"
            failure = Failure.of(FailureCode.TIMEOUT, message, stage=Stage.GENERATING.value, charged="unknown")
            await reporter.failed(failure)
            return failure
        return None

    async def _render(self, claim: Claim, reporter: Reporter, folder: Path) -> None:
        began = time.perf_counter()
        order = await make_order(claim, self._read_input, folder)
        await self._moderate.before(claim, order)
        reporter.progress(Stage.GENERATING, STAGE_PROGRESS[Stage.GENERATING])
        rendered = await self._providers[claim.provider].render(order, reporter.fraction)
        if not rendered.media:
            raise ProviderFailed(Failure.of(FailureCode.NO_MEDIA, "the provider rendered nothing", stage="generating"))
        seconds = time.perf_counter() - began
        RENDER_SECONDS.labels(claim.provider, claim.kind).observe(seconds)
        reporter.progress(Stage.SAVING, STAGE_PROGRESS[Stage.SAVING])
        media, refused = await self._moderate.after(claim, rendered.media, charged="no")
        files = await self._store_media(claim, media, lease=claim.fence)
        metadata = _metadata(claim, rendered, files, seconds)
        await reporter.completed(files, with_missing(metadata, claim.request.count, len(files), refused))

    async def _after_failure(self, claim: Claim, reporter: Reporter, error: ProviderFailed) -> GiveBack | None:
        failure = error.failure
        again = failure.retryable and claim.attempts < self._max_attempts
        if await self._detour.after(claim, failure, again=again, retry_after=error.retry_after):
            return None
        if again:
            _log.warning(
                "an attempt failed and is repeated",
                job_id=claim.job_id,
                code=failure.code,
                attempt=claim.attempts,
            )
            return GiveBack(after_seconds=backoff(claim.attempts, error.retry_after), forgive_attempt=False)
        await reporter.failed(failure)
        return None


def _overdue(claim: Claim) -> Failure:
    if claim.fence == 1:
        message = "the deadline passed before the work was begun; nothing was charged"
        return Failure.of(FailureCode.TIMEOUT, message, stage="queued")
    return Failure.of(FailureCode.TIMEOUT, "the deadline passed before the work was done", charged="unknown")


def _needs_folder(claim: Claim) -> bool:
    return claim.provider != "instant"


def _metadata(claim: Claim, rendered: Rendered, files: Sequence[CompletedFile], seconds: float) -> dict[str, Any]:
    return {
        "model_name": claim.model,
        "version": "1.0",
        "generation_time_seconds": round(seconds, 3),
        "output_size_bytes": sum(file.size_bytes or 0 for file in files),
        **rendered.metadata,
    }
