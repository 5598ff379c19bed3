"""HTTP/1.1 with patience that ends: headers must come soon and fit a bound, and an answer must be read."""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.runtime.hand_over import CONNECTION, Connection

HEADER_SECONDS = 10.0
"""From the first byte of a connection or request to its last header."""
READ_SECONDS = 30.0
"""For which a peer may take nothing of an answer that waits for it; then it is dropped."""
MAX_HEADER_BYTES = 64 * 1024
"""Address and headers of one request together."""


class _TooLarge(Exception):
    """Raised inside the parser, which stops and reports an error of its own."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for ever and takes headers of any size."""

    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _connection: Connection
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._connection = Connection()
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_came()
        self._is_read()
        super().connection_lost(exc)
        self._connection.lose()

    def pause_writing(self) -> None:
        super().pause_writing()
        # Closing would wait for the very bytes that nobody takes.
        self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._is_read()
        super().resume_writing()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope[CONNECTION] = self._connection
        self._header_bytes = 0
        if self._late is None:
            self._await_headers()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._headers_came()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or too much of it, and close."""
        large = self._header_bytes > MAX_HEADER_BYTES
        status, title = (431, "Request Header Fields Too Large") if large else (400, "Bad Request")
        code = "headers_too_large" if large else "http_error"
        detail = (
            f"address and headers are larger than {MAX_HEADER_BYTES} bytes together"
            if large
            else "this is not an HTTP request"
        )
        body: dict[str, Any] = {"type": f"/problems/{code}", "title": title, "status": status}
        content = json.dumps(body | {"code": code, "detail": detail}).encode()
        head = (
            f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + content)
        self.transport.close()

    def _await_headers(self) -> None:
        self._late = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _headers_came(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MAX_HEADER_BYTES:
            raise _TooLarge
