"""How those who wait share what works: weights and caps as settings say them, and what goes before a turn."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

CAPPED: Final = ("provider", "model", "organization", "user")
"""Sorts of subjects that may have a cap; `user=3` is for each user, `user:<id>=1` for this one."""
WEIGHED: Final = ("organization", "user")
LEAST_WEIGHT, MOST_WEIGHT = 0.01, 100.0
MOST_CAP = 1_000_000
_SAME = 1e-6
"""Turns nearer than this stand at the same place."""

TASKS_CHANNEL: Final = "sorami_tasks"
"""Where processes tell one another that there is a task to look for: a hint, which may be lost."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Weights and caps by subject (`user:<id>`) or sort of subject (`user`)."""

    weights: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, int] = field(default_factory=dict)

    def weight(self, sort: str, name: str) -> float:
        """Return the weight of a subject: its own, that of its sort, or 1."""
        return self.weights.get(f"{sort}:{name}", self.weights.get(sort, 1.0))


EQUAL_SHARES: Final = Shares()


def read_caps(pairs: Sequence[str]) -> dict[str, int]:
    """Read caps as `provider:veo=10` or `user=3`; raises ValueError."""
    return {subject: _whole(number) for subject, number in _pairs(pairs, CAPPED)}


def read_weights(pairs: Sequence[str]) -> dict[str, float]:
    """Read weights as `organization:<id>=4` or `user=2`; raises ValueError."""
    return {subject: _weight(number) for subject, number in _pairs(pairs, WEIGHED)}


def _pairs(pairs: Iterable[str], sorts: Sequence[str]) -> Iterable[tuple[str, str]]:
    for pair in pairs:
        subject, _, number = pair.rpartition("=")
        sort, colon, name = subject.partition(":")
        if sort not in sorts or bool(colon) != bool(name):
            raise ValueError(f"each must be {' or '.join(sorts)}, or one of these with :<name>, then =<number>")
        yield subject, number


def _whole(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_CAP:
        raise ValueError(f"each cap must be a whole number from 1 to {MOST_CAP}")
    return int(text)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
        raise ValueError(f"each weight must be a number from {LEAST_WEIGHT} to {MOST_WEIGHT:.0f}")
    return weight


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a turn stands; of two at the same place the one goes first whose owner was served longer ago.

    That is told by the owner's turn `before` it, or for their first one by `served_at`.
    """

    place: float
    before: float
    served_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands among those they share with: the first of `queued` turns stands at `place`."""

    place: float
    served_at: datetime
    weight: float
    queued: int = 0

    def turn(self, number: int, now: float) -> Turn:
        """Return the turn of this number (from 0); nobody catches up what is behind `now`."""
        if number == 0:
            return Turn(self.place, -math.inf, self.served_at)
        place = max(self.place, now) + number / self.weight
        return Turn(place, place - 1 / self.weight, self.served_at)

    def turns_to(self, place: float, now: float) -> tuple[int, bool]:
        """Return how many turns stand before a place, and whether one stands at it."""
        if not self.queued or self.place > place - _SAME:
            return 0, self.queued > 0 and self.place < place + _SAME
        number = (place - max(self.place, now)) * self.weight
        whole = round(number)
        if abs(number - whole) < _SAME:
            return min(max(whole, 1), self.queued), 1 <= whole < self.queued
        return min(max(math.floor(number), 0) + 1, self.queued), False


@dataclass(slots=True)
class Lineup:
    """All who share turns as they were a moment ago, when turns had come to `now`."""

    standings: Sequence[Standing]
    now: float
    _known: dict[float, tuple[int, list[tuple[float, datetime]]]] = field(default_factory=dict)

    def turns_before(self, turn: Turn, now: float) -> int:
        """Return how many turns of all go first; those before `now` were taken meanwhile."""
        before, beside = self._at(turn.place)
        taken = self._at(now)[0] if now > self.now else 0
        return max(0, before - taken) + bisect_left(beside, (round(turn.before, 6), turn.served_at))

    def _at(self, place: float) -> tuple[int, list[tuple[float, datetime]]]:
        found = self._known.get(place)
        if found is None:
            before, beside = 0, []
            for one in self.standings:
                number, is_there = one.turns_to(place, self.now)
                before += number
                if is_there:
                    # What is the same but for the last bits of a sum must not be told apart by them.
                    turn = one.turn(number, self.now)
                    beside.append((round(turn.before, 6), turn.served_at))
            found = self._known[place] = (before, sorted(beside))
        return found
