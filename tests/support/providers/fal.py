"""fal's queue: addresses to ask at, and failures that are COMPLETED."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import KEY, FakeProvider, Submit, Wire


def _detail(kind: str, message: str, place: str = "prompt") -> dict[str, Any]:
    return {"detail": [{"loc": ["body", place], "msg": message, "type": kind, "url": "https://docs.fal.ai", "ctx": {}}]}


class FakeFal(FakeProvider):
    """Queue, status, result, cancel."""

    refusals: ClassVar[Mapping[Behaviour, Wire]] = {
        Behaviour.RATE_LIMITED: (
            429,
            {"detail": "Too many requests", "error_type": "concurrent_requests_limit"},
        ),
        Behaviour.SERVER_ERROR: (500, {"detail": "Internal error", "error_type": "internal_error"}),
        Behaviour.AUTH: (401, {"detail": f"Cannot authenticate with {KEY}"}),
        Behaviour.QUOTA: (402, {"detail": "User is locked. Reason: Exhausted balance."}),
        Behaviour.CAPACITY: (503, {"detail": "No runner", "error_type": "runner_scheduling_failure"}),
        Behaviour.INVALID: (422, _detail("image_too_large", "Image too large", "image_url")),
    }
    key_header = ("Authorization", f"Key {KEY}")
    base: ClassVar[str] = ""

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/{owner}/{app}/requests/{id}/status", self.checked(self.on_status))
        router.add_get("/{owner}/{app}/requests/{id}", self.checked(self.on_result))
        router.add_put("/{owner}/{app}/requests/{id}/cancel", self.checked(self.on_cancel))
        router.add_post("/{model:.*}", self.checked(self.on_submit))

    def accept(self, submit: Submit) -> dict[str, Any]:
        name = f"r{len(self.ledger.paid)}"
        self.begin(name, submit)
        usual = f"{self.url}/fal-ai/flux/requests/{name}"
        return {
            "request_id": name,
            "status_url": f"{usual}/status",
            "response_url": usual,
            "cancel_url": f"{usual}/cancel",
            "queue_position": 0,
        }

    async def on_status(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if self.script is Behaviour.VANISHED:
            return web.json_response({"status": "NOT_FOUND"}, status=404)
        answer: dict[str, Any] = {"request_id": name}
        if not self.is_due(name):
            if self.script is Behaviour.POLL_TROUBLE:
                return self.trouble()
            status = "PAUSED" if self.script is Behaviour.UNKNOWN_STATUS else "IN_QUEUE"
            return web.json_response(answer | {"status": status, "queue_position": 2}, status=202)
        if self.script is Behaviour.FAILS:
            answer |= {"error": "Request timed out", "error_type": "request_timeout"}
        return web.json_response(answer | {"status": "COMPLETED", "logs": [], "metrics": {"inference_time": 3.4}})

    async def on_result(self, request: web.Request) -> web.Response:
        count = self.works[request.match_info["id"]].submit.body["num_images"]
        match self.script:
            case Behaviour.FILTER_INPUT:
                return web.json_response(_detail("content_policy_violation", "flagged by a checker"), status=422)
            case Behaviour.FILTER_OUTPUT:
                answer = _detail("content_policy_violation", "flagged by a checker", "images")
                return web.json_response(answer, status=422)
            case Behaviour.NO_MEDIA:
                return web.json_response(_detail("no_media_generated", "no image"), status=422)
        images = [{"url": self.media_url(n), "content_type": "image/png"} for n in range(1, count + 1)]
        flags = [self.script is Behaviour.FILTER_PARTIAL and n % 2 == 1 for n in range(count)]
        return web.json_response({"images": images, "seed": 7, "has_nsfw_concepts": flags})

    async def on_cancel(self, request: web.Request) -> web.Response:
        work = self.works.get(request.match_info["id"])
        if work is None:
            return web.json_response({"status": "NOT_FOUND"}, status=404)
        work.cancelled = True
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)
