"""Answers that last: a route decides, and gives back all it held; what remains of the request is its stream.

A framework keeps the frames of every layer alive as long as an answer is being sent: for ten thousand streams that is
most of the memory they cost.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from starlette.responses import Response

FRAMES = "sorami.frames"
CONNECTION = "sorami.connection"


class Connection:
    """What a request came by, as the server's protocol keeps it: whether it is lost, and who wants to hear of that."""

    __slots__ = ("_calls", "is_lost")

    def __init__(self) -> None:
        self.is_lost = False
        self._calls: list[Callable[[], None]] = []

    def lose(self) -> None:
        """Note the loss and tell of it."""
        self.is_lost = True
        for call in list(self._calls):
            call()

    def on_loss(self, call: Callable[[], None]) -> None:
        """Call this when the connection is lost; at once when it is."""
        self._calls.append(call)
        if self.is_lost:
            call()

    def forget(self, call: Callable[[], None]) -> None:
        """Call this no more."""
        self._calls.remove(call)


class LastingAnswer(Response):
    """Sends its head through the layers it was made in, and leaves its body to `HandOver`."""

    def __init__(self, frames: AsyncGenerator[bytes, None], media_type: str, headers: Mapping[str, str]) -> None:
        self._frames = frames
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        scope[FRAMES] = self._frames


class HandOver:
    """Sends the bodies of lasting answers, outside of the application that made them."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)
        frames = scope.pop(FRAMES, None) if scope["type"] == "http" else None
        if frames is not None:
            await _send(frames, send, scope.get(CONNECTION) or Connection())


async def _send(frames: AsyncGenerator[bytes, None], send: Any, connection: Connection) -> None:
    task = asyncio.current_task()
    gone = False

    def end() -> None:
        nonlocal gone
        gone = True
        if task is not None:
            task.cancel()

    connection.on_loss(end)
    try:
        async with aclosing(frames):
            async for frame in frames:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except asyncio.CancelledError:
        if not gone:
            raise
    finally:
        connection.forget(end)
