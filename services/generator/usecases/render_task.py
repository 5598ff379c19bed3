"""Render one leased task: it ends with one stated outcome, or gives the lease back."""

import asyncio
import hashlib
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.cloudevents import to_record
from contracts.events import CompletedFile, JobCompleted, JobFailed, JobProgressed, Reported, Thumbnail
from contracts.failures import Failure, FailureCode
from contracts.kinds import KINDS, Kind, parse_size
from contracts.media import filename, object_key, poster_key, thumbnail_key
from contracts.status import STAGE_PROGRESS, Stage
from services.generator.providers.base import Medium, Order, Provider, ProviderFailed, Rendered, SmallerVersion
from services.generator.store import Claim, TaskReport
from services.runtime.logs import get_logger
from services.runtime.objects import Objects

RENDER_SPAN = (STAGE_PROGRESS[Stage.GENERATING], STAGE_PROGRESS[Stage.SAVING])
"""Percent between which a provider's own progress is told."""
LEAST_STEP = 2
"""Percent by which progress must have grown before it is told again."""

_log = get_logger(part="render")


class FenceLost(Exception):
    """Another worker holds the lease; this one drops its work and says nothing."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The task goes back to the queue after a pause; a forgiven attempt does not count."""

    after_seconds: float
    forgive_attempt: bool


SubmitReport = Callable[[TaskReport], "asyncio.Future[bool]"]
"""Takes a report in line at once, so that reports are written in the order they were made."""
ReadInput = Callable[[str, str, Path], Awaitable[Path]]
"""Brings an input image (address, owner id) into a folder; raises ProviderFailed."""


class Reporter:
    """Tells where one lease stands, in order; a report that meets a lost fence ends the work."""

    def __init__(self, claim: Claim, submit: SubmitReport) -> None:
        self._claim = claim
        self._submit = submit
        self._step = 0
        self._told = 0

    def progress(self, stage: Stage, percent: int) -> None:
        """Tell progress without waiting for the database."""
        if percent <= self._told:
            return
        self._told = percent
        event = JobProgressed(**self._head(), stage=stage, progress=percent, report_step=self._step + 1)
        self._send(event, step=stage.value, state="running").add_done_callback(self._note_unwritten)

    def fraction(self, fraction: float) -> None:
        """Tell the provider's own progress, between the marks of its stage and rarely enough to mean something."""
        if fraction >= 1:
            return  # the next stage says so
        low, high = RENDER_SPAN
        percent = low + int(max(0.0, min(1.0, fraction)) * (high - low - 1))
        if percent >= self._told + LEAST_STEP:
            self.progress(Stage.GENERATING, percent)

    async def completed(self, files: list[CompletedFile], metadata: Mapping[str, Any]) -> None:
        await self._finish(JobCompleted(**self._head(), files=files, metadata=dict(metadata)))

    async def failed(self, failure: Failure) -> None:
        await self._finish(JobFailed(**self._head(), failure=failure))

    async def _finish(self, event: Reported) -> None:
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
        }

    def _send(self, event: Reported, *, step: str, state: str) -> "asyncio.Future[bool]":
        self._step += 1
        record = to_record(event, service="generator", traceparent=self._claim.traceparent)
        return self._submit(TaskReport(self._claim.job_id, self._claim.fence, self._step, step, state, record))

    def _note_unwritten(self, future: "asyncio.Future[bool]") -> None:
        # Progress that could not be written is not worth an attempt: the final report decides.
        if not future.cancelled() and (error := future.exception()) is not None:
            _log.warning("progress was not written", job_id=self._claim.job_id, error=type(error).__name__)


