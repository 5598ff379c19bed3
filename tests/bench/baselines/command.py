"""`<module> enqueue N | waiting | watch N`: what every queue is asked from outside."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable


def run(enqueue: Callable[[int], Awaitable[None]], waiting: Callable[[], Awaitable[int]]) -> None:
    """Do as the command line says and print one number."""
    match sys.argv[1:]:
        case ["enqueue", count]:
            print(asyncio.run(_rate(enqueue, int(count))))
        case ["waiting"]:
            print(asyncio.run(_once(waiting)))
        case ["watch", count]:
            print(asyncio.run(_watch(waiting, int(count))))


async def _rate(enqueue: Callable[[int], Awaitable[None]], count: int) -> float:
    await enqueue(1)
    began = time.perf_counter()
    await enqueue(count - 1)
    return (count - 1) / (time.perf_counter() - began)


async def _once(waiting: Callable[[], Awaitable[int]]) -> int:
    return await waiting()


async def _watch(waiting: Callable[[], Awaitable[int]], count: int) -> float:
    """Return tasks a second from when a tenth is gone until all are."""
    began, left_then = 0.0, count
    while True:
        left = await waiting()
        now = time.perf_counter()
        if not began and left <= count * 0.9:
            began, left_then = now, left
        if not left:
            return left_then / (now - began) if began and now > began else 0.0
        await asyncio.sleep(0.01)
