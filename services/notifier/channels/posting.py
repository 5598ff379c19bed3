"""POSTs over kept HTTP/1.1 connections: what a sender of webhooks needs of HTTP, and nothing else.

Ours because it is the hot path of delivery, a quarter of whose processor time a general client took. Framing is
llhttp's (httptools); names and addresses are the caller's to judge, before every connection.
"""

import asyncio
import base64
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from yarl import URL

ANSWER_READ = 16_384
"""Bytes of an answer that are read; one that is longer is cut, and its connection with it."""
ANSWER_SECONDS = 5.0
"""For which the rest of an answer is waited for once its status is known."""
HEADER_BYTES = 65_536
IDLE_SECONDS = 15.0
"""For which a connection is kept unused: shorter than what common servers keep theirs."""
KEPT_EACH = 64
RESOLVED_SECONDS = 60.0
RESOLVED_MOST = 4_096

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses a host may be connected at; raises what the caller is to be told."""


class NotConnected(OSError):
    """No connection could be made."""


class Lost(OSError):
    """The connection broke off before an answer, or what came was none."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes; `lines` are its first line and the headers that follow from the address."""

    tls: bool
    host: str
    port: int
    lines: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The beginning of an answer; `body` holds at most ANSWER_READ bytes."""

    status: int
    retry_after: str | None
    body: bytes


@lru_cache(4_096)
def target_of(url: str) -> Target:
    """Read an address; raises ValueError."""
    parts = URL(url)
    if parts.scheme not in ("http", "https") or not parts.raw_host or not parts.port:
        raise ValueError("no address that can be posted to")
    named = f"[{parts.raw_host}]" if ":" in parts.raw_host else parts.raw_host
    authority = named if parts.is_default_port() else f"{named}:{parts.port}"
    lines = f"POST {parts.raw_path_qs or '/'} HTTP/1.1\r\nHost: {authority}\r\n"
    if parts.user is not None:
        credentials = base64.b64encode(f"{parts.user}:{parts.password or ''}".encode()).decode()
        lines += f"Authorization: Basic {credentials}\r\n"
    return Target(parts.scheme == "https", parts.raw_host, parts.port, lines)


class _Connection(asyncio.Protocol):
    """One connection; it carries one exchange at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._reset()
        self.heard = False
        """Whether anything came since the last request."""
        self.reusable = False
        self.idle_since = 0.0

    def _reset(self) -> None:
        self._status: int | None = None
        self._retry_after: str | None = None
        self._body = bytearray()
        self._header_bytes = 0

    async def exchange(self, request: bytes, deadline: float) -> Answer:
        """Send a request and return its answer; raises Lost, and TimeoutError at `deadline`, of the loop's clock."""
        self._reset()
        self.heard = self.reusable = False
        transport = self._transport
        if transport is None or transport.is_closing():
            raise Lost
        self._deadline = deadline
        self._answer = self._loop.create_future()
        self._timer = self._loop.call_at(deadline, self._late)
        transport.write(request)
        try:
            return await self._answer
        finally:
            self._timer.cancel()
            self._answer = None
            if not self.reusable:
                transport.abort()

    def close(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether another request may be tried."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._end(Lost())

    def data_received(self, data: bytes) -> None:
        self.heard = True
        if self._answer is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._end(Lost())

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            # More than was asked for: the next answer could not be told from it.
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEADER_BYTES:
            raise ValueError("too many headers")
        if name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return
        self._status = status
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._loop.call_at(min(self._deadline, self._loop.time() + ANSWER_SECONDS), self._late)

    def on_body(self, body: bytes) -> None:
        self._body += body[: ANSWER_READ - len(self._body)]
        if len(self._body) >= ANSWER_READ:
            self._end(Lost())

    def on_message_complete(self) -> None:
        if self._status is None:
            self._reset()
            return
        self.reusable = self._parser.should_keep_alive() and self._answer is not None and not self._answer.done()
        self._end(Lost())

    def _late(self) -> None:
        self._end(TimeoutError())

    def _end(self, failure: Exception) -> None:
        """End the exchange with the answer, or with a failure when its status never came."""
        if self._answer is None or self._answer.done():
            self.reusable = False
        elif self._status is None:
            self._answer.set_exception(failure)
        else:
            self._answer.set_result(Answer(self._status, self._retry_after, bytes(self._body)))


class Poster:
    """Connections to many receivers, kept between requests."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._kept: dict[tuple[bool, str, int], deque[_Connection]] = {}
        self._resolved: dict[tuple[str, int], tuple[float, list[str]]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._trusts: ssl.SSLContext | None = None

    async def post(self, target: Target, request: bytes, seconds: float) -> Answer:
        """Send a request within so many seconds; raises NotConnected, ssl.SSLError, Lost, TimeoutError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        kept = self._take(target)
        if kept is not None:
            try:
                return await self._exchange(target, kept, request, deadline)
            except Lost:
                # A receiver may close what it kept just as we send. Had it read this all the same, it hears it twice,
                # under one id, as after any attempt without an answer.
                if kept.heard:
                    raise
        async with asyncio.timeout_at(deadline):
            made = await self._connect(target)
        return await self._exchange(target, made, request, deadline)

    def close(self) -> None:
        """Close what is kept."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connections in self._kept.values():
            for connection in connections:
                connection.close()
        self._kept.clear()

    async def _exchange(self, target: Target, connection: _Connection, request: bytes, deadline: float) -> Answer:
        answer = await connection.exchange(request, deadline)
        if connection.reusable and connection.is_open:
            self._keep(target, connection)
        return answer

    def _take(self, target: Target) -> _Connection | None:
        connections = self._kept.get((target.tls, target.host, target.port))
        while connections:
            connection = connections.pop()
            if connection.is_open:
                return connection
        return None

    def _keep(self, target: Target, connection: _Connection) -> None:
        loop = asyncio.get_running_loop()
        connections = self._kept.setdefault((target.tls, target.host, target.port), deque())
        if len(connections) >= KEPT_EACH:
            connection.close()
            return
        connection.idle_since = loop.time()
        connections.append(connection)
        if self._sweeping is None:
            self._sweeping = loop.call_later(IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for place, connections in list(self._kept.items()):
            # Those used last are at the end.
            while connections and connections[0].idle_since <= loop.time() - IDLE_SECONDS:
                connections.popleft().close()
            if not connections:
                del self._kept[place]
        self._sweeping = loop.call_later(IDLE_SECONDS, self._sweep) if self._kept else None

    async def _connect(self, target: Target) -> _Connection:
        loop = asyncio.get_running_loop()
        tls: dict[str, Any] = {"ssl": self._context(), "server_hostname": target.host} if target.tls else {}
        failure: OSError = NotConnected()
        for address in await self._addresses(target):
            try:
                _, made = await loop.create_connection(_Connection, address, target.port, **tls)
            except ssl.SSLError:
                raise
            except OSError as error:
                failure = NotConnected(str(error))
                continue
            return made
        raise failure

    async def _addresses(self, target: Target) -> list[str]:
        now, place = asyncio.get_running_loop().time(), (target.host, target.port)
        until, addresses = self._resolved.get(place, (0.0, []))
        if now < until:
            return addresses
        try:
            addresses = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise NotConnected(str(error)) from None
        if len(self._resolved) >= RESOLVED_MOST:
            self._resolved.clear()
        self._resolved[place] = (now + RESOLVED_SECONDS, addresses)
        return addresses

    def _context(self) -> ssl.SSLContext:
        if self._trusts is None:
            self._trusts = ssl.create_default_context()
            self._trusts.set_alpn_protocols(["http/1.1"])
        return self._trusts
