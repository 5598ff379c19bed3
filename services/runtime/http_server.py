"""An HTTP server inside a process that has other work: uvicorn without signal handling of its own."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator
from typing import Any

import uvicorn

from services.runtime.http_protocol import BoundedProtocol
from services.runtime.settings import EXIT_WRONG_SETTING

DRAIN_SECONDS = 10
CLOSING = (b"connection", b"close")
GONE_SECONDS = 60
"""After which a peer that confirms nothing is taken for gone: a machine that lost its line says no goodbye."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process."""
        yield


class HttpServer:
    """Serves an application on an address that is bound at once, so that a taken port is one clear line."""

    def __init__(self, app: Any, host: str, port: int, *, port_setting: str) -> None:
        self._socket = _bind(host, port, port_setting)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            http=BoundedProtocol,
            ws="none",
            server_header=False,
            # Nothing is decided by the address of a peer, so no header may say it is another.
            proxy_headers=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            timeout_keep_alive=75,
        )
        self._server = _Server(config)
        self._finished = asyncio.Event()

    async def run(self) -> None:
        """Serve until stopped."""
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._finished.set()

    async def linger(self, seconds: float) -> None:
        """Answer on for so long, each answer telling its peer to connect anew.

        Whoever routes to a process forgets it a moment after it is told to stop, and closing a kept connection while a
        request is on its way would lose that request: new connections lead elsewhere by then.
        """
        if seconds:
            # uvicorn makes the headers of all answers anew each second from those of its configuration.
            self._server.config.encoded_headers = [*self._server.config.encoded_headers, CLOSING]
            self._server.server_state.default_headers = [*self._server.server_state.default_headers, CLOSING]
            await asyncio.sleep(seconds)

    async def stop(self) -> None:
        """Stop listening, then wait for the requests under way."""
        self._server.should_exit = True
        await self._finished.wait()


def _bind(host: str, port: int, port_setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it; asyncio's own loop would not set it on them, and each answer would wait 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_SECONDS * 1000)
    try:
        listening.bind((host, port))
    except OSError as error:
        print(f"config error: {port_setting}: cannot listen on {host}:{port}: {error.strerror}", file=sys.stderr)
        raise SystemExit(EXIT_WRONG_SETTING) from None
    listening.listen(2048)
    listening.setblocking(False)
    return listening
