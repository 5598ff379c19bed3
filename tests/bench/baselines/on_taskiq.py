"""Taskiq on a list of Redis with a task that does nothing and keeps no result."""

import os

import redis.asyncio
from taskiq_redis import ListQueueBroker

broker = ListQueueBroker(os.environ["REDIS"], queue_name="taskiq")


@broker.task(task_name="render")
async def render(prompt: str, user_id: str) -> None:
    """Do nothing."""


async def enqueue(count: int) -> None:
    if not broker.is_worker_process:
        await broker.startup()
    for number in range(count):
        await render.kiq(f"Un chat mignon {number}", "user-1")


async def waiting() -> int:
    async with redis.asyncio.Redis.from_url(os.environ["REDIS"]) as client:
        return int(await client.llen("taskiq"))


if __name__ == "__main__":
    from tests.bench.baselines.command import run

    run(enqueue, waiting)
