"""The relay on the real broker: what cannot be sent holds nobody up and is not lost."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import asyncpg
import pytest

from contracts.topics import Topic
from services.runtime.outbox import OutboxRow
from services.runtime.relay import Relay, build_producer
from services.runtime.settings import RuntimeSettings
from services.runtime.topic_admin import ensure_topics, too_narrow
from sorami.local.stack import Stack


@pytest.fixture
async def pool(database: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    async with asyncpg.create_pool(database, min_size=1, max_size=3) as pool:
        yield pool


async def put(pool: Any, key: str, value: bytes) -> OutboxRow:
    """Commit a row as a service does."""
    id_ = await pool.fetchval(
        """INSERT INTO sorami.outbox_gateway (topic, key, value, headers)
           VALUES ('job.requested', $1, $2, '{}') RETURNING id""",
        key,
        value,
    )
    return OutboxRow(id_, "job.requested", key, value, {})


async def test_a_row_no_broker_takes_becomes_a_dead_letter_and_its_neighbours_are_sent(
    stack: Stack, database: str, pool: Any, topic_prefix: str
) -> None:
    given = {"database_url": database, "kafka_bootstrap_servers": stack.env["KAFKA_BOOTSTRAP_SERVERS"]}
    settings = RuntimeSettings(**cast(Any, given | {"topic_prefix": topic_prefix}))
    await ensure_topics(settings, [Topic("job.requested", partitions=1)], replication=1)
    relay = Relay(pool, build_producer(settings, "gateway"), service="gateway", topic_prefix=topic_prefix)
    running = asyncio.create_task(relay.run())
    rows = [
        await put(pool, "before", b"{}"),
        await put(pool, "huge", bytes(2_000_000)),
        await put(pool, "after", b"{}"),
    ]
    relay.offer(rows)
    async with asyncio.timeout(30):
        while True:
            if not await pool.fetchval("SELECT count(*) FROM sorami.outbox_gateway"):
                break
            await asyncio.sleep(0.05)
    letter = await pool.fetchrow("SELECT * FROM sorami.dead_letters")
    assert (letter["topic"], letter["key"], letter["consumer"]) == ("job.requested", "huge", "gateway-relay")
    assert letter["reason"] == "event_too_large"
    assert len(letter["value"]) == 2_000_000
    assert letter["offset"] == rows[1].id
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await relay.close()


async def test_a_topic_that_somebody_made_too_narrow_is_told(stack: Stack, database: str, topic_prefix: str) -> None:
    given = {"database_url": database, "kafka_bootstrap_servers": stack.env["KAFKA_BOOTSTRAP_SERVERS"]}
    settings = RuntimeSettings(**cast(Any, given | {"topic_prefix": topic_prefix}))
    await ensure_topics(settings, [Topic("job.failed", partitions=1), Topic("job.progress")], replication=1)
    declared = [Topic("job.failed"), Topic("job.progress")]
    assert await too_narrow(settings, declared) == {f"{topic_prefix}job.failed": (1, 12)}
