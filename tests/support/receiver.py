"""A receiver of webhooks on a free port: it keeps what it got, answers what it is told, and plays bad receivers."""

import asyncio
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: Any
    raw: bytes = b""
    at: float = 0.0

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Found = TypeVar("Found")
Play = Callable[[web.Request, Call], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """Answers POSTs; `answer` decides the status of each, `plays` what happens at single paths."""

    answer: Callable[[Call], int] = lambda call: 200
    calls: list[Call] = field(default_factory=list)
    port: int = 0
    plays: dict[str, Play] = field(default_factory=dict)
    tls: bool = False
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._on_request)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=_self_signed() if self.tls else None)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def url(self, path: str) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"

    async def _on_request(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        call = Call(
            request.path, dict(request.headers), json.loads(raw or b"null"), raw, asyncio.get_running_loop().time()
        )
        async with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        play = self.plays.get(request.path)
        if play is not None:
            return await play(request, call)
        return web.json_response({"success": True}, status=self.answer(call))

    def about(self, job_id: str) -> list[Call]:
        """Return the calls in the seeds' words about a job, in the order they came."""
        return [call for call in self.calls if call.body.get("job_id") == job_id]

    def at(self, path: str) -> list[Call]:
        """Return the calls to a path, in the order they came."""
        return [call for call in self.calls if call.path == path]

    async def wait_for(self, job_id: str, status: str, within: float = 30.0) -> Call:
        """Return the first call of this status about a job."""

        def found() -> Call | None:
            return next((call for call in self.about(job_id) if call.body.get("status") == status), None)

        return await self._until(found, within)

    async def wait_at(self, path: str, count: int = 1, type_: str | None = None, within: float = 30.0) -> list[Call]:
        """Return the calls to a path as soon as there are so many, of one type if it is named."""

        def found() -> list[Call] | None:
            calls = [call for call in self.at(path) if type_ is None or call.body.get("type") == type_]
            return calls if len(calls) >= count else None

        return await self._until(found, within)

    async def _until(self, found: Callable[[], Found | None], within: float) -> Found:
        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: found() is not None)
        there = found()
        assert there is not None
        return there


def status(code: int, **headers: str) -> Play:
    """Answer with a status and headers (`Retry_After` for Retry-After)."""

    async def play(request: web.Request, call: Call) -> web.StreamResponse:
        return web.Response(status=code, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return play


def then(*plays: Play) -> Play:
    """Play one after the other, the last for good."""
    left = list(plays)

    async def play(request: web.Request, call: Call) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request, call)

    return play


def slow(seconds: float) -> Play:
    """Answer 200 late."""

    async def play(request: web.Request, call: Call) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.Response()

    return play


async def reset(request: web.Request, call: Call) -> web.StreamResponse:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def endless(request: web.Request, call: Call) -> web.StreamResponse:
    """Answer 200 with a body that never ends."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 4_096)


async def half_open(request: web.Request, call: Call) -> web.StreamResponse:
    """Answer 200, then fall silent in the middle of the body."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"half")
    await asyncio.sleep(60)
    return response


async def running(receiver: Receiver) -> AsyncIterator[Receiver]:
    """Start and stop a receiver around its use."""
    await receiver.start()
    yield receiver
    await receiver.stop()


def _self_signed() -> ssl.SSLContext:
    """Return a context with a certificate nobody trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(path)
    return context
