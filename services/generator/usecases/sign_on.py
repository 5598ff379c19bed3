"""Sign this process on as a worker while it runs."""

import asyncio
from collections.abc import Mapping
from typing import Final

from services.generator.store.workers import forget_absent, sign_off, sign_on
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

EVERY: Final = 10.0
"""Seconds between signs of life; the gateway counts whoever gave one within three of them."""
TIDY_EVERY: Final = 60
"""Signs of life between looks for lines and workers that are gone."""

_log = get_logger(part="workers")


class SignOn:
    """Says who is here and how many tasks of each provider it runs at once."""

    def __init__(self, pool: Pool, worker: str, slots: Mapping[str, int]) -> None:
        self._pool = pool
        self._worker = worker
        self._slots = slots
        self._stopping = False

    async def run(self) -> None:
        """Give signs of life until cancelled or stopped."""
        signs = 0
        while not self._stopping:
            try:
                await sign_on(self._pool, self._worker, self._slots)
                if signs % TIDY_EVERY == 0:
                    await forget_absent(self._pool)
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("this worker cannot be signed on now", error=type(error).__name__)
            signs += 1
            await asyncio.sleep(EVERY)

    async def stop(self) -> None:
        """Take the name off the list."""
        self._stopping = True
        await sign_off(self._pool, self._worker)
