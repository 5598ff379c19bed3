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


def read_caps(pairs: Sequence[str]) -> dict[str, int]:
    """Read caps as `provider:veo=10` or `user=3`; raises ValueError."""
    return {subject: _whole(number) for subject, number in _pairs(pairs, CAPPED)}


def read_weights(pairs: Sequence[str]) -> dict[str, float]:
    """Read weights as `organization:<id>=4` or `user=2`; raises ValueError."""
    return {subject: _weight(number) for subject, number in _pairs(pairs, WEIGHED)}


def weight_of(weights: Mapping[str, float], sort: str, name: str) -> float:
    """Return the weight of a subject: its own, that of its sort, or 1."""
    return weights.get(f"{sort}:{name}", weights.get(sort, 1.0))


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
class Standing:
    """Where somebody stands among those they share with: the first of `queued` turns stands at `place`.

    `served_at` decides between turns at the same place: whoever was served longest ago goes first.
    """

    place: float
    served_at: datetime
    weight: float
    queued: int = 0

    def turn(self, number: int, now: float) -> float:
        """Return where the turn of this number (from 0) stands; nobody catches up what is behind `now`."""
        return self.place if number == 0 else max(self.place, now) + number / self.weight

    def turns_before(self, place: float, now: float) -> int:
        """Return how many turns stand before a place."""
        if not self.queued or self.place >= place:
            return 0
        later = math.ceil(_rounded((place - max(self.place, now)) * self.weight)) - 1
        return 1 + max(0, min(self.queued - 1, later))

    def has_turn_at(self, place: float, now: float) -> bool:
        number = self.turns_before(place, now)
        return number < self.queued and _rounded(self.turn(number, now) - place) == 0


@dataclass(slots=True)
class Lineup:
    """All who share turns as they were a moment ago, when turns had come to `now`."""

    standings: Sequence[Standing]
    now: float
    _known: dict[float, tuple[int, list[datetime]]] = field(default_factory=dict)

    def turns_before(self, place: float, served_at: datetime, now: float) -> int:
        """Return how many turns of all go first; those before `now` were taken meanwhile."""
        before, ties = self._at(place)
        taken = self._at(now)[0] if now > self.now else 0
        return max(0, before - taken) + bisect_left(ties, served_at)

    def _at(self, place: float) -> tuple[int, list[datetime]]:
        found = self._known.get(place)
        if found is None:
            before = sum(one.turns_before(place, self.now) for one in self.standings)
            ties = sorted(one.served_at for one in self.standings if one.has_turn_at(place, self.now))
            found = self._known[place] = (before, ties)
        return found


def _rounded(number: float) -> float:
    return round(number, 6)
