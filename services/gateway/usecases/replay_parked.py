"""Replay what backends reported under ids of their own before their answers to our submits had come."""

import asyncio
import json
from typing import Final

from contracts.kinds import KINDS
from contracts.legacy_webhook import WebhookRefused, read_backend_webhook
from services.gateway.queries import reports
from services.gateway.store.reports import resolve_orphan
from services.gateway.usecases.accept_backend_webhook import AcceptBackendWebhook, Parked
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

LOOK_EVERY: Final = 1.0
"""Seconds between looks: a row of `submit_open` is rare, and looking for none of them costs one read of an index."""
MOST_AT_ONCE: Final = 50
BY: Final = "sorami"
"""Who resolved such a report: nobody but ourselves."""

_log = get_logger(part="parked")


class ReplayParked:
    """Decides a parked report anew when its operation has become known, or no submit of its user is open any more."""

    def __init__(self, pool: Pool, accept: AcceptBackendWebhook) -> None:
        self._pool = pool
        self._accept = accept

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the look for parked reports is put off", error=type(error).__name__)

    async def look(self) -> None:
        """Replay what can be decided now; what is decided twice by two gateways changes nothing the second time."""
        for parked in await reports.decidable(self._pool, MOST_AT_ONCE):
            body = json.loads(parked["payload"])
            try:
                outcome = await self._accept(read_backend_webhook(KINDS[parked["kind"]], body), body, None)
            except WebhookRefused:
                # It was whole when it was parked: an operator sees it, and it is not tried for ever.
                _log.warning("a parked report cannot be read any more", job_id=parked["job_id"])
                continue
            if not isinstance(outcome, Parked):
                async with self._pool.acquire() as connection:
                    await resolve_orphan(connection, parked["id"], "assigned", by=BY)
