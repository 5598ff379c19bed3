"""Veo: a long-running operation, polled by due time, and a download that wants the key."""

from typing import Any, Final
from urllib.parse import quote

from contracts.abilities import RATIO_SLACK, distance
from contracts.failures import FailureCode
from contracts.offers import VEO_RATIOS, VEO_SECONDS
from services.generator.providers.base import Finished, Operation, Order, Running, Submitted, Traits
from services.generator.providers.remote.api import Answer, Api, dig, dig_list
from services.generator.providers.remote.failures import failed, unknown_outcome
from services.generator.providers.remote.google import ended, refused
from services.generator.providers.remote.http_provider import HttpProvider
from services.generator.providers.remote.outcomes import addresses, as_base64, finish, image_type, metadata, refs
from services.generator.providers.remote.prompts import full_prompt
from services.generator.providers.remote.sizes import nearest_ratio

RATIOS: Final = VEO_RATIOS
SECONDS: Final = VEO_SECONDS
LARGE_SECONDS: Final = 8
"""The only length of films above 720p."""


class Veo(HttpProvider):
    """Films of Veo, one an operation; no cancel and no look-up by an id of ours is documented."""

    name: str = "veo"
    traits = Traits()
    poll_every: float = 10.0

    async def submit(self, order: Order, submit_key: str) -> Submitted:
        """Start an operation."""
        model = self.model_of(order)
        body = await _body(order)
        answer = await self.api.submit(self.api.url(f"models/{model}:predictLongRunning"), json=body)
        if not answer.ok:
            raise refused(self.name, answer, made_at_once=False)
        operation = answer.at("name")
        if not isinstance(operation, str) or not operation:
            raise unknown_outcome("veo accepted the request and named no operation", words=answer.words)
        state = {"model": model, "seconds": body["parameters"]["durationSeconds"]}
        return Submitted(Operation(operation, state), self.poll_every)

    async def poll(self, operation: Operation) -> Running | Finished:
        """Ask for the operation; `done` alone is no success."""
        answer = await self.look(self.api.url(quote(operation.id)))
        if isinstance(answer, Running):
            return answer
        if answer.status == 404:
            raise self.vanished(answer)
        if not answer.ok:
            return self.troubled(answer)
        if answer.at("done") is not True:
            return Running(self.poll_every)
        if (error := answer.at("error")) is not None:
            raise ended(self.name, error, answer.words)
        return self._read(operation, answer)

    def _read(self, operation: Operation, answer: Answer) -> Finished:
        made = answer.at("response", "generateVideoResponse")
        urls = [url for sample in dig_list(made, "generatedSamples") for url in addresses(dig(sample, "video"))]
        reasons = dig_list(made, "raiMediaFilteredReasons")
        count = dig(made, "raiMediaFilteredCount", default=0)
        withheld = [self.api.scrub(str(reason)) for reason in reasons] or ["filtered"] * int(bool(count))
        about = metadata(str(operation.state.get("model")), fps=24)
        media = refs("video", urls)
        return finish(self.name, media, asked=1, about=about, withheld=withheld, filter_charged="no")


async def _body(order: Order) -> dict[str, Any]:
    ratio = nearest_ratio(order.width, order.height, RATIOS)
    if distance(order.width, order.height, ratio) > RATIO_SLACK:
        raise failed(FailureCode.INVALID_INPUT, f"veo films in {' and '.join(RATIOS)}; choose a size of one of them")
    seconds = next((length for length in SECONDS if length >= (order.duration_seconds or 0)), None)
    if seconds is None:
        raise failed(FailureCode.INVALID_INPUT, f"veo films at most {SECONDS[-1]} seconds")
    resolution = "720p" if min(order.width, order.height) <= 720 else "1080p"
    if resolution != "720p" and seconds != LARGE_SECONDS:
        message = f"veo films {resolution} at {LARGE_SECONDS} seconds only; ask for that length or a smaller size"
        raise failed(FailureCode.INVALID_INPUT, message)
    instance: dict[str, Any] = {"prompt": full_prompt(order)}
    if order.input_image is not None:
        # Not `inlineData`, whatever the samples say: that is answered 400.
        instance["image"] = {
            "bytesBase64Encoded": await as_base64(order.input_image),
            "mimeType": image_type(order.input_image),
        }
    body: dict[str, Any] = {
        "instances": [instance],
        "parameters": {"aspectRatio": ratio, "resolution": resolution, "durationSeconds": seconds},
    }
    if order.wake_url:
        body["webhookConfig"] = {"uris": [order.wake_url], "userMetadata": {"job_id": order.job_id}}
    return body


def build(api_key: str, base_url: str, models: list[str]) -> Veo:
    """Wire the adapter."""
    return Veo(Api("veo", base_url, headers={"x-goog-api-key": api_key}, secrets=[api_key]), models)
