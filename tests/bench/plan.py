"""How thorough a bench is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`rounds` that are kept of each comparison, and jobs that are in the database before."""

    rounds: int = 5
    seconds: float = 4.0
    """Of load in one round."""
    jobs: int = 100_000
    sizes: tuple[int, ...] = (10_000, 100_000)
    """Of the database, for what must not grow with it."""
    outbox_sizes: tuple[int, ...] = (10_000, 100_000)
    streams: int = 10_000
    memory_rounds: int = 5


QUICK = Plan(rounds=2, seconds=3.0, jobs=0, sizes=(1_000, 20_000), streams=1_000, memory_rounds=2)
FULL = Plan()
LONG = Plan(jobs=1_000_000, sizes=(10_000, 100_000, 1_000_000, 3_000_000), outbox_sizes=(10_000, 100_000, 1_000_000))
