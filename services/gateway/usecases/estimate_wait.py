"""Estimate how long a job still takes: the turns that come before its own, and how long such jobs took lately."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.sharing import EQUAL_SHARES, Lineup, Shares, Standing
from contracts.status import JobStatus
from services.gateway.queries import queue
from services.gateway.queries.generations import StatusView
from services.gateway.queries.queue import MOST_COUNTED, Place, Waiting
from services.runtime.database import Pool

REMEMBER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many go first, and the seconds until the job is done; None where nothing is known."""

    queue_position: int | None = None
    eta_seconds: int | None = None


NOTHING_KNOWN = Estimate()


@dataclass(frozen=True, slots=True)
class _Known:
    """What is asked every few seconds: who waits (by provider and, inside it, organisation), and how fast work goes."""

    lineups: Mapping[tuple[str, str], Lineup] = field(default_factory=dict)
    at_work: Mapping[str, int] = field(default_factory=dict)
    durations: Mapping[tuple[str, str | None], float] = field(default_factory=dict)


class EstimateWait:
    """Asks for a job's own place each time it is called, and for everybody else's every few seconds."""

    def __init__(self, pool: Pool, shares: Shares = EQUAL_SHARES) -> None:
        self._pool = pool
        self._shares = shares
        self._known = _Known()
        self._known_until = 0.0

    async def __call__(self, view: StatusView) -> Estimate:
        """Estimate an open job; a queue position is 1 for whoever is next."""
        if view.is_terminal or not view.ours:
            return NOTHING_KNOWN
        await self._refresh()
        seconds = self._known.durations.get((view.kind.name, view.model))
        if view.status is JobStatus.GENERATING:
            return Estimate(None, _rounded(seconds * (100 - view.progress) / 100) if seconds is not None else None)
        place = await queue.place_of(self._pool, view.job_id)
        if place is None or place.state != "queued":
            return Estimate(None, _rounded(seconds) if seconds is not None else None)
        if place.rests:
            return Estimate(None, _rounded(max(0.0, place.due_in) + seconds) if seconds is not None else None)
        position = min(self._turns_before(place), MOST_COUNTED) + 1
        if seconds is None or place.paused:
            return Estimate(position)
        # Those at work are as many as there are free hands; each round takes as long as a job.
        rounds = -(-position // max(1, self._known.at_work.get(place.provider, 0)))
        return Estimate(position, _rounded(rounds * seconds + seconds))

    def _turns_before(self, place: Place) -> int:
        """Count the turns that come before the task's own, as `claim_tasks` gives them out."""
        if place.own_place is None or place.own_served_at is None:
            return place.ahead
        person = Standing(place.own_place, place.own_served_at, self._shares.weight("user", place.owner_id))
        if not place.organization_id:
            return self._before(place.provider, "", person, place.ahead, place.now)
        first = self._before(place.provider, place.organization_id, person, place.ahead, place.org_now)
        if place.org_place is None or place.org_served_at is None:
            return first
        weight = self._shares.weight("organization", place.organization_id)
        organization = Standing(place.org_place, place.org_served_at, weight)
        return self._before(place.provider, "", organization, first, place.now)

    def _before(self, provider: str, organization: str, one: Standing, ahead: int, now: float) -> int:
        lineup = self._known.lineups.get((provider, organization))
        if lineup is None:
            return ahead
        return max(ahead, lineup.turns_before(one.turn(ahead, now), now))

    async def _refresh(self) -> None:
        if self._known_until < time.monotonic():
            # Set first: whoever comes meanwhile takes what is known instead of asking too.
            self._known_until = time.monotonic() + REMEMBER_SECONDS
            lineups = _lineups(await queue.all_waiting(self._pool), await queue.turns(self._pool), self._shares)
            self._known = _Known(lineups, await queue.at_work(self._pool), await queue.durations(self._pool))


def _lineups(
    waiting: list[Waiting], turns: Mapping[tuple[str, str], float], shares: Shares
) -> dict[tuple[str, str], Lineup]:
    """Put everybody who waits among those they share with."""
    standings: dict[tuple[str, str], list[Standing]] = defaultdict(list)
    queued: dict[tuple[str, str], int] = defaultdict(int)
    for one in waiting:
        if one.owner_id:
            weight = shares.weight("user", one.owner_id)
            standings[one.provider, one.organization_id].append(Standing(one.place, one.served_at, weight, one.queued))
            queued[one.provider, one.organization_id] += one.queued
    for one in waiting:
        if not one.owner_id:
            weight = shares.weight("organization", one.organization_id)
            number = queued[one.provider, one.organization_id]
            standings[one.provider, ""].append(Standing(one.place, one.served_at, weight, number))
    return {key: Lineup(found, turns.get(key, 0.0)) for key, found in standings.items()}


def _rounded(seconds: float) -> int:
    return max(1, round(seconds))
