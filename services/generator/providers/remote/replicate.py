"""Replicate: predictions, found again by their input, cancelled by id; a webhook only wakes us."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from contracts.failures import FailureCode
from contracts.provider_settings import REPLICATE_INPUT, TemplatedModel
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
from services.generator.providers.remote.api import SUBMIT_SECONDS, Answer, Api, dig
from services.generator.providers.remote.failures import OUTPUT, by_status, failed, filtered, pause, unknown_outcome
from services.generator.providers.remote.http_provider import HttpProvider
from services.generator.providers.remote.orders import any_seed, template_values
from services.generator.providers.remote.outcomes import addresses, data_url, finish, metadata, refs, upload

_RUNNING: Final = ("starting", "processing")
_OVER: Final = ("failed", "canceled", "aborted")
MOST_DATA_URL_BYTES: Final = 190_000
"""Replicate takes data URLs of 256 kB; base64 makes a third more of a file."""
KEPT: Final = timedelta(minutes=50)
"""How long after a submit its prediction can be compared with it: inputs are deleted after an hour."""
MOST_PAGES: Final = 10
LEAST_LIFETIME: Final = 5
"""Seconds; Replicate refuses a shorter `Cancel-After`."""
MOST_LIFETIME: Final = 86_400


class Replicate(HttpProvider):
    """Models of Replicate."""

    name: str = "replicate"
    traits = Traits(findable=True, cancellable=True)

    def __init__(self, api: Api, models: Mapping[str, TemplatedModel], *, wait_seconds: int = 0) -> None:
        super().__init__(api, list(models))
        self._models = models
        self._wait_seconds = wait_seconds

    def at_once(self, order: Order) -> int:
        """All when the model's input has a count, else one."""
        return order.count if "count" in fields_in(self._input(order)) else 1

    async def submit(self, order: Order, submit_key: str) -> Submitted | Finished:
        """Create a prediction; where the operator allows to wait for it, the answer may be the result."""
        model = self._models[self.model_of(order)]
        body: dict[str, Any] = {"input": self._given(order, submit_key, await self._image(order))}
        if order.wake_url and order.wake_url.startswith("https://"):
            body |= {"webhook": order.wake_url, "webhook_events_filter": ["completed"]}
        path = f"models/{quote(model.id)}/predictions"
        if ":" in model.id:
            path, body["version"] = "predictions", model.id.partition(":")[2]
        answer = await self.api.submit(self.api.url(path), json=body, headers=self._headers(order))
        if not answer.ok:
            raise self._refused(answer)
        return self._accepted(order, answer.body, answer)

    async def poll(self, operation: Operation) -> Running | Finished:
        """Ask for the prediction."""
        answer = await self.look(self.api.url(f"predictions/{quote(operation.id, safe='')}"))
        if isinstance(answer, Running):
            return answer
        if answer.status == 404:
            raise self.vanished(answer)
        if not answer.ok:
            return self.troubled(answer)
        status = answer.at("status")
        if status in _OVER:
            raise self._ended(answer)
        return self._read(operation, answer) if status == "succeeded" else self.still_running(status, _RUNNING)

    async def find(self, order: Order, submit_key: str, since: datetime) -> Submitted | None:
        """Look for a prediction with this very input among those made since; its seed makes it ours."""
        if datetime.now(UTC) - since > KEPT:
            raise unknown_outcome("replicate has deleted by now what the request could be told by")
        template = self._input(order)
        wanted = self._given(order, submit_key, None)
        wanted.update({name: None for name, item in template.items() if "input_image" in fields_in(item)})
        url: str | None = self.api.url("predictions") + "?" + urlencode({"created_after": since.isoformat()})
        for _ in range(MOST_PAGES):
            answer = await self.api.ask("GET", self.api.own(url))
            if not answer.ok:
                raise by_status(self.name, answer.status, answer.words, answer.headers)
            alike = [item for item in answer.list_at("results") if _is_alike(item, wanted, since)]
            if alike and "seed" not in fields_in(template):
                raise unknown_outcome("replicate has a like request, and nothing tells whose it is")
            if alike:
                return self._submitted(order, str(alike[0]["id"]))
            if (url := answer.at("next")) is None:
                return None
        raise unknown_outcome("replicate has too many predictions to look through")

    async def cancel(self, operation: Operation) -> bool:
        """Cancel a prediction."""
        try:
            answer = await self.api.ask("POST", self.api.url(f"predictions/{quote(operation.id, safe='')}/cancel"))
        except ProviderFailed:
            return False
        return answer.ok and answer.at("status") != "succeeded"

    def _input(self, order: Order) -> dict[str, Any]:
        model = self._models.get(order.model)
        return REPLICATE_INPUT if model is None or model.input is None else model.input

    def _given(self, order: Order, submit_key: str, image: str | None) -> dict[str, Any]:
        values = template_values(order, seed=any_seed(order, submit_key), input_image=image)
        filled: dict[str, Any] = fill(self._input(order), values)
        return filled

    def _headers(self, order: Order) -> dict[str, str]:
        headers = {"Prefer": f"wait={self._wait_seconds}"} if self._wait_seconds else {}
        if order.lifetime_seconds is not None:
            seconds = int(min(max(order.lifetime_seconds, LEAST_LIFETIME), MOST_LIFETIME))
            headers["Cancel-After"] = f"{seconds}s"
        return headers

    async def _image(self, order: Order) -> str | None:
        """A small input image goes along, a large one is uploaded first, which costs nothing."""
        if order.input_image is None:
            return None
        if order.input_image.stat().st_size <= MOST_DATA_URL_BYTES:
            return await data_url(order.input_image)
        source = await upload(order.input_image)
        answer = await self.api.ask("POST", self.api.url("files"), files={"content": source})
        url = answer.at("urls", "get")
        if not answer.ok or not isinstance(url, str):
            raise by_status(self.name, answer.status, answer.words, answer.headers)
        return url

    def _accepted(self, order: Order, prediction: Any, answer: Answer) -> Submitted | Finished:
        name = dig(prediction, "id")
        if not isinstance(name, str):
            raise unknown_outcome("replicate accepted the request and named no prediction", words=answer.words)
        submitted = self._submitted(order, name)
        if dig(prediction, "status") == "succeeded":
            return self._read(submitted.operation, answer)
        return submitted

    def _submitted(self, order: Order, name: str) -> Submitted:
        state = {"kind": order.kind, "model": order.model, "asked": order.count}
        return Submitted(Operation(name, state), self.poll_every)

    def _read(self, operation: Operation, answer: Answer) -> Finished:
        urls = addresses(answer.at("output"))
        if not urls and answer.at("data_removed") is True:
            message = "replicate has deleted the output already"
            raise failed(FailureCode.PROVIDER_ERROR, message, charged="yes", retryable=False)
        kind, asked = str(operation.state["kind"]), int(operation.state["asked"])
        # The one place where a model says that its checker took some away.
        withheld = ["NSFW content detected"] if "NSFW" in str(answer.at("logs", default="")) else []
        about = metadata(str(operation.state["model"]), seconds=answer.at("metrics", "predict_time"))
        return finish(self.name, refs(kind, urls), asked=asked, about=about, withheld=withheld, no_media_charged="yes")

    def _ended(self, answer: Answer) -> ProviderFailed:
        status, words = answer.at("status"), self.api.scrub(str(answer.at("error", default="")))
        if status == "aborted":
            return failed(FailureCode.TIMEOUT, "replicate did not start in time", words=words)
        if status == "canceled":
            return failed(
                FailureCode.TIMEOUT, "replicate stopped the prediction", words=words, charged="yes", retryable=False
            )
        if "flagged as sensitive" in words or "E005" in words or "NSFW" in words:
            reasons = [mark for mark in ("E005", "NSFW") if mark in words] or ["flagged as sensitive"]
            return filtered("replicate's model refused", words=words, stage=OUTPUT, reasons=reasons)
        if "E1001" in words:
            message = "the request needs more memory than the model has; ask for less"
            return failed(FailureCode.INVALID_INPUT, message, words=words, charged="unknown")
        # It may pass the second time, and may have been charged the first: a person decides.
        return failed(
            FailureCode.PROVIDER_ERROR, "the prediction failed", words=words, charged="unknown", retryable=False
        )

    def _refused(self, answer: Answer) -> ProviderFailed:
        typed = by_status(self.name, answer.status, answer.words, answer.headers)
        return ProviderFailed(typed.failure, retry_after=typed.retry_after or pause({}, answer.words))


def _is_alike(item: Any, wanted: Mapping[str, Any], since: datetime) -> bool:
    """Tell whether a prediction has our input; what is None here cannot be compared."""
    given = dig(item, "input", default={})
    try:
        made = datetime.fromisoformat(str(dig(item, "created_at", default="")).replace("Z", "+00:00"))
    except ValueError:
        return False
    return made >= since and all(value is None or dig(given, name) == value for name, value in wanted.items())


def build(token: str, base_url: str, models: Mapping[str, TemplatedModel], *, wait_seconds: int) -> Replicate:
    """Wire the adapter."""
    api = Api(
        "replicate",
        base_url,
        headers={"Authorization": f"Bearer {token}"},
        secrets=[token],
        submit_seconds=SUBMIT_SECONDS + wait_seconds,
    )
    return Replicate(api, models, wait_seconds=wait_seconds)
