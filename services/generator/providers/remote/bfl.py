"""Black Forest Labs: a task polled at the very address it names; results live ten minutes."""

import time
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from contracts.failures import FailureCode
from contracts.offers import USUAL_FORMATS
from services.generator.providers.base import Finished, Operation, Order, ProviderFailed, Running, Submitted, Traits
from services.generator.providers.remote.api import Answer, Api
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
from services.generator.providers.remote.outcomes import addresses, as_base64, finish, metadata, refs
from services.generator.providers.remote.prompts import full_prompt
from services.generator.providers.remote.sizes import multiples_of

FORMATS: Final = tuple(name.lower() for name in USUAL_FORMATS)
MOST_PIXELS: Final = 4_194_304
_RUNNING: Final = ("Pending", "Queued", "Processing")


class Bfl(HttpProvider):
    """FLUX at its makers: no cancel, no key of ours, no look-up."""

    name: str = "bfl"
    traits = Traits()
    poll_every: float = 1.0
    grace_seconds: float = 30.0
    """A new task may not be found for a moment."""

    async def submit(self, order: Order, submit_key: str) -> Submitted:
        """Create a task."""
        model = self.model_of(order)
        answer = await self.api.submit(self.api.url(model), json=await _body(order))
        if not answer.ok:
            raise by_status(self.name, answer.status, answer.words, answer.headers)
        task = answer.at("id")
        if not isinstance(task, str):
            raise unknown_outcome("bfl accepted the request and named no task", words=answer.words)
        # With a webhook the answer has no polling address.
        usual = self.api.url("get_result") + "?" + urlencode({"id": task})
        state = {
            "model": model,
            "polling_url": answer.at("polling_url", default=usual),
            "at": int(time.time()),
            "with_image": order.input_image is not None,
        }
        return Submitted(Operation(task, state), self.poll_every)

    async def poll(self, operation: Operation) -> Running | Finished:
        """Ask the task's own address."""
        answer = await self.look(self.api.own(operation.state["polling_url"]))
        if isinstance(answer, Running):
            return answer
        status = answer.at("status")
        if answer.status == 404 or status == "Task not found":
            if time.time() - float(operation.state["at"]) < self.grace_seconds:
                return Running(self.poll_every)
            raise self.vanished(answer)
        if not answer.ok:
            return self.troubled(answer)
        if status == "Ready":
            about = metadata(str(operation.state["model"]), seed=answer.at("result", "seed"))
            return finish(self.name, refs("image", addresses(answer.at("result"))), asked=1, about=about)
        if (failure := self._ended(operation, str(status), answer)) is not None:
            raise failure
        progress = answer.at("progress")
        return self.still_running(status, _RUNNING, progress if isinstance(progress, float) else None)

    def _ended(self, operation: Operation, status: str, answer: Answer) -> ProviderFailed | None:
        words = self.api.scrub(f"{status} {answer.at('details', default='')}")
        match status:
            case "Request Moderated":
                stage = INPUT_IMAGE if operation.state.get("with_image") else INPUT_PROMPT
                message = "bfl's moderation refused the request"
                return filtered(message, words=words, charged="no", stage=stage, reasons=[status])
            case "Content Moderated":
                message = "bfl's moderation withheld the image"
                return filtered(message, words=words, charged="no", stage=OUTPUT, reasons=[status])
            case "Error" | "Failed":
                return failed(FailureCode.PROVIDER_ERROR, "bfl's task failed", words=words)
        return None


async def _body(order: Order) -> dict[str, Any]:
    width, height = multiples_of(16, order.width, order.height)
    if width * height > MOST_PIXELS:
        raise failed(FailureCode.INVALID_INPUT, f"bfl paints at most {MOST_PIXELS} pixels; ask for a smaller size")
    body: dict[str, Any] = {"prompt": full_prompt(order), "width": width, "height": height}
    if order.seed is not None:
        body["seed"] = order.seed
    if order.format.lower() in FORMATS:
        body["output_format"] = order.format.lower()
    if order.input_image is not None:
        body["input_image"] = await as_base64(order.input_image)
    if order.wake_url:
        body["webhook_url"] = order.wake_url
    return body


def build(api_key: str, base_url: str, models: list[str]) -> Bfl:
    """Wire the adapter; a task's address may be that of another region of the same house."""
    sisters = (".bfl.ai",) if (urlsplit(base_url).hostname or "").endswith(".bfl.ai") else ()
    return Bfl(Api("bfl", base_url, headers={"x-key": api_key}, secrets=[api_key], sisters=sisters), models)
