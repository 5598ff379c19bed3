"""Circuit breakers: when a provider gets no work for a while, and how it is tried again. Pure: no clock, no rows."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from contracts.failures import Failure, FailureCode

LONGEST_PAUSE: Final = 600.0
"""Seconds between two probes at most, unless the provider itself asks for more."""
REFUSED_PAUSE: Final = 120.0
"""Seconds before a provider that refuses our key or our balance is tried again; doubled each time."""
LONGEST_REFUSED: Final = 3_600.0

OF_PROVIDER: Final = frozenset({FailureCode.PROVIDER_AUTH, FailureCode.QUOTA})
"""What a provider says of all its models: it opens the breaker at once."""
COUNTED: Final = frozenset(
    {
        FailureCode.OVERLOADED,
        FailureCode.RATE_LIMITED,
        FailureCode.TIMEOUT,
        FailureCode.PROVIDER_ERROR,
        FailureCode.OUTCOME_UNKNOWN,
    }
)
"""What opens a model's breaker when it comes several times in a row."""
OURS: Final = frozenset({FailureCode.INTERNAL, FailureCode.CANCELLED})
"""What says nothing of the provider."""


class Door(StrEnum):
    """Closed: work passes. Open: none does. Half open: one task is trying."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker; `failures` in a row, `openings` since it last worked, `pause` in seconds until a probe may start."""

    door: Door = Door.CLOSED
    failures: int = 0
    openings: int = 0
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """How many failures in a row open a breaker, and the first pause in seconds."""

    failures: int = 5
    pause: float = 15.0


def after_failure(
    breaker: Breaker, failure: Failure, rules: BreakerRules, *, retry_after: float | None = None
) -> Breaker:
    """Return the breaker after a failure; what says that the provider works counts as an answer."""
    if failure.code in OURS:
        return breaker
    if failure.code not in COUNTED | OF_PROVIDER:
        return after_answer(breaker)
    if breaker.door is Door.OPEN:
        # Work that was begun before it opened: the pause stands.
        return replace(breaker, failures=breaker.failures + 1)
    failures = breaker.failures + 1
    if failure.code in COUNTED and breaker.door is Door.CLOSED and failures < rules.failures:
        return replace(breaker, failures=failures)
    return Breaker(Door.OPEN, failures, breaker.openings + 1, _pause(breaker, failure, rules, retry_after))


def _pause(breaker: Breaker, failure: Failure, rules: BreakerRules, retry_after: float | None) -> float:
    refused = failure.code in OF_PROVIDER
    first, longest = (REFUSED_PAUSE, LONGEST_REFUSED) if refused else (rules.pause, LONGEST_PAUSE)
    return max(min(longest, first * 2.0 ** min(breaker.openings, 16)), retry_after or 0.0)


def after_acceptance(breaker: Breaker, rules: BreakerRules) -> Breaker:
    """Return the breaker after an order was accepted that is still to be rendered: one more failure opens it again."""
    if breaker.door is not Door.HALF_OPEN:
        return breaker
    return Breaker(Door.CLOSED, rules.failures - 1, breaker.openings)


def after_answer(breaker: Breaker) -> Breaker:
    """Return the breaker after the provider did its work; an open one waits for its probe all the same."""
    return breaker if breaker.door is Door.OPEN else Breaker()


def scope_of(code: FailureCode, model: str) -> str:
    """Return what a failure speaks of: the provider itself (''), or the model."""
    return "" if code in OF_PROVIDER else model
