"""Judge endpoints: which fail, since when, which are called no more; their owners are told."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from contracts import webhooks
from contracts.cloudevents import Record, to_record
from contracts.events import NotificationRequested, as_utc
from contracts.ids import new_id
from contracts.notifications import (
    ABOUT_ENDPOINTS,
    WEBHOOK_ENDPOINT_DISABLED,
    WEBHOOK_ENDPOINT_FAILING,
    WEBHOOK_MESSAGE_EXHAUSTED,
    endpoint_notice,
    endpoint_words,
)
from services.notifier.queries import endpoints as queries
from services.notifier.store import deliveries, endpoints
from services.notifier.store.deliveries import Attempt, Delivery
from services.notifier.store.endpoints import Endpoint
from services.runtime.database import Connection, Pool, transaction
from services.runtime.logs import get_logger
from services.runtime.outbox import OutboxRow

NOTICED_AFTER = timedelta(hours=24)
DISABLED_AFTER = timedelta(hours=120)

_log = get_logger(part="endpoints")


class JudgeEndpoints:
    """Follows what receivers answer."""

    def __init__(
        self, pool: Pool, offer: Callable[[Sequence[OutboxRow]], None], clock: Callable[[], datetime] | None = None
    ) -> None:
        self._pool = pool
        self._offer = offer
        self._clock = clock or (lambda: datetime.now(UTC))

    async def healthy(self, endpoint: Endpoint) -> None:
        """Note that an endpoint took something; nothing is written when that is not new."""
        if endpoint.failing_since is not None:
            await self._pool.execute(endpoints.NOTE_HEALTHY, [endpoint.id])

    async def failing(self, endpoint: Endpoint, attempt: Attempt) -> None:
        """Note that an endpoint did not take something; 410 or five days of failures disable it."""
        if endpoint.per_job:
            # One job's address says nothing of another's.
            return
        if attempt.status_code == 410:
            await self._disable(endpoint, "gone")
        elif endpoint.failing_since is None:
            await self._pool.execute(endpoints.NOTE_FAILING, [endpoint.id])
        elif self._clock() - endpoint.failing_since > DISABLED_AFTER:
            await self._disable(endpoint, "failing")
        elif endpoint.noticed_at is None and self._clock() - endpoint.failing_since > NOTICED_AFTER:
            await self._notice_failing(endpoint)

    async def exhausted(self, endpoint: Endpoint, delivery: Delivery, attempt: Attempt) -> None:
        """Tell the owner that a message was given up: a notification a day, and word to the other endpoints."""
        now = self._clock()
        if delivery.type in (webhooks.ENDPOINT_FAILING, webhooks.ENDPOINT_DISABLED, webhooks.MESSAGE_EXHAUSTED):
            return
        data = {
            "endpoint_id": endpoint.id,
            "delivery_id": delivery.id,
            "webhook_id": webhooks.webhook_id(delivery.event_id),
            "type": delivery.type,
            "job_id": delivery.job_id,
            "url": delivery.url,
            "attempts": delivery.attempts,
            "status_code": attempt.status_code,
            "error": attempt.error,
        }
        async with transaction(self._pool) as connection:
            await self._tell_others(connection, endpoint, webhooks.MESSAGE_EXHAUSTED, delivery.id, data)
            rows = await self._notify(
                connection, endpoint, WEBHOOK_MESSAGE_EXHAUSTED, f"{now:%Y-%m-%d}", url=delivery.url
            )
        self._offer(rows)

    async def _disable(self, endpoint: Endpoint, reason: str) -> None:
        now = self._clock()
        data = {
            "endpoint_id": endpoint.id,
            "url": endpoint.url,
            "reason": reason,
            "failing_since": as_utc(endpoint.failing_since) if endpoint.failing_since else None,
        }
        async with transaction(self._pool) as connection:
            if await connection.fetchval(endpoints.DISABLE_ENDPOINT, endpoint.id, reason) is None:
                return
            await connection.execute(deliveries.DROP_PENDING, endpoint.id)
            occasion = now.isoformat()
            await self._tell_others(connection, endpoint, webhooks.ENDPOINT_DISABLED, f"{endpoint.id}/{occasion}", data)
            rows = await self._notify(connection, endpoint, WEBHOOK_ENDPOINT_DISABLED, occasion, reason=reason)
        _log.warning("a webhook endpoint is disabled", endpoint=endpoint.id, reason=reason)
        self._offer(rows)

    async def _notice_failing(self, endpoint: Endpoint) -> None:
        async with transaction(self._pool) as connection:
            if await connection.fetchval(endpoints.NOTE_NOTICED, endpoint.id) is None:
                return
            occasion = str(endpoint.failing_since)
            data = {
                "endpoint_id": endpoint.id,
                "url": endpoint.url,
                "failing_since": as_utc(endpoint.failing_since) if endpoint.failing_since else None,
            }
            await self._tell_others(connection, endpoint, webhooks.ENDPOINT_FAILING, f"{endpoint.id}/{occasion}", data)
            rows = await self._notify(connection, endpoint, WEBHOOK_ENDPOINT_FAILING, occasion)
        self._offer(rows)

    async def _notify(
        self,
        connection: Connection,
        endpoint: Endpoint,
        type_: str,
        occasion: str,
        *,
        reason: str | None = None,
        url: str | None = None,
    ) -> list[OutboxRow]:
        """Ask for a notification; the same occasion makes the same one."""
        host = _host(url or endpoint.url)
        notice = endpoint_notice(type_, host, reason)
        metadata: dict[str, Any] = {"endpointId": endpoint.id, "host": host}
        if reason:
            metadata["reason"] = reason
        event = NotificationRequested(
            job_id=endpoint.id,
            kind=ABOUT_ENDPOINTS,
            at=self._clock(),
            notification_id="n" + sha256(f"{type_}/{endpoint.id}/{occasion}".encode()).hexdigest()[:24],
            user_id=endpoint.owner_id,
            type=notice.type,
            title=notice.title,
            message=notice.message,
            metadata=metadata,
        )
        records: list[Record] = [to_record(event, service="notifier")]
        return await endpoints.put_events(connection, records)

    async def _tell_others(
        self, connection: Connection, endpoint: Endpoint, type_: str, occasion: str, data: dict[str, Any]
    ) -> None:
        """Plan word of this for the other endpoints of the same owner, each in its own words."""
        body = webhooks.payload(type_, self._clock(), data)
        words = endpoint_words(type_)
        others = [
            other
            for other in await queries.of_owner(connection, endpoint.owner_id)
            if other.id != endpoint.id
            and other.state == "enabled"
            and other.dialect != "legacy"
            and other.wants(type_, None)
        ]
        planned = []
        for other in others:
            told = body
            if other.dialect == "apprise" and words is not None:
                notice = endpoint_notice(
                    words, _host(data.get("url") or endpoint.url), data.get("reason"), other.language
                )
                told = webhooks.sentence(notice, type_)
            planned.append(
                deliveries.NewDelivery(
                    id=new_id(),
                    endpoint=other.id,
                    event_id=f"{type_}/{occasion}",
                    job_id=None,
                    kind=None,
                    seq=0,
                    type=type_,
                    payload=json.dumps(told, ensure_ascii=False),
                    digest=other.digest_seconds,
                )
            )
        await deliveries.plan(connection, planned)


def _host(url: str) -> str:
    """Return what an endpoint is called in a sentence: its host, or the service of a channel."""
    parts = urlsplit(url)
    return (parts.hostname if parts.scheme in ("http", "https") else parts.scheme) or ""
