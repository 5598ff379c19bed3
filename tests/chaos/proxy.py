"""A TCP proxy between two parts, whose weather a scenario makes: late, silent one way, broken, cut short or slow."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

CHUNK = 65_536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close an RST."""


@dataclass(frozen=True)
class Weather:
    """What happens to bytes; `up` is towards the server. Nothing is lost while it holds: it comes late, as in TCP."""

    latency: float = 0.0
    hold_up: bool = False
    hold_down: bool = False
    refuses: bool = False
    cut_down_after: int | None = None
    """Bytes of the answers on a connection after which it breaks: executed, and the caller never hears it."""
    bytes_per_second: int | None = None
    answer: bytes | None = None
    """What every request gets instead of the server's answer."""


FAIR = Weather()


class Proxy:
    """Listens on a port of its own and passes on to `upstream`; `weather` may change at any time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.upstream = 0
        self.weather = FAIR
        self.cuts = 0
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def become(self, **weather: Any) -> None:
        """Change the weather for what is connected too."""
        self.weather = replace(FAIR, **weather)
        if self.weather.refuses or self.weather.answer is not None:
            self.reset()
        self._changed.set()
        self._changed = asyncio.Event()

    def clear(self) -> None:
        """Let everything pass."""
        self.become()

    def reset(self) -> None:
        """Break every connection by an RST."""
        for writer in list(self._writers):
            _reset(writer)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather.refuses:
            _reset(writer)
            return
        if self.weather.answer is not None:
            await reader.read(CHUNK)
            writer.write(self.weather.answer)
            await writer.drain()
            return
        there, far = await asyncio.open_connection("127.0.0.1", self.upstream)
        self._writers.add(far)
        pumps = [
            asyncio.create_task(self._pump(reader, far, up=True)),
            asyncio.create_task(self._pump(there, writer, up=False)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._writers.discard(far)
            far.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        answered = 0
        while chunk := await reader.read(self._piece()):
            await self._fair(up=up)
            if self.weather.latency:
                await asyncio.sleep(self.weather.latency)
            if self.weather.bytes_per_second:
                await asyncio.sleep(len(chunk) / self.weather.bytes_per_second)
            most = self.weather.cut_down_after
            if not up and most is not None and answered + len(chunk) > most:
                self.cuts += 1
                _reset(writer)
                return
            answered += len(chunk)
            writer.write(chunk)
            await writer.drain()

    def _piece(self) -> int:
        return CHUNK if not self.weather.bytes_per_second else max(256, self.weather.bytes_per_second // 10)

    async def _fair(self, *, up: bool) -> None:
        while self.weather.hold_up if up else self.weather.hold_down:
            await self._changed.wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    plug: socket.socket | None = writer.get_extra_info("socket")
    if plug is not None:
        with suppress(OSError):
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
