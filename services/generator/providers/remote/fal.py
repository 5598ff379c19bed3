"""fal's queue: submit, status, result and cancel at the addresses it names; a failure is COMPLETED there too."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from contracts.failures import Charged, FailureCode
from contracts.provider_settings import IMAGE_INPUT, TemplatedModel
from contracts.request_templates import fields_in, fill
from services.generator.providers.base import (
    Finished,
    Operation,
    Order,
    ProviderFailed,
    Running,
    Submitted,
    Traits,
)
from services.generator.providers.remote.api import Answer, Api, dig
from services.generator.providers.remote.failures import (
    INPUT_PROMPT,
    OUTPUT,
    by_status,
    failed,
    filtered,
    unknown_outcome,
)
from services.generator.providers.remote.http_provider import HttpProvider
from services.generator.providers.remote.orders import template_values
from services.generator.providers.remote.outcomes import addresses, data_url, finish, metadata, refs

_RUNNING: Final = ("IN_QUEUE", "IN_PROGRESS")
_PLACES: Final = {"image": ("images", "image"), "video": ("videos", "video")}
# error_type of a request that ended without a result: code, may it be submitted again. 5xx are not billed.
_ENDED: Final = {
    "request_timeout": (FailureCode.TIMEOUT, True),
    "startup_timeout": (FailureCode.TIMEOUT, True),
    "generation_timeout": (FailureCode.TIMEOUT, True),
    "downstream_service_error": (FailureCode.PROVIDER_ERROR, True),
    "internal_error": (FailureCode.PROVIDER_ERROR, True),
    "client_cancelled": (FailureCode.CANCELLED, False),
    "concurrent_requests_limit": (FailureCode.RATE_LIMITED, True),
}


class Fal(HttpProvider):
    """Models of fal; our id has no place there, so that a lost submit cannot be found."""

    name: str = "fal"
    traits = Traits(cancellable=True)

    def __init__(self, api: Api, models: Mapping[str, TemplatedModel]) -> None:
        super().__init__(api, list(models))
        self._models = models

    def at_once(self, order: Order) -> int:
        """All when the model's input has a count, else one."""
        return order.count if "count" in fields_in(self._input(order)) else 1

    async def submit(self, order: Order, submit_key: str) -> Submitted:
        """Queue a request."""
        model = self._models[self.model_of(order)]
        image = await data_url(order.input_image) if order.input_image else None
        body = fill(self._input(order), template_values(order, seed=order.seed, input_image=image))
        query = "?" + urlencode({"fal_webhook": order.wake_url}) if order.wake_url else ""
        headers = {"X-Fal-Request-Timeout": str(int(order.lifetime_seconds))} if order.lifetime_seconds else {}
        answer = await self.api.submit(self.api.url(model.id) + query, json=body, headers=headers)
        if not answer.ok:
            raise self._failure(answer, submit=True)
        request_id = answer.at("request_id")
        if not isinstance(request_id, str):
            raise unknown_outcome("fal accepted the request and named no id", words=answer.words)
        return Submitted(Operation(request_id, self._state(order, model, answer)), self.poll_every)

    async def poll(self, operation: Operation) -> Running | Finished:
        """Ask for the status, then for the result."""
        status = await self.look(self.api.own(operation.state["status_url"]))
        if isinstance(status, Running):
            return status
        if status.status == 404:
            raise self.vanished(status)
        if not status.ok:
            return self.troubled(status)
        told = status.at("status")
        if told != "COMPLETED":
            return self.still_running(told, _RUNNING)
        if kind := status.at("error_type"):
            raise self._by_type(str(kind), status)
        result = await self.look(self.api.own(operation.state["response_url"]))
        if isinstance(result, Running):
            return result
        if result.status == 400 and "in progress" in result.words:
            return Running(self.poll_every)
        if not result.ok:
            raise self._failure(result)
        return self._read(operation, result)

    async def cancel(self, operation: Operation) -> bool:
        """Ask to cancel; it may complete all the same."""
        try:
            answer = await self.api.ask("PUT", self.api.own(operation.state["cancel_url"]))
        except ProviderFailed:
            return False
        return answer.status == 202 or answer.at("status") == "CANCELLATION_REQUESTED"

    def _input(self, order: Order) -> dict[str, Any]:
        model = self._models.get(order.model)
        return IMAGE_INPUT if model is None or model.input is None else model.input

    def _state(self, order: Order, model: TemplatedModel, answer: Answer) -> dict[str, Any]:
        # Only owner and app stay in the addresses, whatever path the model has.
        usual = self.api.url("/".join(model.id.split("/")[:2]) + f"/requests/{answer.at('request_id')}")
        return {
            "model": order.model,
            "kind": order.kind,
            "asked": order.count,
            "status_url": answer.at("status_url", default=f"{usual}/status"),
            "response_url": answer.at("response_url", default=usual),
            "cancel_url": answer.at("cancel_url", default=f"{usual}/cancel"),
        }

    def _read(self, operation: Operation, result: Answer) -> Finished:
        kind = str(operation.state["kind"])
        found = [item for place in _PLACES[kind] for item in _as_list(result.at(place))]
        flags = result.list_at("has_nsfw_concepts")
        # A flagged picture comes as a black one.
        clean = [item for n, item in enumerate(found) if dig(flags, n) is not True]
        withheld = ["has_nsfw_concepts"] * (len(found) - len(clean))
        about = metadata(str(operation.state["model"]), seed=result.at("seed"))
        media = refs(kind, addresses(clean))
        return finish(self.name, media, asked=int(operation.state["asked"]), about=about, withheld=withheld)

    def _failure(self, answer: Answer, *, submit: bool = False) -> ProviderFailed:
        kinds = {str(dig(item, "type", default="")) for item in _as_list(answer.at("detail"))}
        words = self.api.scrub("; ".join(_messages(answer)) or answer.words)
        charged: Charged = "no" if submit else "unknown"
        if "content_policy_violation" in kinds:
            stage = INPUT_PROMPT if _place(answer) == "prompt" else OUTPUT
            reasons = ["content_policy_violation"]
            return filtered("fal's content checker refused", words=words, stage=stage, reasons=reasons)
        if "no_media_generated" in kinds:
            return failed(FailureCode.NO_MEDIA, "fal's model made nothing", words=words, stage=OUTPUT)
        if kind := answer.at("error_type"):
            return self._by_type(str(kind), answer)
        typed = by_status(self.name, answer.status, words, answer.headers)
        if answer.status == 422:
            typed = failed(typed.failure.code, typed.failure.message, words=words, charged=charged)
        return typed

    def _by_type(self, kind: str, answer: Answer) -> ProviderFailed:
        usual = (FailureCode.OVERLOADED, True) if kind.startswith("runner_") else (FailureCode.PROVIDER_ERROR, False)
        code, retryable = _ENDED.get(kind, usual)
        typed = by_status(self.name, answer.status, answer.words, answer.headers)
        return failed(
            code,
            f"fal ended the request: {self.api.scrub(kind)}",
            words=self.api.scrub(str(answer.at("detail", default=answer.at("error", default=kind)))),
            retryable=retryable,
            retry_after=typed.retry_after,
        )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _messages(answer: Answer) -> list[str]:
    return [text for item in _as_list(answer.at("detail")) if isinstance(text := dig(item, "msg"), str)]


def _place(answer: Answer) -> Any:
    """The last part of the place that the first error names, e.g. `prompt`."""
    return dig(_as_list(answer.at("detail")), 0, "loc", -1)


def build(key: str, base_url: str, models: Mapping[str, TemplatedModel]) -> Fal:
    """Wire the adapter."""
    return Fal(Api("fal", base_url, headers={"Authorization": f"Key {key}"}, secrets=[key]), models)
