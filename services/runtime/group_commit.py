"""Group commit: what arrives while the previous commit runs is written together, in one statement."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from services.runtime.metrics import COMMIT_BOUND, COMMIT_WAITING
from services.runtime.pace import Pace

Item = TypeVar("Item")
Result = TypeVar("Result")


class Overloaded(Exception):
    """More is waiting than can be written in a reasonable time; try again in a moment."""


class GroupCommit(Generic[Item, Result]):
    """Writes items in groups. `flush` gets up to `most` items and returns one result for each, in order.

    A group that fails for one bad item is written again one by one, so that its neighbours are kept;
    `is_retryable` tells the failures for which that is useless because the database itself is away. `pace` is the
    time in seconds from one group to the next while many come. What has a `name` is measured by it.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        is_retryable: Callable[[BaseException], bool],
        lanes: int = 2,
        most: int = 256,
        bound: int = 8_192,
        pace: float = 0.0,
        name: str | None = None,
    ) -> None:
        self._flush = flush
        self._is_retryable = is_retryable
        self._lanes = lanes
        self._most = most
        self._bound = bound
        self._pace = Pace(pace)
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._idle = lanes
        self._running: set[asyncio.Task[None]] = set()
        if name is not None:
            COMMIT_WAITING.labels(name).set_function(lambda: len(self._waiting))
            COMMIT_BOUND.labels(name).set(bound)

    @property
    def waiting(self) -> int:
        """How many items wait for a commit."""
        return len(self._waiting)

    async def submit(self, item: Item) -> Result:
        """Write the item and return its result; raises Overloaded when the queue is full."""
        return await self.enqueue(item)

    def enqueue(self, item: Item) -> "asyncio.Future[Result]":
        """Take the item in line at once; the future gives its result. Raises Overloaded when the queue is full."""
        if len(self._waiting) >= self._bound:
            raise Overloaded
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._idle:
            self._idle -= 1
            task = asyncio.create_task(self._drain())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._pace.next()
                count = min(self._most, len(self._waiting))
                group = [self._waiting.popleft() for _ in range(count)]
                if group:  # another lane may have taken what was waiting
                    await self._write(group)
        finally:
            self._idle += 1

    async def _write(self, group: list[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        try:
            results = await self._flush([item for item, _ in group])
        except Exception as error:
            if len(group) > 1 and not self._is_retryable(error):
                for pair in group:
                    await self._write([pair])
                return
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def close(self) -> None:
        """Wait until all that was submitted is written."""
        while self._running:
            await asyncio.gather(*self._running)
