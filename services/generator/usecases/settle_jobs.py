"""Settle jobs that ended: close their tasks, call off work still going on, send forgotten verdicts again."""

import asyncio
from collections.abc import Callable, Sequence

from services.generator.store.tasks import resend_verdicts, settle, settle_ended
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger
from services.runtime.outbox import OutboxRow

_log = get_logger(part="settle")


class SettleJobs:
    """Closes tasks on job.updated, and by looking where that was not heard."""

    def __init__(
        self,
        pool: Pool,
        offer: Callable[[Sequence[OutboxRow]], None],
        call_off: Callable[[Sequence[str]], None],
        *,
        forgotten_after: float,
    ) -> None:
        self._pool = pool
        self._offer = offer
        self._call_off = call_off
        self._forgotten_after = forgotten_after

    async def __call__(self, job_ids: Sequence[str]) -> None:
        self._call_off(await settle(self._pool, job_ids))

    async def run(self) -> None:
        """Look for what was forgotten until cancelled."""
        while True:
            await asyncio.sleep(self._forgotten_after / 4)
            try:
                await self.look()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the look for forgotten verdicts is put off", error=type(error).__name__)

    async def look(self) -> None:
        """Settle and send again what nobody reacted to in time."""
        self._call_off(await settle_ended(self._pool, self._forgotten_after))
        rows = await resend_verdicts(self._pool, self._forgotten_after)
        if rows:
            _log.warning("verdicts are sent again", jobs=len(rows))
        self._offer(rows)
