"""Have one leased task rendered elsewhere: each lease goes on at the last step that was written."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from contracts.failures import Failure, FailureCode
from contracts.status import STAGE_PROGRESS, Stage
from services.generator.providers.base import Finished, Order, ProviderFailed
from services.generator.store.leases import Claim
from services.generator.store.operations import Attempt, last_attempt, park
from services.generator.usecases.collect_media import CollectMedia
from services.generator.usecases.gates import Gates
from services.generator.usecases.make_order import ReadInput, make_order
from services.generator.usecases.moderate import PolicyUnavailable
from services.generator.usecases.rendered_state import read_rendered
from services.generator.usecases.reporter import FenceLost, GiveBack, Reporter, backoff, spread
from services.generator.usecases.show_previews import Previews, ShowPreviews
from services.generator.usecases.submit_task import AttemptFailed, SubmitTask
from services.runtime.database import Pool
from services.runtime.logs import get_logger

MORE_LEASES: Final = 3
"""Leases beyond the attempts that media in hand are worth: they are paid."""

_log = get_logger(part="remote")


class RemoteTask:
    """The use case of a slot of a remote provider; `wake` tells whoever polls that a task waits."""

    def __init__(
        self,
        pool: Pool,
        submit_task: SubmitTask,
        collect_media: CollectMedia,
        read_input: ReadInput,
        show_previews: ShowPreviews,
        wake: Callable[[], None],
        *,
        max_attempts: int,
        gates: Gates,
    ) -> None:
        self._pool = pool
        self._submit_task = submit_task
        self._collect_media = collect_media
        self._read_input = read_input
        self._show_previews = show_previews
        self._wake = wake
        self._max_attempts = max_attempts
        self._health = gates.health
        self._detour = gates.detour
        self._moderate = gates.moderate

    async def __call__(self, claim: Claim, reporter: Reporter) -> GiveBack | None:
        """Go on with a task; returns GiveBack when it must be tried again, raises FenceLost when it is another's."""
        last = await last_attempt(self._pool, claim.job_id)
        attempt = None if last is None or last.closed else last
        if last is not None and attempt is None and last.failure is not None and last.failure.charged != "no":
            # A worker died between the end of a paid attempt and its report: another one would be paid again.
            await reporter.failed(last.failure)
            return None
        match attempt:
            case Attempt(step="submitted"):
                await self._park(claim)
                return None
            case Attempt(step="stored"):
                await self._collect_media.report(claim, attempt, reporter)
                return None
            case Attempt(step="rendered", rendered=rendered) if rendered is not None:
                if claim.attempts > self._max_attempts + MORE_LEASES:
                    await self._exhausted(claim, reporter, attempt, charged=True)
                    return None
                return await self.collect(claim, reporter, attempt, read_rendered(rendered))
        if attempt is None and claim.attempts > self._max_attempts:
            await self._exhausted(claim, reporter, None, charged=False)
            return None
        number = 1 if last is None else last.attempt + (1 if last.closed else 0)
        if attempt is None and (pause := await self._health.admit(claim)) is not None:
            # Its provider gets no work for a while.
            return None if await self._detour(claim) else GiveBack(spread(pause), forgive_attempt=True)
        return await self._submit_in_time(claim, reporter, attempt, number)

    async def collect(self, claim: Claim, reporter: Reporter, attempt: Attempt, finished: Finished) -> GiveBack | None:
        """Fetch, check and store what the provider made, then report it."""
        if claim.unwanted:
            failure = Failure.of(FailureCode.CANCELLED, "the job was cancelled before it was done")
            await self._submit_task.close(claim, attempt, failure)
            await reporter.failed(failure)
            return None
        try:
            async with asyncio.timeout(claim.seconds_left):
                ending = await self._collected(claim, reporter, attempt, finished)
        except TimeoutError:
            await _too_late(reporter)
            return None
        await asyncio.to_thread(_remove_folders, finished)
        return ending

    async def end(self, claim: Claim, reporter: Reporter, attempt: Attempt, error: ProviderFailed) -> GiveBack | None:
        """End an attempt that failed: the task is tried again where that is free, else the job fails."""
        failure = error.failure
        await self._submit_task.close(claim, attempt, failure)
        await self._health.failed(claim.provider, claim.model, failure, retry_after=error.retry_after)
        again = failure.retryable and failure.charged == "no" and attempt.tries < self._max_attempts
        again = again and not self._submit_task.is_self_starting(claim)
        if await self._detour.after(claim, failure, again=again, retry_after=error.retry_after):
            return None
        if again:
            _log.warning("an attempt failed and is repeated", job_id=claim.job_id, code=failure.code)
            return GiveBack(backoff(attempt.tries, error.retry_after), forgive_attempt=False)
        await reporter.failed(failure)
        return None

    async def _collected(
        self, claim: Claim, reporter: Reporter, attempt: Attempt, finished: Finished
    ) -> GiveBack | None:
        try:
            await self._collect_media(claim, attempt, finished, reporter)
        except PolicyUnavailable:
            # What is paid waits for its judgement; the leases it may take are counted.
            return GiveBack(backoff(claim.attempts), forgive_attempt=False)
        except ProviderFailed as error:
            # It is paid: another attempt would be paid again.
            failure = error.failure.model_copy(update={"charged": finished.charged, "retryable": False})
            return await self.end(claim, reporter, attempt, ProviderFailed(failure))
        await self._health.worked(claim.provider, claim.model)
        return None

    async def _submit_in_time(
        self, claim: Claim, reporter: Reporter, attempt: Attempt | None, number: int
    ) -> GiveBack | None:
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="sorami-"))
        kept = False
        previews = self._show_previews(claim, reporter)
        try:
            async with asyncio.timeout(claim.seconds_left):
                async with previews:
                    made = await self._submitted(claim, reporter, attempt, number, folder, previews)
                if not isinstance(made, tuple):
                    return made
                # Until its files are reported, what lies in the folder is the only copy of what was paid.
                kept = True
                ending = await self._collected(claim, reporter, *made)
                kept = False
                return ending
        except AttemptFailed as lost:
            return await self.end(claim, reporter, lost.attempt, lost.error)
        except PolicyUnavailable as error:
            if claim.attempts < self._max_attempts:
                return GiveBack(backoff(claim.attempts), forgive_attempt=False)
            await reporter.failed(error.failure)
            return None
        except ProviderFailed as error:
            # Nothing was sent: the order could not be made, or nobody may ask for it.
            await reporter.failed(error.failure)
            return None
        except TimeoutError:
            await _too_late(reporter)
            return None
        except asyncio.CancelledError:
            kept = kept or await self._is_in_hand(claim)
            raise
        finally:
            if not kept:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                previews.remove()

    async def _submitted(
        self,
        claim: Claim,
        reporter: Reporter,
        attempt: Attempt | None,
        number: int,
        folder: Path,
        previews: Previews,
    ) -> tuple[Attempt, Finished] | GiveBack | None:
        if self._submit_task.is_self_starting(claim):
            order = await make_order(claim, None, folder)
            if attempt is None:
                await self._moderate.before(claim, order)
        else:
            order = await self._prepared(claim, reporter, attempt, folder, previews)
        if attempt is None:
            made = await self._submit_task.begin(claim, order, number)
        else:
            made = await self._submit_task.go_on(claim, order, attempt)
        if made is None:
            self._wake()
            await self._health.accepted(claim.provider, claim.model)
        return made

    async def _prepared(
        self, claim: Claim, reporter: Reporter, attempt: Attempt | None, folder: Path, previews: Previews
    ) -> Order:
        if attempt is None:
            reporter.progress(Stage.INITIALIZING, STAGE_PROGRESS[Stage.INITIALIZING])
        order = replace(await make_order(claim, self._read_input, folder), on_preview=previews)
        if attempt is None:
            await self._moderate.before(claim, order)
        reporter.progress(Stage.GENERATING, STAGE_PROGRESS[Stage.GENERATING])
        # A report that is written after the task waits would find no lease.
        await reporter.written()
        return order

    async def _park(self, claim: Claim) -> None:
        if not await park(self._pool, claim):
            raise FenceLost
        self._wake()

    async def _is_in_hand(self, claim: Claim) -> bool:
        """Tell whether an answer came while the work was called off: its files are paid, another lease stores them."""
        last = await last_attempt(self._pool, claim.job_id)
        return last is not None and last.step == "rendered" and not last.closed

    async def _exhausted(self, claim: Claim, reporter: Reporter, attempt: Attempt | None, *, charged: bool) -> None:
        message = f"{claim.attempts - 1} attempts ended without a result"
        failure = Failure.of(FailureCode.ATTEMPTS_EXHAUSTED, message, charged="yes" if charged else "unknown")
        if attempt is not None:
            await self._submit_task.close(claim, attempt, failure)
        await reporter.failed(failure)


async def _too_late(reporter: Reporter) -> None:
    message = "the deadline passed before the work was done; it was called off"
    await reporter.failed(Failure.of(FailureCode.TIMEOUT, message, stage="generating", charged="unknown"))


def _remove_folders(finished: Finished) -> None:
    """Remove the folders of an earlier lease's submit, whose files are stored by now."""
    base = Path(tempfile.gettempdir())
    for ref in finished.media:
        if ref.path is not None and ref.path.is_relative_to(base):
            folder = base / ref.path.relative_to(base).parts[0]
            if folder.name.startswith("sorami-"):
                shutil.rmtree(folder, ignore_errors=True)
