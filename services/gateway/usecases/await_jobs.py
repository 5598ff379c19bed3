"""Wait for jobs to end: one question to the database for all who wait, however many they are."""

import asyncio
from collections import defaultdict

from services.gateway.queries.jobs import ended_among
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

LONGEST_WAIT = 60
"""Seconds a request may wait for its job."""
LOOK_EVERY = 0.03
"""Seconds between looks while anybody waits."""
MOST_WAITING = 5_000
"""Jobs that may be waited for in one process; a request for one more is answered at once."""

_log = get_logger(part="wait")


class AwaitJobs:
    """Wakes requests when their job has ended; asks nothing while nobody waits."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._somebody = asyncio.Event()
        self._closed = False

    @property
    def waiting(self) -> int:
        return sum(len(events) for events in self._waiting.values())

    async def __call__(self, job_id: str, seconds: float) -> None:
        """Return when the job has ended, when `seconds` are over, or when this process stops."""
        if self._closed or len(self._waiting) >= MOST_WAITING:
            return
        ended = asyncio.Event()
        self._waiting[job_id].add(ended)
        self._somebody.set()
        try:
            async with asyncio.timeout(min(seconds, LONGEST_WAIT)):
                await ended.wait()
        except TimeoutError:
            pass
        finally:
            events = self._waiting[job_id]
            events.discard(ended)
            if not events:
                del self._waiting[job_id]

    async def run(self) -> None:
        """Look for whoever waits until cancelled."""
        while True:
            await self._somebody.wait()
            if not self._waiting:
                self._somebody.clear()
                continue
            try:
                for job_id in await ended_among(self._pool, list(self._waiting)):
                    self._wake(job_id)
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("jobs that are waited for cannot be looked at now", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)

    def _wake(self, job_id: str) -> None:
        for event in self._waiting.get(job_id, ()):
            event.set()

    async def close(self) -> None:
        """Let everybody go: each is told where its job stands."""
        self._closed = True
        for job_id in list(self._waiting):
            self._wake(job_id)
