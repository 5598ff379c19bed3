"""Hear workers of others: signs of life, and how they say that a job ended. What they say is looked at by a task."""

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from typing import Final

from contracts.events import JobCompleted, JobFailed, JobProgressed, Reported
from contracts.media import incoming_prefix
from contracts.provider_settings import EXTERNAL
from services.generator.store.worker_reports import FORGET_REPORTS, Said, foreign, hear
from services.runtime.consumer import Bury, DeadLetter, Incoming
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

FORGET_EVERY: Final = 60.0
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

_log = get_logger(part="workers")


class HearWorkers:
    """The use case behind reports that carry no lease of ours; `providers` are the declared workers' names."""

    def __init__(self, pool: Pool, providers: Collection[str], wake: Callable[[], None], bury: Bury) -> None:
        self._pool = pool
        self._providers = sorted(providers)
        self._wake = wake
        self._bury = bury

    async def __call__(self, batch: Sequence[Incoming]) -> None:
        """Keep what workers said; what they cannot say becomes a dead letter, and their job goes on waiting."""
        theirs = [one for one in batch if _is_a_workers(one.event)]
        letters = [DeadLetter(one.record, *fault) for one in theirs if (fault := _fault(one.event)) is not None]
        sound = [one for one in theirs if _fault(one.event) is None]
        said = _last_words([one.event for one in sound])
        if said:
            strange = await foreign(self._pool, said)
            detail = "the job is not one of the provider that reports on it"
            letters += [DeadLetter(one.record, "foreign_job", detail) for one in sound if one.event.job_id in strange]
            if await hear(self._pool, [one for one in said if one.job_id not in strange], self._providers):
                self._wake()
        if letters:
            await self._bury(letters)

    async def run(self) -> None:
        """Forget what was said of ended jobs, until cancelled."""
        while True:
            await asyncio.sleep(FORGET_EVERY)
            try:
                await self._pool.execute(FORGET_REPORTS)
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("reports are kept a little longer", error=type(error).__name__)


def _is_a_workers(event: Reported) -> bool:
    return event.fence == 0 and (event.provider or "").startswith(EXTERNAL)


def _fault(event: Reported) -> tuple[str, str] | None:
    """Say why a report cannot be acted upon: a file must be an object that was uploaded for this very job."""
    if not isinstance(event, JobCompleted):
        return None
    prefix = incoming_prefix(event.job_id)
    for place, file in enumerate(event.files):
        key = file.storage_key or ""
        if not key.startswith(prefix) or not _DIGEST.fullmatch(key.removeprefix(prefix)):
            return "foreign_object", f"files[{place}].storage_key: not an upload that was begun for this job"
    return None


def _last_words(events: Sequence[Reported]) -> list[Said]:
    """One for each job: its first ending, else a sign of life."""
    said: dict[str, Said] = {}
    for event in events:
        known = said.get(event.job_id)
        if known is None or (known.topic is None and not isinstance(event, JobProgressed)):
            ends = isinstance(event, JobCompleted | JobFailed)
            said[event.job_id] = Said(
                event.job_id,
                event.kind,
                event.provider or "",
                event.TOPIC.name if ends else None,
                event.model_dump_json(exclude_none=True) if ends else None,
            )
    return [said[job_id] for job_id in sorted(said)]
