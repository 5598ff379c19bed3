"""ComfyUI: prompts under ids of the client's, a queue, a history, files."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import KEY, FakeProvider, Submit, Wire

_INVALID = {
    "error": {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"},
    "node_errors": {"4": {"errors": [{"type": "value_bigger_than_max"}], "class_type": "EmptyLatentImage"}},
}


class FakeComfyUI(FakeProvider):
    """Does not deduplicate prompt ids: a second submit of one runs twice."""

    refusals: ClassVar[Mapping[Behaviour, Wire]] = {
        Behaviour.SERVER_ERROR: (500, {"error": "Internal Server Error"}),
        Behaviour.AUTH: (401, {"error": "proxy: no key"}),
        Behaviour.CAPACITY: (503, {"error": "starting"}),
        Behaviour.INVALID: (400, _INVALID),
        Behaviour.RATE_LIMITED: (429, {"error": "proxy: too many"}),
    }
    key_header = ("X-Proxy-Key", KEY)
    base: ClassVar[str] = ""
    has_job_routes: ClassVar[bool] = True

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/prompt", self.checked(self.on_submit))
        router.add_get("/queue", self.checked(self.on_queue))
        router.add_post("/queue", self.checked(self.on_delete))
        router.add_post("/interrupt", self.checked(self.on_interrupt))
        router.add_get("/history/{id}", self.checked(self.on_history))
        router.add_get("/view", self.checked(self.on_media))
        router.add_post("/upload/image", self.checked(self.on_upload))
        if self.has_job_routes:
            router.add_post("/api/jobs/{id}/cancel", self.checked(self.on_cancel))

    def accept(self, submit: Submit) -> dict[str, Any]:
        self.begin(submit.body["prompt_id"], submit)
        return {"prompt_id": submit.body["prompt_id"], "number": len(self.works), "node_errors": {}}

    async def on_upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        image: Any = form["image"]
        return web.json_response({"name": f"1_{image.filename}", "subfolder": "", "type": "input"})

    async def on_queue(self, request: web.Request) -> web.Response:
        vanished = self.script is Behaviour.VANISHED
        known = [] if vanished else [name for name, work in self.works.items() if not work.cancelled]
        return web.json_response({"queue_running": [[1, name, {}, {}, []] for name in known], "queue_pending": []})

    async def on_delete(self, request: web.Request) -> web.Response:
        return web.Response()

    async def on_interrupt(self, request: web.Request) -> web.Response:
        self.works[(await request.json())["prompt_id"]].cancelled = True
        return web.Response()

    async def on_cancel(self, request: web.Request) -> web.Response:
        work = self.works.get(request.match_info["id"])
        if work is not None:
            work.cancelled = True
        return web.json_response({"cancelled": work is not None})

    async def on_history(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if name not in self.works or self.script is Behaviour.VANISHED:
            return web.json_response({})
        if self.works[name].cancelled:
            return web.json_response({name: _entry("error", {}, [["execution_interrupted", {"prompt_id": name}]])})
        if not self.is_due(name):
            return self._unfinished(name)
        if self.script is Behaviour.FAILS:
            error = {"exception_type": "torch.cuda.OutOfMemoryError", "exception_message": "out of memory"}
            return web.json_response({name: _entry("error", {}, [["execution_error", error]])})
        return web.json_response({name: _entry("success", self._outputs(), [["execution_success", {}]])})

    def _unfinished(self, name: str) -> web.Response:
        if self.script is Behaviour.POLL_TROUBLE:
            return self.trouble()
        return web.json_response({name: _entry("paused", {}, [])} if self.script is Behaviour.UNKNOWN_STATUS else {})

    def _outputs(self) -> dict[str, Any]:
        if self.script is Behaviour.NO_MEDIA:
            return {}
        count = int(self.works[next(iter(self.works))].submit.body["prompt"]["5"]["inputs"]["batch_size"])
        images = [{"filename": f"a_{n:05}_.png", "subfolder": "", "type": "output"} for n in range(1, count + 1)]
        return {"8": {"images": [{"filename": "p.png", "subfolder": "", "type": "temp"}]}, "9": {"images": images}}


class FakeOldComfyUI(FakeComfyUI):
    """Before 0.26: no route to cancel one job."""

    has_job_routes = False


def _entry(status: str, outputs: dict[str, Any], messages: list[Any]) -> dict[str, Any]:
    return {
        "prompt": [],
        "outputs": outputs,
        "status": {"status_str": status, "completed": status == "success", "messages": messages},
        "meta": {},
    }
