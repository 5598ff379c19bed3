"""Celery on Redis with a task that does nothing and keeps no result."""

import os

import redis
from celery import Celery

app = Celery("bench", broker=os.environ["REDIS"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=4, broker_connection_retry_on_startup=True)


@app.task(name="render")
def render(prompt: str, user_id: str) -> None:
    """Do nothing."""


async def enqueue(count: int) -> None:
    for number in range(count):
        render.delay(f"Un chat mignon {number}", "user-1")


async def waiting() -> int:
    return int(redis.Redis.from_url(os.environ["REDIS"]).llen("celery"))


if __name__ == "__main__":
    from tests.bench.baselines.command import run

    run(enqueue, waiting)
