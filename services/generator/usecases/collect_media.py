"""Collect what a provider made: fetched, checked in a child, stored and reported, each step written."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from contracts.events import CompletedFile
from contracts.failures import Failure, FailureCode
from contracts.prices import Price
from contracts.status import STAGE_PROGRESS, Stage
from services.generator.metrics import count_attempt, count_spent, provider_call
from services.generator.providers.base import (
    Finished,
    MediaRef,
    Medium,
    ProviderFailed,
    RawFile,
    RemoteProvider,
    SmallerVersion,
)
from services.generator.render_pool import RenderFailed, RenderPool
from services.generator.store.leases import Claim
from services.generator.store.operations import Attempt, begin_collecting, close_attempt, keep_stored
from services.generator.usecases.missing_media import with_missing
from services.generator.usecases.moderate import Moderate
from services.generator.usecases.rendered_state import plain_json
from services.generator.usecases.reporter import FenceLost, Reporter
from services.generator.usecases.store_media import StoreMedia
from services.runtime.database import Pool
from services.runtime.failpoints import reach
from services.runtime.logs import get_logger

EXAMINER: Final = "services.generator.pictures.examine"
MOST_FETCHES: Final = 3
LONGEST_PAUSE: Final = 60.0
"""Seconds between two fetches of a medium, whatever the provider asks for: its address lives for minutes."""

_log = get_logger(part="collect")


def _not_priced(_model: str) -> Price | None:
    return None


class CollectMedia:
    """Brings media of remote providers into the bucket; `examiners` are children that run EXAMINER.

    `price_of` tells what a model costs, for the estimate of what was spent.
    """

    def __init__(
        self,
        pool: Pool,
        providers: Mapping[str, RemoteProvider],
        examiners: RenderPool,
        store_media: StoreMedia,
        moderate: Moderate,
        price_of: Callable[[str], Price | None] = _not_priced,
    ) -> None:
        self._pool = pool
        self._providers = providers
        self._examiners = examiners
        self._store_media = store_media
        self._moderate = moderate
        self._price_of = price_of

    async def __call__(self, claim: Claim, attempt: Attempt, finished: Finished, reporter: Reporter) -> None:
        """Collect and report; raises ProviderFailed when none of the media is usable, and FenceLost."""
        reporter.progress(Stage.SAVING, STAGE_PROGRESS[Stage.SAVING])
        lease = await begin_collecting(self._pool, claim, attempt.attempt)
        if lease is None:
            raise FenceLost
        with tempfile.TemporaryDirectory(prefix="sorami-", ignore_cleanup_errors=True) as folder:
            brought, missing = await self._bring_all(claim, finished.media, Path(folder))
            media, refused = await self._moderate.after(claim, brought, charged=finished.charged)
            missing += refused
            files = await self._store_media(claim, media, lease=lease)
        metadata = _metadata(claim, finished, files, missing)
        kept = {"files": [file.model_dump(mode="json") for file in files], "metadata": metadata}
        if not await keep_stored(self._pool, claim, attempt.attempt, plain_json(kept)):
            raise FenceLost
        if self._providers[claim.provider].traits.self_starting:
            # Before the report: whoever hears of the end calls off what is still under way.
            await self._store_media.drop_incoming(claim)
        await self.report(claim, replace(attempt, step="stored", files=kept), reporter)

    async def report(self, claim: Claim, attempt: Attempt, reporter: Reporter) -> None:
        """Report what is stored."""
        stored = attempt.files or {}
        files = [CompletedFile.model_validate(file) for file in stored["files"]]
        await reporter.completed(files, stored["metadata"])
        closed = await close_attempt(self._pool, claim.job_id, attempt.attempt, "completed")
        count_attempt(closed, "completed")
        count_spent(closed, self._price_of(claim.model), (file.duration_seconds for file in files))

    async def _bring_all(
        self, claim: Claim, refs: Sequence[MediaRef], folder: Path
    ) -> tuple[list[Medium], list[Failure]]:
        """Return the usable media, numbered from 1, and why the others are missing; raises when there is none."""
        brought = await asyncio.gather(*(self._bring(claim, ref, folder) for ref in refs))
        media = [one for one in brought if isinstance(one, Medium)]
        failures = [one for one in brought if isinstance(one, Failure)]
        if not media:
            raise ProviderFailed(failures[0])
        for failure in failures:
            _log.warning("a medium is missing", job_id=claim.job_id, provider=claim.provider, reason=failure.message)
        return [replace(one, index=number) for number, one in enumerate(media, 1)], failures

    async def _bring(self, claim: Claim, ref: MediaRef, folder: Path) -> Medium | Failure:
        reach("gen.while_downloading")
        try:
            if ref.path is not None and not ref.path.is_file():
                message = "the media were lost with the machine that had them, before they were stored"
                raise ProviderFailed(Failure.of(FailureCode.PROVIDER_ERROR, message, charged="yes", stage="saving"))
            return await self._examine(await self._fetch(claim, ref, folder), ref.kind, folder)
        except ProviderFailed as error:
            return error.failure

    async def _fetch(self, claim: Claim, ref: MediaRef, folder: Path) -> RawFile:
        provider = self._providers[claim.provider]
        for tries in range(1, MOST_FETCHES + 1):
            try:
                with provider_call(claim.provider, "fetch"):
                    return await provider.fetch(ref, folder)
            except ProviderFailed as error:
                if not error.failure.retryable or tries == MOST_FETCHES:
                    raise
                pause = 0.5 * 2**tries if error.retry_after is None else error.retry_after
                await asyncio.sleep(min(pause, LONGEST_PAUSE))
        raise AssertionError("every try returns or raises")

    async def _examine(self, raw: RawFile, kind: str, folder: Path) -> Medium:
        work = {"path": str(raw.path), "folder": str(folder), "kind": kind, "name": f"{kind}_{raw.index}"}
        try:
            seen = await self._examiners.render(work, lambda _: None)
        except RenderFailed as error:
            raise ProviderFailed(_unusable(error.failure)) from None
        poster = seen.get("poster")
        return Medium(
            index=raw.index,
            format=raw.format,
            content_type=raw.content_type,
            width=seen["width"],
            height=seen["height"],
            path=raw.path,
            description=raw.description,
            duration_seconds=seen.get("seconds"),
            fps=seen.get("fps"),
            poster=Path(poster) if poster else None,
            smaller=[SmallerVersion(Path(one.pop("path")), **one) for one in seen["thumbnails"]],
            placeholder=seen["placeholder"],
        )


def _unusable(failure: Failure) -> Failure:
    """What the child could not read it cannot read the second time either; a child that died of it says as much."""
    message = failure.message if failure.reason else "the provider's medium could not be read within the limits"
    return failure.model_copy(
        update={
            "code": FailureCode.PROVIDER_ERROR,
            "message": message,
            "reason": failure.reason or "media_unreadable",
            "stage": "saving",
            "charged": "yes",
            "retryable": False,
        }
    )


def _metadata(
    claim: Claim, finished: Finished, files: Sequence[CompletedFile], missing: Sequence[Failure]
) -> dict[str, Any]:
    about = with_missing(finished.metadata, claim.request.count, len(files), missing)
    return {
        "model_name": claim.model,
        "version": "1.0",
        "output_size_bytes": sum(file.size_bytes or 0 for file in files),
        **about,
    }
