"""Show unfinished pictures while a job runs: decoded in a child, stored small, told by an address, then removed."""

import asyncio
import hashlib
from pathlib import Path
from types import TracebackType
from typing import Final

from contracts.kinds import KINDS
from contracts.media import preview_key, preview_prefix
from services.generator.queries import open_tasks
from services.generator.render_pool import RenderFailed, RenderPool
from services.generator.store.leases import Claim
from services.generator.usecases.reporter import Reporter
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger
from services.runtime.objects import ObjectClash, Objects, ObjectsUnavailable

CONTENT_TYPE: Final = "image/webp"

_log = get_logger(part="preview")


class ShowPreviews:
    """Makes what hears the previews of one lease; `examiners` are children that look at strangers' pictures."""

    def __init__(self, pool: Pool, examiners: RenderPool, objects: Objects) -> None:
        self.pool = pool
        self.examiners = examiners
        self.objects = objects
        self.removals: set[asyncio.Task[None]] = set()

    def __call__(self, claim: Claim, reporter: Reporter) -> "Previews":
        return Previews(self, claim, reporter)


class Previews:
    """The previews of one lease: one is looked at at a time, and one that came meanwhile gives way to a newer one.

    Nothing that a preview meets may touch the work itself.
    """

    def __init__(self, shared: ShowPreviews, claim: Claim, reporter: Reporter) -> None:
        self._shared = shared
        self._claim = claim
        self._reporter = reporter
        self._waiting: Path | None = None
        self._shown = 0
        self._showing: asyncio.Task[None] | None = None

    def __call__(self, path: Path) -> None:
        """Take a preview, which nobody has decoded yet."""
        self._waiting = path
        if self._showing is None or self._showing.done():
            self._showing = asyncio.create_task(self._show())

    async def __aenter__(self) -> "Previews":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Look at nothing more: the picture itself is there, or never will be."""
        if self._showing is not None:
            self._showing.cancel()
            await asyncio.wait({self._showing})

    async def _show(self) -> None:
        while self._waiting is not None:
            path, self._waiting = self._waiting, None
            try:
                await self._show_one(path)
            except (RenderFailed, ObjectsUnavailable, ObjectClash) as error:
                _log.warning("a preview is not shown", job_id=self._claim.job_id, error=type(error).__name__)

    async def _show_one(self, path: Path) -> None:
        number = self._shown + 1
        work = {"path": str(path), "folder": str(path.parent), "kind": "preview", "name": f"shown_{number}"}
        seen = await self._shared.examiners.render(work, lambda _: None)
        body = await asyncio.to_thread(Path(seen["path"]).read_bytes)
        key = preview_key(KINDS[self._claim.kind], self._claim.job_id, self._claim.fence, number)
        await self._shared.objects.put(key, body, content_type=CONTENT_TYPE, sha256=hashlib.sha256(body).hexdigest())
        self._shown = number
        self._reporter.preview(key)

    def remove(self) -> None:
        """Remove what was shown if the job has ended; what a crash leaves behind is the janitor's.

        Beside the work, which whoever hears of the end calls off.
        """
        if self._shown:
            removal = asyncio.create_task(self._remove())
            self._shared.removals.add(removal)
            removal.add_done_callback(self._shared.removals.discard)

    async def _remove(self) -> None:
        try:
            if not await open_tasks(self._shared.pool, [self._claim.job_id]):
                await self._shared.objects.delete_all(preview_prefix(KINDS[self._claim.kind], self._claim.job_id))
        except Exception as error:
            if not (isinstance(error, ObjectsUnavailable) or is_transient(error)):
                raise
            _log.warning("previews are left to the janitor", job_id=self._claim.job_id, error=type(error).__name__)
