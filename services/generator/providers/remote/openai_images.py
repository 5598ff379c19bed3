"""OpenAI's images and everything that speaks like them (LocalAI, vLLM-Omni, LiteLLM, …), at any base address."""

import contextlib
from typing import Any, Final
from urllib.parse import urljoin

from contracts.failures import FailureCode
from contracts.offers import OPENAI_AT_ONCE, USUAL_FORMATS
from services.generator.providers.base import Finished, MediaRef, Order, ProviderFailed, Traits
from services.generator.providers.remote.api import Answer, Api, dig, dig_text
from services.generator.providers.remote.failures import (
    INPUT_IMAGE,
    INPUT_PROMPT,
    OUTPUT,
    by_status,
    failed,
    filtered,
    unknown_outcome,
)
from services.generator.providers.remote.http_provider import HttpProvider
from services.generator.providers.remote.outcomes import finish, keep_base64, metadata, upload
from services.generator.providers.remote.prompts import full_prompt
from services.generator.providers.remote.sizes import multiples_of, nearest_size

SUBMIT_SECONDS: Final = 300.0
MOST_AT_ONCE: Final = OPENAI_AT_ONCE
QUALITY: Final = {"draft": "low", "standard": "medium", "high": "high"}
FORMATS: Final = tuple(name.lower() for name in USUAL_FORMATS)
_FIXED_SIZES: Final = ("1024x1024", "1536x1024", "1024x1536")
_FIXED_MODELS: Final = ("gpt-image-1",)
_STILL_RUNNING: Final = frozenset({409, 504})
"""With `Retry-After`, where keys are honoured: the same key collects the result later."""
_QUOTA: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


class OpenAIImages(HttpProvider):
    """Images in one answer; idempotent only where the operator says that the server honours a key."""

    name: str = "openai"

    def __init__(self, api: Api, models: list[str], *, idempotent: bool = False, partial_images: int = 0) -> None:
        super().__init__(api, models)
        self._partial_images = partial_images
        self.traits = Traits(synchronous=True, idempotent_submit=idempotent)

    def at_once(self, order: Order) -> int:
        """Up to ten; a stream shows one."""
        return 1 if self._partial_images else MOST_AT_ONCE

    async def submit(self, order: Order, submit_key: str) -> Finished:
        """Ask for all images of the order in one call."""
        model = self.model_of(order)
        headers = {"Idempotency-Key": submit_key} if self.traits.idempotent_submit else {}
        fields = _fields(order, model)
        if self._partial_images:
            fields |= {"stream": True, "partial_images": self._partial_images}
        if order.input_image is None:
            url = "images/generations"
            request: dict[str, Any] = {"json": fields}
        else:
            source = await upload(order.input_image)
            form = {name: "true" if value is True else str(value) for name, value in fields.items()}
            url = "images/edits"
            request = {"data": form, "files": {"image[]": source}}
        previews = _Previews(order)
        answer = await self.api.submit(self.api.url(url), headers=headers, on_event=previews, **request)
        if not answer.ok or answer.at("error") is not None:
            raise self._refused(order, answer)
        return await self._read(order, model, answer)

    async def _read(self, order: Order, model: str, answer: Answer) -> Finished:
        media: list[MediaRef] = []
        kind = answer.text_at("type")
        if kind and not kind.endswith(".completed"):
            raise unknown_outcome("openai's stream ended before the image was done", words=kind)
        # A stream's last event is the image itself.
        for item in [answer.body] if kind else answer.list_at("data"):
            index = len(media) + 1
            words = dig_text(item, "revised_prompt") or None
            if text := dig(item, "b64_json"):
                path = await keep_base64(text, order.workdir / f"answer_{index}", self.name)
                media.append(MediaRef(index, "image", path=path, description=words))
            elif url := dig_text(item, "url"):
                media.append(MediaRef(index, "image", url=urljoin(self.api.base_url, url), description=words))
        about = metadata(model, usage=answer.at("usage"), quality=answer.at("quality"))
        return finish(self.name, media, asked=order.count, about=about)

    def _refused(self, order: Order, answer: Answer) -> ProviderFailed:
        code = answer.text_at("error", "code")
        if code == "moderation_blocked":
            stage = answer.at("error", "moderation_details", "moderation_stage")
            where = OUTPUT if stage == "output" else INPUT_IMAGE if order.input_image else INPUT_PROMPT
            categories = [str(one) for one in answer.list_at("error", "moderation_details", "categories")]
            reasons = categories or ["moderation_blocked"]
            return filtered("openai's moderation refused", words=answer.words, stage=where, reasons=reasons)
        if code in _QUOTA or answer.text_at("error", "type") in _QUOTA:
            return failed(FailureCode.QUOTA, "openai: the budget is used up", words=answer.words)
        typed = by_status(self.name, answer.status, answer.words, answer.headers)
        if self.traits.idempotent_submit and answer.status in _STILL_RUNNING and typed.retry_after is not None:
            message = "openai's server still works on the request of this key"
            return unknown_outcome(message, words=answer.words, retry_after=typed.retry_after)
        changes: dict[str, Any] = {}
        if answer.ok or (answer.status >= 500 and answer.status != 503):
            changes["charged"] = "unknown"
        if (wish := answer.headers.get("x-should-retry")) in ("true", "false"):
            changes["retryable"] = wish == "true"
        return ProviderFailed(typed.failure.model_copy(update=changes), retry_after=typed.retry_after)


class _Previews:
    """Keeps the unfinished pictures of a stream and tells of each."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._seen = 0

    async def __call__(self, event: Any) -> None:
        if not str(dig(event, "type", default="")).endswith(".partial_image") or self._order.on_preview is None:
            return
        self._seen += 1
        path = self._order.workdir / f"preview_{self._seen}"
        # Nothing that a preview meets may end what has been paid.
        with contextlib.suppress(Exception):
            self._order.on_preview(await keep_base64(dig(event, "b64_json"), path, "openai"))


def _fields(order: Order, model: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"model": model, "prompt": full_prompt(order), "n": order.count}
    if not model.startswith("gpt-image"):
        # A look-alike: what is asked for stands in the dialect all of them read.
        return fields | {"size": f"{order.width}x{order.height}", "response_format": "b64_json"}
    fields["size"] = _size(order, model)
    fields["quality"] = QUALITY.get(order.quality, "auto")
    if order.format.lower() in FORMATS:
        fields["output_format"] = order.format.lower()
    return fields


def _size(order: Order, model: str) -> str:
    if model.startswith(_FIXED_MODELS):
        return nearest_size(order.width, order.height, _FIXED_SIZES)
    width, height = multiples_of(16, order.width, order.height)
    return f"{width}x{height}"


def build(
    api_key: str | None, base_url: str, models: list[str], *, idempotent: bool = False, partial_images: int = 0
) -> OpenAIImages:
    """Wire the adapter; a server of one's own may need no key."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    secrets = [api_key] if api_key else []
    api = Api("openai", base_url, headers=headers, secrets=secrets, submit_seconds=SUBMIT_SECONDS)
    return OpenAIImages(api, models, idempotent=idempotent, partial_images=partial_images)
