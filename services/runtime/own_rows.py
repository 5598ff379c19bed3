"""Reads for one person: row-level security shows them their own rows, whatever a statement forgot to ask for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.runtime.database import Connection, Pool

READER = "sorami_reader"
"""The role of such reads. It owns nothing, may only SELECT, and sees what belongs to `sorami.viewer`."""


class OwnRows:
    """What one person may see. Each read is a transaction of its own that takes the role and can change nothing.

    Who is looking is set for that transaction alone: the next one that gets the connection starts as nobody.
    """

    __slots__ = ("_begin", "_pool", "person_id")

    def __init__(self, pool: Pool, person_id: str) -> None:
        self._pool = pool
        self.person_id = person_id
        # One message to the server, and so no parameters; E'…' reads the same whatever the server's settings are.
        viewer = person_id.replace("\\", "\\\\").replace("'", "''")
        self._begin = f"BEGIN READ ONLY; SET LOCAL ROLE {READER}; SET LOCAL sorami.viewer = E'{viewer}'"

    async def fetch(self, statement: str, *values: Any) -> Any:
        """Return the rows that the person may see."""
        async with self._looking() as connection:
            return await connection.fetch(statement, *values)

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        """Return the first row, or None."""
        async with self._looking() as connection:
            return await connection.fetchrow(statement, *values)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        """Return the first column of the first row, or None."""
        async with self._looking() as connection:
            return await connection.fetchval(statement, *values)

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[Connection]:
        async with self._pool.acquire() as connection:
            try:
                await connection.execute(self._begin)
                yield connection
            finally:
                # After an error this rolls back; of a connection that is gone the transaction is gone too.
                if not connection.is_closed():
                    await connection.execute("COMMIT")
