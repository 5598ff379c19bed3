"""The seeds' Flask backend: 200 at once; its webhook is the gateway's concern."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import KEY, FakeProvider, Submit, Wire


class FakeFlask(FakeProvider):
    """Takes images and videos; `own_id` is what it answers when it ignores ours, as soon as `may_answer`."""

    refusals: ClassVar[Mapping[Behaviour, Wire]] = {
        Behaviour.RATE_LIMITED: (429, {"error": "slow down"}),
        Behaviour.SERVER_ERROR: (500, {"error": "internal server error"}),
        Behaviour.AUTH: (401, {"error": "unauthorized"}),
        Behaviour.CAPACITY: (503, {"error": "busy"}),
        Behaviour.INVALID: (400, {"error": "prompt missing"}),
    }
    key_header = ("Authorization", f"Bearer {KEY}")
    base: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.own_id: str | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/api/images/generate", self.checked(self.on_submit))
        router.add_post("/api/videos/generate", self.checked(self.on_submit))

    async def execute(self, request: web.Request, submit: Submit) -> web.StreamResponse:
        response = await super().execute(request, submit)
        await self.may_answer.wait()
        return response

    def accept(self, submit: Submit) -> dict[str, Any]:
        return {"job_id": self.own_id or submit.body["job_id"], "status": "PENDING"}
