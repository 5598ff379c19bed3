"""What the limits say to a caller: what is left, and when to come back."""

import math
from dataclasses import dataclass, replace

from services.gateway.store.jobs import Limits, Outcome, Share

WINDOW_SECONDS = 60
OPEN_JOBS_RETRY_SECONDS = 5
"""Seconds after which one of many open jobs may have ended."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a policy, and the seconds until it is whole again."""

    policy: str
    most: int
    left: int
    resets_in: int


class LimitReached(Exception):
    """More was asked for than is allowed; `code` is stable, `retry_after` is in seconds."""

    def __init__(self, code: str, detail: str, retry_after: int, remaining: list[Remaining]) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.remaining = remaining


def remaining(outcome: Outcome, limits: Limits) -> list[Remaining]:
    """Say what is left of each limit that is on."""
    found = []
    if limits.user_per_minute and outcome.user is not None:
        found.append(_remaining("user", limits.user_per_minute, outcome.user))
    if limits.organization_per_minute and outcome.organization is not None:
        found.append(_remaining("organization", limits.organization_per_minute, outcome.organization))
    return found


def _remaining(policy: str, most: int, share: Share) -> Remaining:
    return Remaining(policy, most, max(0, most - share.used), max(1, math.ceil(share.resets_in)))


def limit_reached(outcome: Outcome, limits: Limits, taken_back: int = 0) -> LimitReached:
    """Say which limit refused a job; `taken_back` were granted beside it and are not used after all."""
    left = remaining(outcome, limits)
    used_up = [one for one in left if one.left == 0]
    left = [replace(one, left=one.left + taken_back) for one in left]
    if not used_up:
        return LimitReached(
            "quota_exceeded",
            f"{limits.open_jobs} jobs may be open at a time; wait until some have ended, or cancel them",
            OPEN_JOBS_RETRY_SECONDS,
            left,
        )
    most = min(one.most for one in used_up)
    again = max(one.resets_in for one in used_up)
    return LimitReached(
        "rate_limited", f"{most} jobs may be asked for within a minute; try again in {again} seconds", again, left
    )
