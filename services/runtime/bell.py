"""A bell between processes: whoever rings wakes those who listen. A hint only; whoever misses it looks by itself."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from services.runtime.database import Pool, is_transient
from services.runtime.database_url import parse_database_url
from services.runtime.logs import get_logger

RINGS_APART = 0.05
"""Seconds between two rings of a process: a commit that notifies takes a lock of the whole database."""
LISTEN_AGAIN_AFTER = 5.0

_RING = "SELECT pg_notify($1, $2)"
_log = get_logger(part="bell")


class Bell:
    """Rings on one channel for `name`, and calls `heard` for the rings of others.

    Through a pooler in transaction mode nobody can listen, so nobody rings.
    """

    def __init__(self, pool: Pool, url: str, channel: str, name: str, heard: Callable[[], None]) -> None:
        self._pool = pool
        self._url = url
        self._channel = channel
        self._name = name
        self._heard = heard
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Tell the others, soon and once for all that rings meanwhile."""
        self._rung.set()

    async def run(self) -> None:
        """Ring and listen until cancelled."""
        if parse_database_url(self._url).through_pooler:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ring_forever())
            group.create_task(self._listen_forever())

    async def _ring_forever(self) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            try:
                await self._pool.execute(_RING, self._channel, self._name)
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the others could not be told", error=type(error).__name__)
            await asyncio.sleep(RINGS_APART)

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("rings cannot be heard now", error=type(error).__name__)
            await asyncio.sleep(LISTEN_AGAIN_AFTER)

    async def _listen(self) -> None:
        """Listen until the connection is lost."""
        lost = asyncio.Event()
        address = parse_database_url(self._url)
        connection = await asyncpg.connect(
            address.dsn, timeout=5, server_settings={"application_name": f"sorami-bell {self._channel}"}
        )
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(self._channel, self._on_ring)
            # What was rung before we listened.
            self._heard()
            await lost.wait()
        finally:
            await connection.close(timeout=1)

    def _on_ring(self, _connection: Any, _pid: int, _channel: str, name: object) -> None:
        if name != self._name:
            self._heard()
