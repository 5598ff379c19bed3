"""OpenAI's images, and a look-alike that answers addresses."""

import asyncio
import base64
import json
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.support.providers.behaviours import PAUSE_SECONDS, Behaviour
from tests.support.providers.fake import KEY, FakeProvider, Submit, Wire


def _error(status: int, kind: str, code: str | None, message: str, **more: Any) -> Wire:
    return status, {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


class FakeOpenAI(FakeProvider):
    """`/v1/images/generations` and `/edits`; honours an Idempotency-Key when it is given one."""

    refusals: ClassVar[Mapping[Behaviour, Wire]] = {
        Behaviour.RATE_LIMITED: _error(429, "requests", "rate_limit_exceeded", "Rate limit reached."),
        Behaviour.SERVER_ERROR: _error(500, "server_error", None, "The server had an error."),
        Behaviour.AUTH: _error(401, "invalid_request_error", "invalid_api_key", f"Incorrect API key: {KEY}"),
        Behaviour.QUOTA: _error(429, "insufficient_quota", "insufficient_quota", "You exceeded your quota."),
        Behaviour.CAPACITY: _error(503, "server_error", None, "The engine is currently overloaded."),
        Behaviour.INVALID: _error(400, "invalid_request_error", "invalid_value", "Invalid size."),
    }
    key_header = ("Authorization", f"Bearer {KEY}")
    answers_at_once = True
    base: ClassVar[str] = "/v1"
    answers_addresses: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.answered: dict[str, web.Response] = {}
        self.works_on = 0
        self.unfinished = b"part"
        self.may_finish = asyncio.Event()
        self.may_finish.set()

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/images/generations", self.checked(self.on_submit))
        router.add_post("/v1/images/edits", self.checked(self.on_submit))

    async def execute(self, request: web.Request, submit: Submit) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key") or uuid.uuid4().hex
        if key in self.answered and self.works_on:
            self.works_on -= 1
            body = {"error": {"message": "This request is still running.", "code": "in_flight"}}
            return web.json_response(body, status=409, headers={"Retry-After": str(PAUSE_SECONDS)})
        if key not in self.answered:
            self.ledger.paid.append(submit)
            status, body = self._answer(int(submit.body["n"]))
            self.answered[key] = web.json_response(body, status=status)
        if submit.body.get("stream"):
            return await self._stream(request, int(submit.body["partial_images"]))
        kept = self.answered[key]
        return web.Response(body=kept.body, status=kept.status, content_type="application/json")

    async def _stream(self, request: web.Request, partials: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number in range(partials):
            event = {
                "type": "image_generation.partial_image",
                "partial_image_index": number,
                "b64_json": base64.b64encode(self.unfinished).decode(),
            }
            await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        await self.may_finish.wait()
        if self.script is Behaviour.HALF_ANSWER:
            return response
        if self.script is Behaviour.FILTER_OUTPUT:
            name, event = "error", self._answer(1)[1]
        else:
            name = "image_generation.completed"
            event = {"type": name, "b64_json": self.spoiled_base64(), "usage": {"total_tokens": 9}}
        await response.write(f"event: {name}\r\ndata: {json.dumps(event)}\r\n\r\n".encode())
        return response

    def _answer(self, count: int) -> Wire:
        if self.script in (Behaviour.FILTER_INPUT, Behaviour.FILTER_OUTPUT):
            stage = "input" if self.script is Behaviour.FILTER_INPUT else "output"
            details = {"moderation_stage": stage, "categories": ["violence"]}
            message = "Your request was rejected. safety_violations=[violence]."
            return _error(400, "image_generation_user_error", "moderation_blocked", message, moderation_details=details)
        made = {Behaviour.NO_MEDIA: 0, Behaviour.FILTER_PARTIAL: count // 2}.get(self.script, count)
        return 200, {"created": 1, "data": [self._item(n) for n in range(1, made + 1)], "usage": {"total_tokens": 9}}

    def _item(self, number: int) -> dict[str, Any]:
        if self.answers_addresses:
            return {"url": self.media_url(number)}
        return {"b64_json": self.spoiled_base64(), "revised_prompt": "a cat"}


class FakeLocalAI(FakeOpenAI):
    """A look-alike: addresses instead of base64."""

    answers_addresses = True
