"""faststream-outbox as its documents show it: `fill N`, then `relay` until the table is empty, in rows a second."""

import asyncio
import os
import sys
import time
from typing import Any

from faststream.kafka import KafkaBroker
from faststream_outbox import OutboxBroker, make_outbox_table
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

QUEUE = "bench"
BODY = {"job_id": "cm4abc123def456ghi789", "prompt": "Un chat mignon avec des lunettes de soleil " * 12}

metadata = MetaData()
table = make_outbox_table(metadata, table_name="outbox")


def _engine() -> AsyncEngine:
    address = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
    return create_async_engine(address, pool_size=20)


async def fill(count: int) -> None:
    engine = _engine()
    broker = OutboxBroker(engine, outbox_table=table)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
    async with async_sessionmaker(engine)() as session, session.begin():
        await broker.publish(BODY, queue=QUEUE, session=session)
    columns = ", ".join(f'"{column.name}"' for column in table.columns if column.name != "id")
    async with engine.begin() as connection:
        more = f"INSERT INTO outbox ({columns}) SELECT {columns} FROM outbox, generate_series(2, {count})"
        await connection.execute(text(more))
    await engine.dispose()


async def relay(workers: int, fetch: int, flush: int) -> float:
    engine = _engine()
    kafka = KafkaBroker(os.environ["KAFKA_BOOTSTRAP_SERVERS"], acks="all", logger=None)
    broker = OutboxBroker(engine, outbox_table=table, logger=None)
    options: dict[str, Any] = {"max_workers": workers}
    if fetch:
        options |= {"fetch_batch_size": fetch, "terminal_flush_batch_size": flush, "min_fetch_interval": 0.001}

    @kafka.publisher("job.requested")
    @broker.subscriber(QUEUE, **options)
    async def pass_on(body: dict[str, Any]) -> dict[str, Any]:
        return body

    await kafka.start()
    async with engine.connect() as connection:
        count = (await connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one()
    began = time.perf_counter()
    await broker.start()
    left = count
    while left:
        await asyncio.sleep(0.02)
        async with engine.connect() as connection:
            left = (await connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one()
    took = time.perf_counter() - began
    await broker.stop()
    await kafka.stop()
    return count / took


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", number]:
            asyncio.run(fill(int(number)))
        case ["relay", *numbers]:
            print(asyncio.run(relay(*(int(number) for number in numbers))))
