"""Procrastinate on Postgres, ten tasks at a time: durable, as Sorami is."""

import asyncio
import os
import sys

import psycopg
from procrastinate import App, PsycopgConnector

app = App(connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))


@app.task(name="render")
async def render(prompt: str, user_id: str) -> None:
    """Do nothing."""


async def enqueue(count: int) -> None:
    async with app.open_async():
        if count == 1 and not await _is_made():
            await app.schema_manager.apply_schema_async()
        for number in range(count):
            await render.defer_async(prompt=f"Un chat mignon {number}", user_id="user-1")


async def _is_made() -> bool:
    async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"]) as connection:
        row = await (await connection.execute("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")).fetchone()
        return bool(row and row[0])


async def waiting() -> int:
    async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"]) as connection:
        question = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        row = await (await connection.execute(question)).fetchone()
        return int(row[0]) if row else 0


async def work() -> None:
    async with app.open_async():
        await app.run_worker_async(concurrency=10, listen_notify=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["work"]:
        asyncio.run(work())
    else:
        from tests.bench.baselines.command import run

        run(enqueue, waiting)
