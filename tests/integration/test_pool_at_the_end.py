"""What a process still has open when it ends never keeps it."""

import asyncio
import time

import pytest

from services.gateway.settings import GatewaySettings
from services.runtime import database
from tests.support.postgres import Database


async def test_a_connection_that_is_still_at_work_keeps_no_process_from_ending(
    migrated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setattr(database, "CLOSE_SECONDS", 0.2)
    async with database.service_pool(GatewaySettings(), "gateway") as pool:
        connection = await pool.acquire()
        at_work = asyncio.create_task(connection.fetchval("SELECT pg_sleep(9)"))
        ends = time.monotonic()
    assert time.monotonic() - ends < 3
    with pytest.raises(Exception, match="connection"):
        await at_work
