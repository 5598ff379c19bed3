"""Somebody's web server: it answers with pictures, or with whatever else a test lays there, well or badly."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ImageHost:
    """A server on a free port of this machine; `put` gives a path to each answer."""

    def __init__(self) -> None:
        self.port = 0
        self._answers: dict[str, Answer] = {}
        self._numbers = itertools.count(1)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._on_get)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(self, answer: Answer | bytes, name: str = "picture.png", content_type: str = "image/png") -> str:
        """Lay something under a new address and return it."""
        path = f"/{next(self._numbers)}/{name}"
        self._answers[path] = _body(answer, content_type) if isinstance(answer, bytes) else answer
        return self.url + path

    async def _on_get(self, request: web.Request) -> web.StreamResponse:
        answer = self._answers.get(request.path)
        return web.Response(status=404) if answer is None else await answer(request)


def _body(body: bytes, content_type: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=content_type)

    return answer


def status(code: int) -> Answer:
    """Answer with a status and nothing else."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code)

    return answer


def redirect(location: str) -> Answer:
    """Answer with a redirect."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": location})

    return answer


def declared(length: int) -> Answer:
    """Declare a length and send nothing of it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(length)})
        await response.prepare(request)
        return response

    return answer


async def endless(request: web.Request) -> web.StreamResponse:
    """Send for ever, as fast as it is read."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


async def drip(request: web.Request) -> web.StreamResponse:
    """Send a byte now and then."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(0.05)


def zipped(body: bytes) -> Answer:
    """Answer with a content encoding that nobody asked for."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    return answer
