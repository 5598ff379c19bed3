"""Black Forest Labs: a task and its own polling address."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import KEY, FakeProvider, Submit, Wire


class FakeBfl(FakeProvider):
    """One image a task; a partial filter withholds every second task's."""

    refusals: ClassVar[Mapping[Behaviour, Wire]] = {
        Behaviour.RATE_LIMITED: (429, {"detail": "Too many tasks"}),
        Behaviour.SERVER_ERROR: (500, {"detail": "Internal error"}),
        Behaviour.AUTH: (403, {"detail": f"Not authenticated: {KEY}"}),
        Behaviour.QUOTA: (402, {"detail": "Insufficient credits"}),
        Behaviour.CAPACITY: (503, {"detail": "Service unavailable"}),
        Behaviour.INVALID: (422, {"detail": [{"loc": ["body", "width"], "msg": "multiple of 16", "type": "value"}]}),
    }
    key_header = ("x-key", KEY)
    base: ClassVar[str] = "/v1"

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/{model}", self.checked(self.on_submit))
        router.add_get("/v1/get_result", self.checked(self.on_poll))

    def accept(self, submit: Submit) -> dict[str, Any]:
        name = f"t{len(self.ledger.paid)}"
        self.begin(name, submit)
        return {"id": name, "polling_url": f"{self.url}/v1/get_result?id={name}"}

    async def on_poll(self, request: web.Request) -> web.Response:
        name = request.query["id"]
        if self.script is Behaviour.VANISHED:
            return web.json_response({"id": name, "status": "Task not found", "result": None}, status=404)
        if not self.is_due(name):
            if self.script is Behaviour.POLL_TROUBLE:
                return self.trouble()
            status = "Dreaming" if self.script is Behaviour.UNKNOWN_STATUS else "Pending"
            return web.json_response({"id": name, "status": status, "result": None, "progress": 0.5})
        withheld = self.script is Behaviour.FILTER_PARTIAL and int(name[1:]) % 2 == 0
        status = {Behaviour.FILTER_INPUT: "Request Moderated", Behaviour.FAILS: "Error"}.get(self.script, "Ready")
        if self.script is Behaviour.FILTER_OUTPUT or withheld:
            status = "Content Moderated"
        sample = {} if self.script is Behaviour.NO_MEDIA else {"sample": self.media_url(), "seed": 1}
        return web.json_response({"id": name, "status": status, "result": sample if status == "Ready" else None})
