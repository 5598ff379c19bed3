"""Take a detour: a task whose model cannot render it now goes to the next one that may, and nothing was charged."""

from collections.abc import Callable
from typing import Final

from contracts.failures import Failure, FailureCode
from services.generator.store.leases import Claim
from services.generator.store.routes import reroute
from services.generator.usecases.watch_health import WatchHealth
from services.runtime.database import Pool
from services.runtime.logs import get_logger

PATIENCE: Final = 30.0
"""Seconds that a provider may ask us to wait before another one is asked instead."""
MOVABLE: Final = frozenset(
    {
        FailureCode.PROVIDER_AUTH,
        FailureCode.QUOTA,
        FailureCode.RATE_LIMITED,
        FailureCode.OVERLOADED,
        FailureCode.TIMEOUT,
        FailureCode.PROVIDER_ERROR,
    }
)
"""Failures of the provider. What it says of the order itself would be looked for elsewhere until somebody agrees."""

_log = get_logger(part="routes")


class TakeDetour:
    """Gives a leased task to the next model of its chain; `wake` tells the workers."""

    def __init__(self, pool: Pool, health: WatchHealth, wake: Callable[[], None]) -> None:
        self._pool = pool
        self._health = health
        self._wake = wake

    async def __call__(self, claim: Claim) -> bool:
        """Move the task; False when nobody may take over, or something may have been charged."""
        found = self._health.next_model(claim.request, claim.model)
        if found is None or not await reroute(self._pool, claim, *found):
            return False
        _, model = found
        _log.warning("another model takes over", job_id=claim.job_id, before=claim.model, model=model)
        self._wake()
        return True

    async def after(self, claim: Claim, failure: Failure, *, again: bool, retry_after: float | None = None) -> bool:
        """Move the task after a failure, unless the same model is to be tried `again` and soon can be."""
        if failure.code not in MOVABLE or failure.charged != "no":
            return False
        soon = (retry_after or 0.0) <= PATIENCE and not self._health.is_open(claim.provider, claim.model)
        return not (again and soon) and await self(claim)
