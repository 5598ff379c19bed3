"""Requests at a steady rate over kept connections, and streams that are listened to: for how long things take."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_DONE = rb'"status": ?"COMPLETED"'
_ENDED = re.compile(rb'"job_id": ?"([^"]+)"[^\n]*' + _DONE + rb"|" + _DONE + rb'[^\n]*"job_id": ?"([^"]+)"')
LINES = 16


class Line(asyncio.Protocol):
    """One kept connection that carries one request at a time."""

    def __init__(self) -> None:
        self._held = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and return the answer's status and body."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return
        found = _LENGTH.search(self._held, 0, end)
        whole = end + 4 + (int(found.group(1)) if found else 0)
        if len(self._held) >= whole and self._answer is not None:
            status = int(self._held[9:12])
            body, self._held = self._held[end + 4 : whole], self._held[whole:]
            self._answer.set_result((status, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the connection was closed"))

    def close(self) -> None:
        self._transport.close()


class Stream(asyncio.Protocol):
    """One stream of a user's events: when each job was told to be COMPLETED."""

    def __init__(self, request: bytes, ended: dict[str, float]) -> None:
        self._request, self._ended = request, ended
        self._held = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._held += data
        *whole, self._held = self._held.split(b"\n\n")
        for frame in whole:
            if not self.opened.done() and b"event: snapshot" in frame:
                self.opened.set_result(None)
            elif found := _ENDED.search(frame):
                self._ended.setdefault((found.group(1) or found.group(2)).decode(), now)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the stream was not opened"))


@dataclass
class Paced:
    """When each job was asked for, answered and told to be done, by its id; in seconds of one clock."""

    asked: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def waits(self, until: dict[str, float]) -> list[float]:
        """Return how long each took from its request until then, in ms and sorted; every job must be there."""
        if missing := self.asked.keys() - until.keys():
            raise RuntimeError(f"{len(missing)} of {len(self.asked)} jobs were never heard of")
        return sorted((until[one] - began) * 1000 for one, began in self.asked.items())


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * share))]


class Clients:
    """People with kept connections who ask at a steady rate, each with a stream open."""

    def __init__(self, url: str, tokens: Sequence[str], lines: Sequence[Line], ended: dict[str, float]) -> None:
        self._host = urlsplit(url).netloc
        self._tokens, self._ended = tokens, ended
        self._free: asyncio.Queue[Line] = asyncio.Queue()
        for line in lines:
            self._free.put_nowait(line)

    async def ask(self, rate: float, count: int, *, told_within: float = 15.0) -> Paced:
        """POST `count` jobs, `rate` a second whatever the answers take, and wait until the streams told their ends."""
        paced = Paced(ended=self._ended)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
                group.create_task(self._one(paced, number))
        deadline = time.perf_counter() + told_within
        while paced.asked.keys() - self._ended.keys() and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        return paced

    async def _one(self, paced: Paced, number: int) -> None:
        token = self._tokens[number % len(self._tokens)]
        body = json.dumps({"prompt": f"Un chat mignon {number}", "model": "instant"})
        head = f"POST /api/images/generate HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {token}\r\n"
        head += f"Idempotency-Key: {time.time_ns():x}-{number}\r\nContent-Type: application/json\r\n"
        # A request is late from its turn on, also while no connection is free.
        began = time.perf_counter()
        line = await self._free.get()
        try:
            status, answer = await line.ask(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        finally:
            self._free.put_nowait(line)
        at = time.perf_counter()
        if status != 202:
            raise RuntimeError(f"a request was answered {status}: {answer[:200]!r}")
        job_id = json.loads(answer)["job_id"]
        paced.asked[job_id], paced.answered[job_id] = began, at


@asynccontextmanager
async def clients(url: str, tokens: Sequence[str]) -> AsyncIterator[Clients]:
    """Open the connections, and a stream for each token."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    ended: dict[str, float] = {}
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    lines = [(await loop.create_connection(Line, host, port))[1] for _ in range(LINES)]
    streams = []
    for token in tokens:
        request = f"GET /api/events HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        made = Stream(f"{request}Accept: text/event-stream\r\n\r\n".encode(), ended)
        await loop.create_connection(lambda made=made: made, host, port)  # type: ignore[misc]
        await asyncio.wait_for(made.opened, 10)
        streams.append(made)
    try:
        yield Clients(url, tokens, lines, ended)
    finally:
        for one in streams:
            one.transport.abort()
        for line in lines:
            line.close()
