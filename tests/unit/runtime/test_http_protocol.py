"""Peers that read nothing are dropped, and what is streamed to a peer ends with its connection."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import pytest

from services.runtime import http_protocol
from services.runtime.hand_over import HandOver, LastingAnswer
from services.runtime.http_server import HttpServer


async def endless(scope: Any, receive: Any, send: Any) -> None:
    """Answer with a body that ends with its reader alone."""
    gone = asyncio.ensure_future(_disconnected(receive))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    while not gone.done():
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        await asyncio.sleep(0.001)


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_a_peer_that_reads_nothing_is_dropped_and_one_that_reads_slowly_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_protocol, "READ_SECONDS", 0.4)
    server = HttpServer(endless, "127.0.0.1", 0, port_setting="TEST")
    port = server._socket.getsockname()[1]
    running = asyncio.create_task(server.run())
    loop = asyncio.get_running_loop()

    async def ask() -> socket.socket:
        peer = socket.socket()
        peer.setblocking(False)
        await loop.sock_connect(peer, ("127.0.0.1", port))
        await loop.sock_sendall(peer, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return peer

    silent, slow = await ask(), await ask()
    try:
        began = loop.time()
        while loop.time() - began < 1.5:
            await loop.sock_recv(slow, 1_000_000)
            await asyncio.sleep(0.005)
        assert await loop.sock_recv(slow, 1_000_000)
        # What the kernel holds is still there; then the line is closed, which an endless answer never does by itself.
        async with asyncio.timeout(5):
            with suppress(ConnectionResetError):
                while await loop.sock_recv(silent, 1_000_000):
                    pass
    finally:
        silent.close()
        slow.close()
        await server.stop()
        await running


async def test_a_stream_ends_with_its_connection_even_when_that_was_lost_before_it_began() -> None:
    ended: list[str] = []
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def frames(name: str) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b": here\n\n"
                await asyncio.sleep(60)
        finally:
            ended.append(name)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/late":
            asked.set()
            await go_on.wait()
        await LastingAnswer(frames(scope["path"]), "text/event-stream", {})(scope, receive, send)

    server = HttpServer(HandOver(app), "127.0.0.1", 0, port_setting="TEST")
    port = server._socket.getsockname()[1]
    running = asyncio.create_task(server.run())
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /now HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b": here")
        writer.close()
        _, late = await asyncio.open_connection("127.0.0.1", port)
        late.write(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
        await asked.wait()
        late.transport.abort()
        await asyncio.sleep(0.1)
        go_on.set()
        async with asyncio.timeout(5):
            while len(ended) < 1 or server._server.server_state.tasks:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        await server.stop()
        await running
    assert ended[0] == "/now"


async def test_a_server_that_lingers_answers_on_and_ends_each_connection() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    server = HttpServer(app, "127.0.0.1", 0, port_setting="TEST")
    port = server._socket.getsockname()[1]
    running = asyncio.create_task(server.run())

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            return await reader.readuntil(b"ok")

    kept = await asyncio.open_connection("127.0.0.1", port)
    assert b"connection: close" not in await ask(*kept)
    new = await asyncio.open_connection("127.0.0.1", port)
    lingering = asyncio.create_task(server.linger(60))
    await asyncio.sleep(0)
    try:
        answers = [await ask(*kept), await ask(*new)]
        assert [answer.count(b"connection: close") for answer in answers] == [1, 1]
        assert await kept[0].read() == b"", "it was closed after its answer"
    finally:
        lingering.cancel()
        for _, writer in (kept, new):
            writer.close()
        await server.stop()
        await running
