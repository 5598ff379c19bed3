"""A server that ends says goodbye on idle connections, a dead line says nothing: the database is away, no more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.runtime import database, health
from services.runtime.database import Pool, is_transient, open_pool
from tests.chaos.proxy import Proxy
from tests.support.postgres import Database, PostgresServer


@asynccontextmanager
async def a_line_whose_end_comes_late(port: int) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Pass everything on to a port but the end of a connection; gives its own port, and when the server closed one."""
    closed = asyncio.Event()
    lines: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
        closed.set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, far = await asyncio.open_connection("127.0.0.1", port)
        writers.update((writer, far))
        lines.update(asyncio.create_task(pass_on(*pair)) for pair in ((reader, far), (there, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], closed
    finally:
        server.close()
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def test_an_idle_connection_that_was_told_goodbye_is_a_database_that_is_away(
    postgres: PostgresServer, migrated_once: Database
) -> None:
    async with a_line_whose_end_comes_late(postgres.port) as (port, closed):
        url = f"postgresql://postgres@127.0.0.1:{port}/{migrated_once.name}"
        pool = await open_pool(url, role=None, application="goodbye", size=1)
        backend = await pool.fetchval("SELECT pg_backend_pid()")
        migrated_once.execute("SELECT pg_terminate_backend($1)", backend)
        failures: list[Exception] = []
        async with asyncio.timeout(20):
            await closed.wait()
            # The goodbye is on the line, and read in one of the loop's next turns.
            await asyncio.sleep(0.1)
            while await _other_backend(pool, failures) in (None, backend):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        pool.terminate()
    assert failures
    assert all(is_transient(error) for error in failures), failures


async def _other_backend(pool: Pool, failures: list[Exception]) -> int | None:
    try:
        return int(await pool.fetchval("SELECT pg_backend_pid()"))
    except Exception as error:
        failures.append(error)
        return None


async def test_on_a_line_that_says_nothing_readiness_answers_in_time_and_nobody_waits_for_ever(
    postgres: PostgresServer, migrated_once: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECTION_SECONDS", 1.5)
    monkeypatch.setattr(health, "CHECK_TIMEOUT", 0.3)
    line = Proxy("mute")
    line.upstream = postgres.port
    await line.start()
    url = f"postgresql://postgres@127.0.0.1:{line.port}/{migrated_once.name}"
    pool = await open_pool(url, role=None, application="mute", size=1)
    try:
        async with asyncio.timeout(20):
            async with pool.acquire():
                with pytest.raises(TimeoutError):
                    await pool.fetchval("SELECT 1")
            line.become(hold_up=True, hold_down=True)
            # What it asks cannot even be called off, for that would need the line as well.
            async with asyncio.timeout(1):
                told = await health.readiness({"database": health.database_check(pool)})
            assert told == (False, {"database": "check failed: TimeoutError"})
            with pytest.raises(TimeoutError):
                await pool.fetchval("SELECT 1")
            line.clear()
            assert await pool.fetchval("SELECT 1") == 1
    finally:
        pool.terminate()
        await line.stop()
