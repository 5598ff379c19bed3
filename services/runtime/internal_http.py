"""The address inside: is this process alive, is it ready, and what has it counted? Never routed to the outside."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from services.runtime.health import Check, readiness
from services.runtime.metrics import BUILD, CONTENT_TYPE, READY, Sample, scrape

JSON = "application/json"


async def serve_inside(
    process: str, host: str, port: int, checks: Mapping[str, Check], samples: Sequence[Sample] = ()
) -> None:
    """Answer GET /healthz, /readyz and /metrics until cancelled; raises OSError when the port is taken."""
    BUILD.labels(process, version("sorami")).set(1)
    answer = _Answers(process, checks, samples)
    server = await asyncio.start_server(answer, host, port)
    async with server:
        await server.serve_forever()


class _Answers:
    def __init__(self, process: str, checks: Mapping[str, Check], samples: Sequence[Sample]) -> None:
        self._process = process
        self._checks = checks
        self._samples = samples

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10):
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode("ascii", "replace")
                status, kind, body = await self._respond(path.partition("?")[0])
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                    "Connection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _respond(self, path: str) -> tuple[str, str, bytes]:
        if path == "/healthz":
            return "200 OK", JSON, json.dumps({"status": "ok"}).encode()
        if path == "/readyz":
            ready, reasons = await readiness(self._checks)
            if ready:
                return "200 OK", JSON, json.dumps({"status": "ready"}).encode()
            told = {"status": "not ready", "reasons": reasons}
            return "503 Service Unavailable", JSON, json.dumps(told).encode()
        if path == "/metrics":
            ready, _ = await readiness(self._checks)
            READY.labels(self._process).set(int(ready))
            return "200 OK", CONTENT_TYPE, await scrape(self._samples)
        return "404 Not Found", JSON, json.dumps({"status": "not found"}).encode()
