"""End the operations of tasks that ended without them: cancelled, overdue, removed, or done by another."""

import asyncio
from collections.abc import Mapping
from typing import Final

from services.generator.metrics import count_attempt, provider_call
from services.generator.providers.base import Operation, RemoteProvider
from services.generator.store.operations import EndedAttempt, close_attempt, count_cancel, ended_attempts
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

LOOK_EVERY: Final = 5.0
"""Seconds between looks when nothing wakes us."""
MOST_AT_ONCE: Final = 50
MOST_CANCELS: Final = 3
"""How often a provider is asked to stop an operation: it is a courtesy, the job has ended already."""

_log = get_logger(part="operations")


class EndOperations:
    """Closes attempts after their task was decided, and stops the provider's own job where it can be stopped."""

    def __init__(self, pool: Pool, providers: Mapping[str, RemoteProvider]) -> None:
        self._pool = pool
        self._providers = providers
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look now: a task was called off."""
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the look for operations to end is put off", error=type(error).__name__)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def look(self) -> None:
        """End what can be ended now."""
        ended = await ended_attempts(self._pool, MOST_AT_ONCE)
        await asyncio.gather(*(self._end(one) for one in ended))

    async def _end(self, ended: EndedAttempt) -> None:
        if await self._stopped(ended) or ended.cancels + 1 >= MOST_CANCELS:
            closed = await close_attempt(self._pool, ended.job_id, ended.attempt, ended.outcome, seen=ended.step)
            count_attempt(closed, ended.outcome)
        else:
            await count_cancel(self._pool, ended)

    async def _stopped(self, ended: EndedAttempt) -> bool:
        """Tell whether there is nothing to stop any more."""
        provider = self._providers.get(ended.provider)
        runs = ended.step == "submitted" and ended.outcome != "completed" and ended.operation_id is not None
        if not runs or provider is None or not provider.traits.cancellable:
            return True
        try:
            with provider_call(ended.provider, "cancel"):
                taken = await provider.cancel(Operation(ended.operation_id or "", ended.state or {}))
        except Exception:
            _log.exception("an operation could not be cancelled", job_id=ended.job_id, provider=ended.provider)
            return False
        _log.info("an operation was cancelled", job_id=ended.job_id, provider=ended.provider, taken=taken)
        return taken
