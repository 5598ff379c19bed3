"""Estimate how long a job still takes: its place in line and how long its model's jobs took lately."""

import time
from dataclasses import dataclass

from contracts.status import JobStatus
from services.gateway.queries import queue
from services.gateway.queries.generations import StatusView
from services.runtime.database import Pool

REMEMBER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many go first, and the seconds until the job is done; None where nothing is known."""

    queue_position: int | None = None
    eta_seconds: int | None = None


NOTHING_KNOWN = Estimate()


class EstimateWait:
    """Asks for a job's place each time it is called, and for durations every few seconds."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._durations: dict[tuple[str, str | None], float] = {}
        self._known_until = 0.0

    async def __call__(self, view: StatusView) -> Estimate:
        """Estimate an open job; a queue position is 1 for whoever is next."""
        if view.is_terminal or not view.ours:
            return NOTHING_KNOWN
        seconds = await self._seconds(view)
        if view.status is JobStatus.GENERATING:
            return Estimate(None, _rounded(seconds * (100 - view.progress) / 100) if seconds is not None else None)
        place = await queue.place_of(self._pool, view.job_id)
        if place is None or not place.waiting:
            return Estimate(None, _rounded(seconds) if seconds is not None else None)
        position = place.ahead + 1
        if seconds is None:
            return Estimate(position)
        # Those at work are as many as there are free hands; each turn takes as long as a job.
        turns = -(-position // max(1, place.at_work))
        return Estimate(position, _rounded(turns * seconds + seconds))

    async def _seconds(self, view: StatusView) -> float | None:
        if self._known_until < time.monotonic():
            # Set first: whoever comes meanwhile takes what is known instead of asking too.
            self._known_until = time.monotonic() + REMEMBER_SECONDS
            self._durations = await queue.durations(self._pool)
        return self._durations.get((view.kind.name, view.model))


def _rounded(seconds: float) -> int:
    return max(1, round(seconds))
