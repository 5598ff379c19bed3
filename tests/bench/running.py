"""How a comparison is run: the sides take turns, noisy rounds are repeated, and what counts is the median."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.machine import metered

MOST_FOREIGN = 0.2
"""Cores that others may use during a round; with more it is run again."""
MOST_ROUNDS = 2.0
"""Times the wanted rounds that are run at most; then the quietest are kept, and the report says so."""

Values = Mapping[str, float]
Side = Callable[[], Awaitable[Values]]


@dataclass(frozen=True)
class Round:
    """What one turn of every side measured, as `<side>.<value>`, and the most foreign cores of a side."""

    values: dict[str, float]
    foreign: float


@dataclass(frozen=True)
class Spread:
    """A median with the least and the most of the kept rounds."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        if not values:
            raise ValueError("nothing was measured")
        return cls(statistics.median(values), min(values), max(values), len(values))


@dataclass(frozen=True)
class Measured:
    """The rounds that count."""

    rounds: tuple[Round, ...]

    @property
    def foreign(self) -> float:
        """Cores that others used in the noisiest round that was kept."""
        return max(one.foreign for one in self.rounds)

    def of(self, name: str) -> Spread:
        return Spread.of([one.values[name] for one in self.rounds if name in one.values])

    def ratio(self, name: str, to: str) -> Spread:
        """Return how many times `to` a value is, within each round: a machine's speed drifts from round to round."""
        both = [one.values for one in self.rounds if name in one.values and one.values.get(to)]
        return Spread.of([values[name] / values[to] for values in both])


def keep(rounds: Sequence[Round], wanted: int) -> tuple[Round, ...]:
    """Return the quietest `wanted` rounds, in the order they were run."""
    quietest = sorted(range(len(rounds)), key=lambda place: rounds[place].foreign)[:wanted]
    return tuple(rounds[place] for place in sorted(quietest))


async def interleave(sides: Mapping[str, Side], *, rounds: int, say: Callable[[str], None] = print) -> Measured:
    """Run A B A B … until enough quiet rounds are there."""
    run: list[Round] = []
    while True:
        quiet = [one for one in run if one.foreign <= MOST_FOREIGN]
        if len(quiet) >= rounds or len(run) >= rounds * MOST_ROUNDS:
            return Measured(keep(run, rounds))
        values: dict[str, float] = {}
        foreign = 0.0
        for name, side in sides.items():
            with metered() as usage:
                found = await side()
            values |= {f"{name}.{what}": number for what, number in found.items()}
            foreign = max(foreign, usage.foreign)
        run.append(Round(values, foreign))
        shown = ", ".join(f"{what} {number:,.1f}" for what, number in values.items())
        noise = "" if foreign <= MOST_FOREIGN else " (noisy)"
        say(f"  round {len(run)}: {shown}; others {foreign:.2f} cores{noise}")
