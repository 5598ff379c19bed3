"""Gemini's images: one call of generateContent an image, answered with the image itself."""

from typing import Any, Final

from contracts.failures import FailureCode
from contracts.models import RETIRED
from contracts.offers import GEMINI_RATIOS
from services.generator.providers.base import Finished, MediaRef, Order, Traits
from services.generator.providers.remote.api import Answer, Api, dig, dig_list
from services.generator.providers.remote.failures import INPUT_PROMPT, OUTPUT, failed, filtered
from services.generator.providers.remote.google import refused
from services.generator.providers.remote.http_provider import HttpProvider
from services.generator.providers.remote.outcomes import as_base64, finish, image_type, keep_base64, metadata
from services.generator.providers.remote.prompts import full_prompt
from services.generator.providers.remote.sizes import nearest_ratio, tier

RATIOS: Final = GEMINI_RATIOS
SUBMIT_SECONDS: Final = 180.0
_FILTERS: Final = frozenset(
    {
        "SAFETY",
        "IMAGE_SAFETY",
        "PROHIBITED_CONTENT",
        "IMAGE_PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "RECITATION",
        "IMAGE_RECITATION",
    }
)


class Gemini(HttpProvider):
    """Images of Gemini; nothing is idempotent, findable or cancellable: a lost answer is a lost image."""

    name: str = "gemini"
    traits = Traits(synchronous=True)

    async def submit(self, order: Order, submit_key: str) -> Finished:
        """Ask for one image."""
        model = self._current(order)
        url = self.api.url(f"models/{model}:generateContent")
        answer = await self.api.submit(url, json=await _body(order, model))
        if not answer.ok:
            raise refused(self.name, answer)
        return await self._read(order, model, answer)

    def _current(self, order: Order) -> str:
        successor = RETIRED.get(order.model)
        if successor and order.model not in self.models:
            message = f"{order.model} has been retired by its provider; its successor is {successor}"
            raise failed(FailureCode.INVALID_INPUT, message, reason="model_retired")
        return self.model_of(order)

    async def _read(self, order: Order, model: str, answer: Answer) -> Finished:
        candidate = answer.at("candidates", 0)
        words = self.api.scrub(_text(candidate))
        if candidate is None and (reason := answer.at("promptFeedback", "blockReason")):
            words = f"blockReason {reason}"
            raise filtered("gemini blocked the prompt", words=words, stage=INPUT_PROMPT, reasons=[str(reason)])
        image = _image(candidate)
        reason = str(dig(candidate, "finishReason", default=""))
        if image is None and reason in _FILTERS:
            said = f"{reason}: {words}" if words else reason
            raise filtered("gemini withheld the image", words=said, stage=OUTPUT, reasons=[reason])
        if image is None:
            said = f"{reason}: {words}" if words else reason
            raise failed(
                FailureCode.NO_MEDIA, "gemini answered without an image", words=said, charged="unknown", stage=OUTPUT
            )
        path = await keep_base64(image.get("data"), order.workdir / "answer_1", self.name)
        about = metadata(model, usage=answer.at("usageMetadata"))
        return finish(self.name, [MediaRef(1, "image", path=path, description=words or None)], asked=1, about=about)


async def _body(order: Order, model: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": full_prompt(order)}]
    if order.input_image is not None:
        source = {"mimeType": image_type(order.input_image), "data": await as_base64(order.input_image)}
        parts.append({"inlineData": source})
    image: dict[str, Any] = {"aspectRatio": nearest_ratio(order.width, order.height, RATIOS)}
    if not model.startswith("gemini-2.5"):
        image["imageSize"] = tier(order.width, order.height)
    # TEXT as well: without it a refusal comes without its words.
    config = {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": image, "candidateCount": 1}
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}


def _parts(candidate: Any) -> list[Any]:
    return dig_list(candidate, "content", "parts")


def _image(candidate: Any) -> dict[str, Any] | None:
    """The last image that is no draft of a thought, else the last: the only one may be marked a thought."""
    images = [part for part in _parts(candidate) if isinstance(dig(part, "inlineData"), dict)]
    kept = [part for part in images if not part.get("thought")] or images
    return kept[-1]["inlineData"] if kept else None


def _text(candidate: Any) -> str:
    texts = [part.get("text") for part in _parts(candidate) if isinstance(part, dict) and not part.get("thought")]
    return " ".join(text for text in texts if isinstance(text, str)).strip()


def build(api_key: str, base_url: str, models: list[str]) -> Gemini:
    """Wire the adapter."""
    headers = {"x-goog-api-key": api_key}
    return Gemini(Api("gemini", base_url, headers=headers, secrets=[api_key], submit_seconds=SUBMIT_SECONDS), models)
