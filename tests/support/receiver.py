"""A receiver of webhooks on a free port: it keeps what it got and answers what it is told."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Receiver:
    """Answers POSTs; `answer` decides the status of each."""

    answer: Callable[[Call], int] = lambda call: 200
    calls: list[Call] = field(default_factory=list)
    port: int = 0
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._on_post)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _on_post(self, request: web.Request) -> web.Response:
        call = Call(request.path, dict(request.headers), json.loads(await request.text()))
        async with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        return web.json_response({"success": True}, status=self.answer(call))

    def about(self, job_id: str) -> list[Call]:
        """Return the calls about a job, in the order they came."""
        return [call for call in self.calls if call.body.get("job_id") == job_id]

    async def wait_for(self, job_id: str, status: str, within: float = 30.0) -> Call:
        """Return the first call of this status about a job."""

        def found() -> Call | None:
            return next((call for call in self.about(job_id) if call.body.get("status") == status), None)

        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: found() is not None)
        call = found()
        assert call is not None
        return call
