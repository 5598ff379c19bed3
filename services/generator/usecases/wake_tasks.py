"""Wake tasks that wait for their provider: it says that something moved, so it is asked now."""

from collections.abc import Callable, Sequence

from services.generator.store.leases import due_now
from services.runtime.database import Pool


class WakeTasks:
    """The use case behind provider.notified; a wake-up says nothing by itself, and one too many costs a question."""

    def __init__(self, pool: Pool, wake: Callable[[], None]) -> None:
        self._pool = pool
        self._wake = wake

    async def __call__(self, job_ids: Sequence[str]) -> None:
        await due_now(self._pool, job_ids)
        self._wake()
