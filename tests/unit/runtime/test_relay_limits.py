"""What Kafka refuses as too large stays a row, and nobody waits behind it."""

import asyncio
from typing import Any, cast

from aiokafka.errors import MessageSizeTooLargeError

from services.runtime.database import open_pool
from services.runtime.outbox import insert_statement
from services.runtime.relay import Relay
from tests.support.postgres import Database


class _Producer:
    """Takes what is smaller than a hundred bytes."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def send(self, topic: str, *, value: bytes, **_: Any) -> "asyncio.Future[None]":
        if len(value) > 100:
            raise MessageSizeTooLargeError
        self.taken.append(value)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def test_a_row_that_is_too_large_stays_and_holds_nobody_up(migrated: Database) -> None:
    producer = _Producer()
    pool = await open_pool(migrated.url, role="sorami_gateway", application="test", size=1)
    try:
        values = [b"x" * 101, b"small"]
        await pool.fetch(insert_statement("gateway"), ["t"] * 2, ["k"] * 2, values, ["{}"] * 2)
        await pool.execute("UPDATE sorami.outbox_gateway SET created_at = now() - interval '1 minute'")
        relay = Relay(pool, cast(Any, producer), service="gateway")
        for _ in range(3):
            await relay._sweep_chunk()
        assert producer.taken == [b"small"]
        assert [row["value"] for row in await pool.fetch("SELECT value FROM sorami.outbox_gateway")] == [values[0]]
    finally:
        await pool.close()
