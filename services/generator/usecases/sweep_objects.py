"""The janitor of objects: what no row names is removed, long after anybody could still be at work on it."""

import asyncio
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from contracts.kinds import KINDS
from services.generator.metrics import JANITOR_LOOKED, JANITOR_REMOVED
from services.generator.store.janitor import begin_look, end_look, kept_folders, kept_media, kept_uploads
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger
from services.runtime.objects import Objects, ObjectsUnavailable, StoredObject

EVERY_SECONDS: Final = 3_600.0
MOST_LOOKED_AT: Final = 50_000
"""Keys a run; the next run goes on behind the last of them."""
MOST_REMOVED: Final = 5_000
_PAGE: Final = 1_000
_ID: Final = r"(?P<job>[A-Za-z0-9][A-Za-z0-9_-]{0,63})"
_WORKDIR: Final = re.compile(r"sorami-[a-z0-9_]{8}")
_UPLOAD: Final = re.compile(r"uploads/[0-9a-f]{24}/[0-9a-f]{64}")
_PREVIEW: Final = rf"{_ID}/previews/\d+_\d+\.webp"
_SHAPES: Final = (
    *(
        re.compile(rf"{kind.plural}/(?:{_ID}/(?:f\d+/)?{kind.name}_\d+(?:_thumb_\d+)?\.[a-z0-9]+)")
        for kind in KINDS.values()
    ),
    *(re.compile(rf"{kind.plural}/{_PREVIEW}") for kind in KINDS.values()),
    re.compile(rf"incoming/{_ID}/[0-9a-f]{{64}}"),
)
"""What a key of ours looks like; nothing else is ever touched."""
PREFIXES: Final = tuple(sorted([*(f"{kind.plural}/" for kind in KINDS.values()), "incoming/", "uploads/"]))

_log = get_logger(part="janitor")


@dataclass(slots=True)
class Found:
    """What a look came upon: counts by prefix, and some of the keys that go."""

    looked_at: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    bytes_freed: int = 0
    unfinished: int = 0
    folders: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.removed.values()) + self.unfinished + self.folders

    def tell(self) -> None:
        """Count what was removed where operators see it."""
        JANITOR_LOOKED.inc(self.looked_at)
        for what, count in (*self.removed.items(), ("unfinished uploads", self.unfinished), ("folders", self.folders)):
            JANITOR_REMOVED.labels(what).inc(count)

    def count(self, one: StoredObject) -> None:
        self.removed[one.key.partition("/")[0]] += 1
        self.bytes_freed += one.size
        if len(self.examples) < 10:
            self.examples.append(one.key)


class SweepObjects:
    """Looks through our part of the bucket, a bounded piece a turn; generators take turns over one row.

    `age_hours` is far beyond any lease: what is younger is nobody's business.
    """

    def __init__(self, pool: Pool, objects: Objects, *, age_hours: float) -> None:
        self._pool = pool
        self._objects = objects
        self._age = timedelta(hours=age_hours)

    async def run(self) -> None:
        """Look now and then until cancelled."""
        while True:
            # Not at the start: a process that restarts again and again would look again and again.
            await asyncio.sleep(EVERY_SECONDS / 4)
            try:
                await self.look()
            except ObjectsUnavailable as error:
                _log.warning("the bucket cannot be looked through now", error=str(error))
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the look through the bucket is put off", error=type(error).__name__)

    async def look(self, *, every: float = EVERY_SECONDS) -> Found | None:
        """Look through the next piece if nobody has within `every` seconds."""
        after = await begin_look(self._pool, every)
        if after is None:
            return None
        found = Found()
        mark = await self._pass(found, after, remove=True, bounded=True)
        await end_look(self._pool, mark)
        await self._rest(found, remove=True)
        found.tell()
        if found.total:
            _log.info(
                "what no row names was removed",
                looked_at=found.looked_at,
                objects=dict(found.removed),
                bytes=found.bytes_freed,
                unfinished_uploads=found.unfinished,
                folders=found.folders,
            )
        return found

    async def everything(self, *, remove: bool) -> Found:
        """Look through all of it at once; raises ObjectsUnavailable."""
        found = Found()
        await self._pass(found, "", remove=remove, bounded=False)
        await self._rest(found, remove=remove)
        return found

    async def _pass(self, found: Found, after: str, *, remove: bool, bounded: bool) -> str:
        """Return the key behind which the next look goes on, empty at the end."""
        for prefix in PREFIXES:
            last = max(after, prefix)
            if last > prefix and not last.startswith(prefix):
                continue  # this prefix lies before the key
            while page := await self._objects.list_page(prefix, after=last, most=_PAGE):
                last = page[-1].key
                found.looked_at += len(page)
                await self._judge(found, page, remove=remove)
                if bounded and (found.looked_at >= MOST_LOOKED_AT or found.removed.total() >= MOST_REMOVED):
                    return last
        return ""

    async def _judge(self, found: Found, page: Sequence[StoredObject], *, remove: bool) -> None:
        oldest = datetime.now(UTC) - self._age
        old = {one.key: one for one in page if one.modified < oldest}
        jobs = {key: job for key in old if (job := job_of(key)) is not None}
        uploads = [key for key in old if _UPLOAD.fullmatch(key)]
        going = set(jobs) - await kept_media(self._pool, list(jobs), list(jobs.values())) if jobs else set()
        if uploads:
            going |= set(uploads) - await kept_uploads(self._pool, uploads)
        for key in sorted(going):
            if remove:
                await self._objects.delete(key)
            found.count(old[key])

    async def _rest(self, found: Found, *, remove: bool) -> None:
        """Uploads in parts that nobody ended, and folders of work that a crash left on this machine."""
        oldest = datetime.now(UTC) - self._age
        for prefix in PREFIXES:
            found.unfinished += await self._objects.abort_unfinished(prefix, before=oldest, really=remove)
        kept = await kept_folders(self._pool)
        found.folders += await asyncio.to_thread(sweep_folders, self._age.total_seconds(), kept, remove=remove)


def job_of(key: str) -> str | None:
    """Return the job that a media key of ours belongs to; None for every other key."""
    return next((match["job"] for shape in _SHAPES if (match := shape.fullmatch(key))), None)


def sweep_folders(age_seconds: float, kept: set[str], *, remove: bool, base: Path | None = None) -> int:
    """Remove old folders of attempts that nobody goes on with, and return how many."""
    base = base or Path(tempfile.gettempdir())
    swept = 0
    for folder in base.glob("sorami-*"):
        try:
            about = folder.lstat()
            newest = max([about.st_mtime, *(inside.lstat().st_mtime for inside in folder.rglob("*"))])
        except OSError:
            continue  # its owner has just removed it
        ours = _WORKDIR.fullmatch(folder.name) and about.st_uid == os.geteuid() and folder.is_dir()
        if not ours or folder.is_symlink() or time.time() - newest < age_seconds:
            continue
        if any(Path(path).is_relative_to(folder) for path in kept):
            continue
        if remove:
            shutil.rmtree(folder, ignore_errors=True)
        swept += 1
    return swept
