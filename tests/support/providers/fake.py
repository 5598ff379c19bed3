"""What the fakes have in common: a server, a ledger of submits, broken connections and bad media."""

import asyncio
import base64
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web
from PIL import Image

from services.generator.providers.instant import instant_mp4, instant_png
from tests.support.providers.behaviours import PAUSE_SECONDS, REFUSED, REFUSED_ONCE, ROUNDS, Behaviour

KEY = "test-key-0123456789"
PAGE = "<!doctype html><html><body>Bad gateway</body></html>"
PRIVATE = "http://169.254.169.254/latest/meta-data/"


@dataclass(frozen=True)
class Submit:
    """A request that would be charged, as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: Any
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Ledger:
    """`tried` has every submit, `paid` those that were executed."""

    tried: list[Submit] = field(default_factory=list)
    paid: list[Submit] = field(default_factory=list)


@dataclass
class Work:
    """An operation of the fake: its submit, and how often it was asked for."""

    submit: Submit
    polls: int = 0
    cancelled: bool = False


Wire = tuple[int, dict[str, Any]]
"""An error answer: status and JSON."""


class FakeProvider:
    """Answers as one provider does; `script` says how well."""

    refusals: ClassVar[Mapping[Behaviour, Wire]]
    kind: ClassVar[str] = "image"
    key_header: ClassVar[tuple[str, str] | None] = None
    answers_at_once: ClassVar[bool] = False
    """Whether the answer to a submit is its result."""

    def __init__(self) -> None:
        self.script = Behaviour.SUCCESS
        self.ledger = Ledger()
        self.works: dict[str, Work] = {}
        self.media_headers: list[Mapping[str, str]] = []
        self.port = 0
        self._over = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/media/{name}", self.on_media)
        self.routes(app.router)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def routes(self, router: web.UrlDispatcher) -> None:
        raise NotImplementedError

    def checked(self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
        """A route that wants the key."""

        async def check(request: web.Request) -> web.StreamResponse:
            if self.key_header and request.headers.get(self.key_header[0]) != self.key_header[1]:
                return web.json_response({"detail": "no key"}, status=401)
            return await handler(request)

        return check

    # ---- submits

    async def on_submit(self, request: web.Request) -> web.StreamResponse:
        """Refuse, break off or execute, as the script says."""
        is_json = request.content_type == "application/json"
        body = await request.json() if is_json else dict((await request.post()).items())
        submit = Submit(request.path, dict(request.headers), body, dict(request.query))
        self.ledger.tried.append(submit)
        first = len(self.ledger.tried) == 1
        if self.script in REFUSED and (first or self.script not in REFUSED_ONCE):
            status, answer = self.refusals[self.script]
            headers = {"Retry-After": str(PAUSE_SECONDS)} if status in (429, 503) else {}
            return web.json_response(answer, status=status, headers=headers)
        if self.script is Behaviour.NOT_EXECUTED and first:
            return self.cut(request)
        if self.script is Behaviour.SLOW and self.answers_at_once:
            await asyncio.sleep(0.3)
        response = await self.execute(request, submit)
        return await self.broken(request, response) if first else response

    async def execute(self, request: web.Request, submit: Submit) -> web.StreamResponse:
        """Note the submit as paid and answer it."""
        self.ledger.paid.append(submit)
        return web.json_response(self.accept(submit))

    def accept(self, submit: Submit) -> dict[str, Any]:
        """The answer to an accepted submit."""
        raise NotImplementedError

    async def broken(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """The answer to a submit that was executed, whole or not."""
        if self.script is Behaviour.LOST_ANSWER:
            await self._over.wait()
        elif self.script is Behaviour.BAD_GATEWAY:
            return web.Response(status=502, text=PAGE, content_type="text/html")
        elif self.script is Behaviour.HALF_ANSWER:
            half = web.StreamResponse(headers={"Content-Length": "100000", "Content-Type": "application/json"})
            await half.prepare(request)
            await half.write(b'{"id": "hal')
            return self.cut(request)
        return response

    @staticmethod
    def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    # ---- operations

    def begin(self, name: str, submit: Submit) -> None:
        self.works[name] = Work(submit)

    def is_due(self, name: str) -> bool:
        """Count a poll; True when the operation is at its end."""
        work = self.works[name]
        work.polls += 1
        return work.polls > ROUNDS.get(self.script, 0)

    def trouble(self) -> web.Response:
        return web.Response(status=502, text=PAGE, content_type="text/html")

    # ---- media

    def medium(self) -> bytes:
        return instant_mp4() if self.kind == "video" else instant_png("fake")

    def spoiled(self) -> bytes:
        """The medium as the script wants it."""
        whole = self.medium()
        if self.script is Behaviour.TRUNCATED:
            return whole[: len(whole) // 2]
        if self.script is Behaviour.CORRUPT:
            middle = len(whole) // 2 if self.kind == "image" else 32
            return whole[:middle] + bytes(64) + whole[middle + 64 :]
        if self.script is Behaviour.HTML:
            return PAGE.encode()
        return whole

    def spoiled_base64(self) -> str:
        return base64.b64encode(self.spoiled()).decode()

    def media_url(self, number: int = 1) -> str:
        return f"{self.url}/media/{number}"

    async def on_media(self, request: web.Request) -> web.StreamResponse:
        self.media_headers.append(dict(request.headers))
        if self.script is Behaviour.PRIVATE_REDIRECT:
            raise web.HTTPFound(PRIVATE)
        if self.script is Behaviour.GONE:
            raise web.HTTPNotFound
        # A type that is never to be believed.
        headers = {"Content-Type": "image/svg+xml"}
        body = self.spoiled()
        if self.script is Behaviour.TRUNCATED:
            response = web.StreamResponse(headers=headers | {"Content-Length": str(len(self.medium()))})
            await response.prepare(request)
            await response.write(body)
            return self.cut(request)
        return web.Response(body=body, headers=headers)


def jpeg() -> bytes:
    """A small JPEG."""
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), (90, 140, 200)).save(buffer, "JPEG")
    return buffer.getvalue()
