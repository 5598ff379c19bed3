"""Send again: a test, one delivery, or all that an endpoint missed since a moment."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from contracts import webhooks
from contracts.events import as_utc
from contracts.ids import new_id
from services.notifier.queries import endpoints as queries
from services.notifier.store import deliveries
from services.notifier.store.endpoints import Endpoint
from services.notifier.usecases.manage_endpoints import EndpointConflict, no_address
from services.notifier.usecases.plan_deliveries import PlanDeliveries, Wish
from services.runtime.database import Pool

PAGE = 500
MOST_RECOVERED = 10_000


class SendAgain:
    """The use case behind the console's test, resend and recover."""

    def __init__(self, pool: Pool, planner: PlanDeliveries, wake: Callable[[], None]) -> None:
        self._pool = pool
        self._planner = planner
        self._wake = wake

    async def test(self, endpoint: Endpoint) -> str:
        """Send a test event and return its delivery's id; raises EndpointConflict."""
        _check_enabled(endpoint)
        if endpoint.per_job:
            raise no_address()
        delivery_id = new_id()
        now = datetime.now(UTC)
        body: dict[str, Any]
        if endpoint.dialect == "apprise":
            body = {"type": webhooks.TEST, "title": "Sorami", "message": "Test", "url": None}
        elif endpoint.dialect == "legacy":
            # A step of a job that nobody knows: the seeds' application logs it and changes nothing.
            body = {
                "job_id": f"test_{delivery_id}",
                "status": "initializing",
                "timestamp": as_utc(now),
                "message": "Test",
                "progress": 0,
            }
        else:
            data = {"endpoint_id": endpoint.id, "message": "A test of this webhook endpoint."}
            body = webhooks.payload(webhooks.TEST, now, data)
        planned = deliveries.NewDelivery(
            id=delivery_id,
            endpoint=endpoint.id,
            event_id=f"test/{delivery_id}",
            job_id=None,
            kind=None,
            seq=0,
            type=webhooks.TEST,
            payload=json.dumps(body),
        )
        await deliveries.plan(self._pool, [planned])
        self._wake()
        return delivery_id

    async def one(self, endpoint: Endpoint, delivery_id: str) -> bool:
        """Send one delivery again under its id; False when there is none. Raises EndpointConflict."""
        _check_enabled(endpoint)
        found = await deliveries.resend(self._pool, endpoint.id, delivery_id)
        self._wake()
        return found

    async def missed(self, endpoint: Endpoint, since: datetime) -> tuple[int, bool]:
        """Send what was given up, dropped or never planned since then; return how many, and whether more is left."""
        _check_enabled(endpoint)
        count = await deliveries.resend_missed(self._pool, endpoint.id, since, MOST_RECOVERED)
        position = (since, "")
        page = PAGE
        while count < MOST_RECOVERED and page == PAGE:
            found = await queries.missed(self._pool, endpoint.id, position, PAGE)
            page = len(found)
            if found:
                position = (found[-1][0], found[-1][1].job_id)
                count += await self._planner.plan(Wish(event, endpoint) for _, event in found)
        self._wake()
        return count, count >= MOST_RECOVERED


def _check_enabled(endpoint: Endpoint) -> None:
    if endpoint.state != "enabled":
        raise EndpointConflict("endpoint_disabled", "the endpoint is disabled; enable it first")
