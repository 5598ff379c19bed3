"""Make new and changed prompts searchable, away from the path of requests."""

import asyncio

from services.persistence.store.prompts import index_prompts
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

PAUSE_SECONDS = 1.0
BATCH = 500

_log = get_logger(part="search")


class IndexPrompts:
    """Drains what the triggers noted; until a prompt's turn comes, searches read the prompt itself."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self) -> None:
        """Index until cancelled."""
        while True:
            try:
                while await index_prompts(self._pool, BATCH) == BATCH:
                    pass
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("indexing is put off", error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
