"""Give and take tickets: an `EventSource` can send no header, and no token belongs into an address."""

import hashlib
import secrets
from datetime import datetime

from services.notifier.queries.tickets import still_holds
from services.notifier.store import tickets
from services.notifier.store.tickets import Ticket
from services.runtime.database import Pool


class StreamTickets:
    """The use case behind POST /api/stream-tickets and `?ticket=`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def give(self, ticket: Ticket) -> tuple[str, datetime]:
        """Return a new ticket's text, which is kept nowhere, and when it ends."""
        text = secrets.token_urlsafe(32)
        return text, await tickets.keep(self._pool, _hash(text), ticket)

    async def take(self, text: str) -> Ticket | None:
        """Use a ticket up; None for one that is unknown, used or over."""
        return await tickets.take(self._pool, _hash(text))

    async def still_holds(self, ticket: Ticket) -> bool:
        """Tell whether whoever watches by this ticket may go on."""
        return await still_holds(self._pool, ticket)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
