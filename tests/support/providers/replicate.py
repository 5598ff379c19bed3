"""Replicate: predictions, their list, cancel."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web

from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import KEY, FakeProvider, Submit, Wire


def _problem(status: int, title: str, detail: str) -> Wire:
    return status, {"title": title, "detail": detail, "status": status}


class FakeReplicate(FakeProvider):
    """Predictions of official models and of versions."""

    refusals: ClassVar[Mapping[Behaviour, Wire]] = {
        Behaviour.RATE_LIMITED: (429, {"detail": "Request was throttled. Your rate limit resets in ~30s."}),
        Behaviour.SERVER_ERROR: _problem(500, "Internal server error", "Try again."),
        Behaviour.AUTH: _problem(401, "Unauthenticated", f"Bearer {KEY} is not valid."),
        Behaviour.QUOTA: _problem(402, "Insufficient credit", "You have insufficient credit."),
        Behaviour.CAPACITY: _problem(503, "Service unavailable", "No capacity."),
        Behaviour.INVALID: _problem(422, "Input validation failed", "width: Must be less than 1440"),
    }
    key_header = ("Authorization", f"Bearer {KEY}")
    base: ClassVar[str] = "/v1"

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, str] = {}

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/models/{owner}/{name}/predictions", self.checked(self.on_submit))
        router.add_post("/v1/predictions", self.checked(self.on_submit))
        router.add_get("/v1/predictions", self.checked(self.on_list))
        router.add_get("/v1/predictions/{id}", self.checked(self.on_poll))
        router.add_post("/v1/predictions/{id}/cancel", self.checked(self.on_cancel))
        router.add_post("/v1/files", self.checked(self.on_file))

    def accept(self, submit: Submit) -> dict[str, Any]:
        name = f"p{len(self.ledger.paid)}"
        self.begin(name, submit)
        self.made[name] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        waits = submit.headers.get("Prefer", "").startswith("wait")
        return self._prediction(name, **(self._end(name) if waits else {"status": "starting"}))

    async def on_file(self, request: web.Request) -> web.Response:
        await request.post()
        return web.json_response({"id": "f1", "urls": {"get": f"{self.url}/v1/files/f1"}}, status=201)

    async def on_list(self, request: web.Request) -> web.Response:
        since = datetime.fromisoformat(request.query["created_after"])
        results = [
            self._prediction(name, status="processing")
            for name, made in self.made.items()
            if datetime.fromisoformat(made.replace("Z", "+00:00")) >= since
        ]
        return web.json_response({"next": None, "previous": None, "results": results})

    async def on_poll(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if self.script is Behaviour.VANISHED:
            return web.json_response(_problem(404, "Not found", "Prediction not found.")[1], status=404)
        if self.works[name].cancelled:
            return web.json_response(self._prediction(name, status="canceled"))
        if not self.is_due(name):
            if self.script is Behaviour.POLL_TROUBLE:
                return self.trouble()
            status = "paused" if self.script is Behaviour.UNKNOWN_STATUS else "processing"
            return web.json_response(self._prediction(name, status=status))
        return web.json_response(self._prediction(name, **self._end(name)))

    async def on_cancel(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if name not in self.works:
            return web.json_response(_problem(404, "Not found", "Prediction not found.")[1], status=404)
        self.works[name].cancelled = True
        return web.json_response(self._prediction(name, status="canceled"))

    def _prediction(self, name: str, **more: Any) -> dict[str, Any]:
        return {
            "id": name,
            "model": "o/m",
            "version": "hidden",
            "input": self.works[name].submit.body["input"],
            "output": None,
            "error": None,
            "logs": "",
            "data_removed": False,
            "created_at": self.made.get(name),
            "urls": {"get": f"{self.url}/v1/predictions/{name}"},
            **more,
        }

    def _end(self, name: str) -> dict[str, Any]:
        count = self.works[name].submit.body["input"]["num_outputs"]
        words = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
        match self.script:
            case Behaviour.FILTER_OUTPUT:
                return {"status": "failed", "error": words}
            case Behaviour.FAILS:
                return {"status": "failed", "error": "E1000: unknown error"}
            case Behaviour.NO_MEDIA:
                return {"status": "succeeded"}
            case Behaviour.FILTER_PARTIAL:
                count, logs = count // 2, "NSFW content detected in 2 images"
            case _:
                logs = ""
        output = [self.media_url(n) for n in range(1, count + 1)]
        return {"status": "succeeded", "output": output, "logs": logs, "metrics": {"predict_time": 2.1}}
