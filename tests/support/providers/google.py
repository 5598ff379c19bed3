"""Google's generative API: images of Gemini, films of Veo."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import KEY, FakeProvider, Submit, Wire, jpeg


def _error(code: int, status: str, message: str, *details: dict[str, Any]) -> Wire:
    return code, {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


_QUOTA_FAILURE = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaMetric": "m", "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
}
_BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
REFUSALS: Mapping[Behaviour, Wire] = {
    Behaviour.RATE_LIMITED: _error(429, "RESOURCE_EXHAUSTED", "Too many requests a minute."),
    Behaviour.SERVER_ERROR: _error(500, "INTERNAL", "An internal error has occurred."),
    Behaviour.AUTH: _error(400, "INVALID_ARGUMENT", f"API key not valid: {KEY}.", _BAD_KEY),
    Behaviour.QUOTA: _error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", _QUOTA_FAILURE),
    Behaviour.CAPACITY: _error(503, "UNAVAILABLE", "The model is overloaded."),
    Behaviour.INVALID: _error(400, "INVALID_ARGUMENT", "Multiple candidates is not enabled for this model"),
}
USAGE = {
    "promptTokenCount": 9,
    "candidatesTokenCount": 1120,
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}],
}


class FakeGemini(FakeProvider):
    """generateContent; a partial filter withholds every second image, each of which is a call of its own."""

    refusals = REFUSALS
    key_header = ("x-goog-api-key", KEY)
    answers_at_once = True
    base: ClassVar[str] = "/v1beta"

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1beta/models/{call}", self.checked(self.on_submit))

    def medium(self) -> bytes:
        return jpeg()

    def spoiled(self) -> bytes:
        if self.script is Behaviour.CORRUPT:
            whole = self.medium()
            return whole[:20] + bytes(64) + whole[84:]
        return super().spoiled()

    def accept(self, submit: Submit) -> dict[str, Any]:
        withheld = self.script is Behaviour.FILTER_PARTIAL and len(self.ledger.paid) % 2 == 0
        if self.script is Behaviour.FILTER_INPUT:
            return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": USAGE}
        if self.script is Behaviour.FILTER_OUTPUT or withheld:
            return _candidate([{"text": "I cannot show that."}], "IMAGE_SAFETY")
        if self.script is Behaviour.NO_MEDIA:
            return _candidate([{"text": "Here is a description instead."}], "STOP")
        draft = {"inlineData": {"mimeType": "image/jpeg", "data": "AAAA"}, "thought": True}
        image = {"inlineData": {"mimeType": "image/png", "data": self.spoiled_base64()}}
        return _candidate([{"text": "A cat."}, draft, image], "STOP")


def _candidate(parts: list[dict[str, Any]], reason: str) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason}],
        "usageMetadata": USAGE,
    }


class FakeVeo(FakeProvider):
    """predictLongRunning, operations and a download that wants the key."""

    refusals = REFUSALS
    kind = "video"
    key_header = ("x-goog-api-key", KEY)
    base: ClassVar[str] = "/v1beta"

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1beta/models/{call}", self.checked(self.on_submit))
        router.add_get("/v1beta/models/{model}/operations/{id}", self.checked(self.on_poll))
        router.add_get("/v1beta/files/{name}", self.checked(self.on_media))

    def accept(self, submit: Submit) -> dict[str, Any]:
        name = f"models/veo/operations/o{len(self.ledger.paid)}"
        self.begin(name, submit)
        return {"name": name}

    async def on_poll(self, request: web.Request) -> web.Response:
        name = request.path.removeprefix("/v1beta/")
        if self.script is Behaviour.VANISHED:
            return web.json_response(_error(404, "NOT_FOUND", "operation not found")[1], status=404)
        if not self.is_due(name):
            return self.trouble() if self.script is Behaviour.POLL_TROUBLE else web.json_response({"name": name})
        return web.json_response({"name": name, "done": True, **self._end(name)})

    def _end(self, name: str) -> dict[str, Any]:
        withheld = self.script is Behaviour.FILTER_PARTIAL and not name.endswith("1")
        if self.script is Behaviour.FILTER_INPUT:
            return {"error": {"code": 3, "message": "The prompt violates our usage guidelines."}}
        if self.script is Behaviour.FAILS:
            return {"error": {"code": 13, "message": "Internal error."}}
        if self.script is Behaviour.FILTER_OUTPUT or withheld:
            made: dict[str, Any] = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["Blocked: celebrity."]}
        elif self.script is Behaviour.NO_MEDIA:
            made = {}
        else:
            uri = f"{self.url}/v1beta/files/f1:download?alt=media"
            made = {"generatedSamples": [{"video": {"uri": uri}}]}
        return {"response": {"generateVideoResponse": made}}