class RenderTask:
    """The use case of a worker slot."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        objects: Objects,
        submit: SubmitReport,
        read_input: ReadInput,
        *,
        max_attempts: int,
    ) -> None:
        self._providers = providers
        self._objects = objects
        self._submit = submit
        self._read_input = read_input
        self._max_attempts = max_attempts

    async def __call__(self, claim: Claim) -> GiveBack | None:
        """Render the task; returns GiveBack when it must be tried again, raises FenceLost when it is another's."""
        reporter = Reporter(claim, self._submit)
        if claim.unwanted:
            await reporter.failed(Failure.of(FailureCode.CANCELLED, "the job was cancelled before it was done"))
            return None
        if claim.overdue:
            await reporter.failed(_overdue(claim))
            return None
        if claim.attempts > self._max_attempts:
            message = f"{self._max_attempts} attempts ended without a result"
            await reporter.failed(Failure.of(FailureCode.ATTEMPTS_EXHAUSTED, message, charged="unknown"))
            return None
        reporter.progress(Stage.INITIALIZING, STAGE_PROGRESS[Stage.INITIALIZING])
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="sorami-")) if _needs_folder(claim) else Path()
        try:
            await self._render_in_time(claim, reporter, folder)
        except ProviderFailed as error:
            return await self._after_failure(claim, reporter, error.failure)
        finally:
            if _needs_folder(claim):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return None

    async def _render_in_time(self, claim: Claim, reporter: Reporter, folder: Path) -> None:
        try:
            async with asyncio.timeout(claim.seconds_left) as limit:
                await self._render(claim, reporter, folder)
        except TimeoutError:
            if not limit.expired():
                raise
            message = "the deadline passed before the work was done; it was called off"
            await reporter.failed(
                Failure.of(FailureCode.TIMEOUT, message, stage=Stage.GENERATING.value, charged="unknown")
            )

    async def _render(self, claim: Claim, reporter: Reporter, folder: Path) -> None:
        began = time.perf_counter()
        kind = KINDS[claim.kind]
        order = await self._order(claim, kind, folder)
        reporter.progress(Stage.GENERATING, STAGE_PROGRESS[Stage.GENERATING])
        rendered = await self._providers[claim.provider].render(order, reporter.fraction)
        if not rendered.media:
            raise ProviderFailed(Failure.of(FailureCode.NO_MEDIA, "the provider rendered nothing", stage="generating"))
        seconds = time.perf_counter() - began
        reporter.progress(Stage.SAVING, STAGE_PROGRESS[Stage.SAVING])
        files = await asyncio.gather(*(self._store(claim, kind, medium) for medium in rendered.media))
        await reporter.completed(list(files), _metadata(claim, rendered, files, seconds))

    async def _order(self, claim: Claim, kind: Kind, folder: Path) -> Order:
        asked = claim.request
        width, height = parse_size(asked.size)
        source = None
        if asked.input_image_url:
            source = await self._read_input(asked.input_image_url, claim.owner_id, folder)
        return Order(
            job_id=claim.job_id,
            kind=claim.kind,
            prompt=asked.prompt,
            model=claim.model,
            count=asked.count,
            width=width,
            height=height,
            format=asked.format,
            style=asked.style,
            quality=asked.quality,
            workdir=folder,
            seed=asked.options.get("seed"),
            caption=asked.options.get("caption"),
            duration_seconds=asked.options.get("duration_seconds"),
            fps=asked.options.get("fps"),
            input_image=source,
        )

    async def _store(self, claim: Claim, kind: Kind, medium: Medium) -> CompletedFile:
        body = medium.data if medium.data is not None else medium.path
        if body is None:
            raise ProviderFailed(Failure.of(FailureCode.NO_MEDIA, "a rendered file has no bytes", stage="saving"))
        key = object_key(kind, claim.job_id, medium.index, medium.format, claim.fence)
        digest, size = (
            (hashlib.sha256(body).hexdigest(), len(body))
            if isinstance(body, bytes)
            else await asyncio.to_thread(_hash, body)
        )
        _, smaller = await asyncio.gather(
            self._objects.put(key, body, content_type=medium.content_type, sha256=digest),
            self._store_smaller(key, medium),
        )
        thumbnail = None
        if medium.poster is not None:
            thumbnail = poster_key(key)
            poster_digest, _ = await asyncio.to_thread(_hash, medium.poster)
            await self._objects.put(thumbnail, medium.poster, content_type="image/jpeg", sha256=poster_digest)
        return CompletedFile(
            index=medium.index,
            storage_key=key,
            filename=filename(kind, medium.index, medium.format),
            format=medium.format,
            content_type=medium.content_type,
            size_bytes=size,
            width=medium.width,
            height=medium.height,
            sha256=digest,
            duration_seconds=medium.duration_seconds,
            fps=medium.fps,
            thumbnail_key=thumbnail,
            thumbnails=smaller,
            placeholder=medium.placeholder,
        )

    async def _store_smaller(self, key: str, medium: Medium) -> list[Thumbnail]:
        return list(await asyncio.gather(*(self._store_one_smaller(key, one) for one in medium.smaller)))

    async def _store_one_smaller(self, key: str, one: SmallerVersion) -> Thumbnail:
        own_key = thumbnail_key(key, one.width, one.format)
        digest, size = await asyncio.to_thread(_hash, one.path)
        await self._objects.put(own_key, one.path, content_type=f"image/{one.format.lower()}", sha256=digest)
        return Thumbnail(width=one.width, height=one.height, format=one.format, storage_key=own_key, size_bytes=size)

    async def _after_failure(self, claim: Claim, reporter: Reporter, failure: Failure) -> GiveBack | None:
        if failure.retryable and claim.attempts < self._max_attempts:
            _log.warning(
                "an attempt failed and is repeated",
                job_id=claim.job_id,
                code=failure.code,
                attempt=claim.attempts,
            )
            return GiveBack(after_seconds=2.0**claim.attempts, forgive_attempt=False)
        await reporter.failed(failure)
        return None


def _overdue(claim: Claim) -> Failure:
    if claim.fence == 1:
        message = "the deadline passed before the work was begun; nothing was charged"
        return Failure.of(FailureCode.TIMEOUT, message, stage="queued")
    return Failure.of(FailureCode.TIMEOUT, "the deadline passed before the work was done", charged="unknown")


def _needs_folder(claim: Claim) -> bool:
    return claim.provider != "instant"


def _hash(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest, path.stat().st_size


def _metadata(claim: Claim, rendered: Rendered, files: Sequence[CompletedFile], seconds: float) -> dict[str, Any]:
    return {
        "model_name": claim.model,
        "version": "1.0",
        "generation_time_seconds": round(seconds, 3),
        "output_size_bytes": sum(file.size_bytes or 0 for file in files),
        **rendered.metadata,
    }
