"""Is this process alive, and is it ready? Readiness asks the parts themselves and names what is missing."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Check = Callable[[], Awaitable[str | None] | str | None]
"""Returns None when all is well, else a short reason."""

CHECK_TIMEOUT = 2.0


async def readiness(checks: Mapping[str, Check]) -> tuple[bool, dict[str, str]]:
    """Run the checks and return whether all passed, with the reason of each that did not."""
    reasons: dict[str, str] = {}
    for name, check in checks.items():
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                result = check()
                reason = await result if isinstance(result, Awaitable) else result
        except Exception as error:
            reason = f"check failed: {type(error).__name__}"
        if reason:
            reasons[name] = reason
    return not reasons, reasons


def database_check(pool: Any) -> Check:
    """Check that the database answers a query."""

    async def check() -> str | None:
        await pool.fetchval("SELECT 1")
        return None

    return check


async def serve_health(port: int, checks: Mapping[str, Check], host: str = "127.0.0.1") -> None:
    """Answer GET /healthz and /readyz on a port of its own, for a process that serves nothing else."""
    server = await asyncio.start_server(lambda r, w: _answer(r, w, checks), host, port)
    async with server:
        await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, checks: Mapping[str, Check]) -> None:
    try:
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("ascii", "replace")
            status, body = await _respond(path, checks)
            payload = json.dumps(body).encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + payload
            )
            await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
        writer.transport.abort()
    finally:
        writer.close()


async def _respond(path: str, checks: Mapping[str, Check]) -> tuple[str, dict[str, Any]]:
    if path == "/healthz":
        return "200 OK", {"status": "ok"}
    if path == "/readyz":
        ready, reasons = await readiness(checks)
        return (
            ("200 OK", {"status": "ready"})
            if ready
            else ("503 Service Unavailable", {"status": "not ready", "reasons": reasons})
        )
    return "404 Not Found", {"status": "not found"}
