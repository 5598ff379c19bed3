"""The seeds' Flask backend: gets our `job_id` and `user_id`, answers 200, and reports by its webhook to the gateway."""

import re
from typing import Any, Final

from contracts.kinds import KINDS
from contracts.legacy_steps import Steps
from contracts.offers import FLASK_MODEL
from services.generator.providers.base import Finished, Operation, Order, Running, Submitted, Traits
from services.generator.providers.remote.api import Api
from services.generator.providers.remote.failures import by_status
from services.generator.providers.remote.http_provider import HttpProvider
from services.runtime.logs import get_logger

_log = get_logger(part="flask backend")

MODEL: Final = FLASK_MODEL
HEARS_LATER_SECONDS: Final = 600.0
"""There is nothing to ask: the webhook ends the job, or its deadline."""
_ROUTE: Final = re.compile(r"/api/(images|videos)/generate$")


class FlaskBackend(HttpProvider):
    """Accepts orders of every kind; neither idempotent nor findable: L1-L6 have a create route and a webhook only."""

    name: str = "flask"
    traits = Traits()

    def at_once(self, order: Order) -> int:
        """All of them: the request has a count."""
        return order.count

    async def submit(self, order: Order, submit_key: str) -> Submitted:
        """Send the seeds' body; a backend that answers an id of its own is known by that one from then on."""
        kind = KINDS[order.kind]
        _log.info(Steps(kind).sent_to_backend, job_id=order.job_id)
        # Any 2xx is an acceptance: a backend of the seeds' need not answer JSON.
        answer = await self.api.submit(self.api.url(f"api/{kind.plural}/generate"), json=_body(order), needs_json=False)
        if not answer.ok:
            raise by_status(self.name, answer.status, answer.words, answer.headers)
        given = answer.at("job_id", default=answer.at("data", "job_id", default=answer.at("id")))
        name = given if isinstance(given, str) and 0 < len(given) <= 64 else order.job_id
        return Submitted(Operation(name, {"kind": order.kind, "foreign": name != order.job_id}), HEARS_LATER_SECONDS)

    async def poll(self, operation: Operation) -> Running | Finished:
        """Running, always."""
        return Running(HEARS_LATER_SECONDS)


def _body(order: Order) -> dict[str, Any]:
    kind = KINDS[order.kind]
    numbers = {number.name: getattr(order, number.name, None) for number in kind.numbers}
    body = {
        "prompt": order.prompt,
        "job_id": order.job_id,
        "user_id": order.user_id,
        "input_image_url": order.input_image_url,
        kind.count_field: order.count,
        "size": f"{order.width}x{order.height}",
        "format": order.format,
        "style": order.style,
        "quality": order.quality,
        **numbers,
    }
    return {name: value for name, value in body.items() if value is not None}


def build(base_url: str, token: str | None) -> FlaskBackend:
    """Wire the adapter; the address may be given with its route, as the seeds' sample has it."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    api = Api("flask", _ROUTE.sub("", base_url), headers=headers, secrets=[token] if token else [])
    return FlaskBackend(api, [MODEL])
