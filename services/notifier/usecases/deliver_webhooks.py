"""Deliver webhooks: claim, send, settle. What was sent but not settled is sent again with the same content."""

import asyncio
import random
import time
from collections.abc import Mapping

import aiohttp

from contracts.legacy_webhook import SECRET_HEADER
from services.notifier import store
from services.notifier.usecases.plan_deliveries import PlanDeliveries, legacy_endpoint
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

SCHEDULE = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before the second, third, … attempt (Standard Webhooks 1.0); after the last the delivery is exhausted."""
SEND_SECONDS = 20.0
LEASE_SECONDS = 60.0
LOOK_EVERY = 5.0
SLOTS = 16
ANSWER_KEPT = 4_096

_log = get_logger(part="deliver")


class DeliverWebhooks:
    """The sender of one process."""

    def __init__(
        self, pool: Pool, session: aiohttp.ClientSession, legacy_urls: Mapping[str, str], secret: str | None
    ) -> None:
        self._pool = pool
        self._session = session
        self._urls = {legacy_endpoint(kind): url for kind, url in legacy_urls.items()}
        self._secret = secret
        self._wake = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._stopping = False

    def wake(self) -> None:
        """Look for due deliveries now."""
        self._wake.set()

    async def run(self, planner: PlanDeliveries) -> None:
        """Send what is due until stopped; nothing to do without an endpoint."""
        if not self._urls:
            return
        while not self._stopping:
            try:
                await self._send_due()
                if not self._wake.is_set():
                    await planner.recover()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("deliveries cannot be claimed now", error=type(error).__name__)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                continue
            finally:
                self._wake.clear()

    async def _send_due(self) -> None:
        free = SLOTS - len(self._sending)
        if free <= 0:
            return
        for delivery in await store.claim(self._pool, free, LEASE_SECONDS):
            task = asyncio.create_task(self._deliver(delivery))
            self._sending.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._sending.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # The lease runs out and the delivery is sent again.
            _log.warning("a delivery could not be settled", error=type(task.exception()).__name__)
        self._wake.set()

    async def _deliver(self, delivery: store.Delivery) -> None:
        url = self._urls.get(delivery.endpoint)
        if url is None:
            attempt = store.Attempt(None, "no address is configured for this endpoint", 0, None)
            await store.settle(self._pool, delivery, "exhausted", 0, attempt)
            return
        _log.info("sending webhook", job_id=delivery.job_id, endpoint=delivery.endpoint, attempt=delivery.attempts)
        attempt = await self._send(url, delivery)
        state, pause = _verdict(attempt, delivery.attempts)
        await store.settle(self._pool, delivery, state, pause, attempt)
        _log.info(
            "webhook sent",
            job_id=delivery.job_id,
            status=attempt.status_code,
            state=state,
            ms=attempt.duration_ms,
        )

    async def _send(self, url: str, delivery: store.Delivery) -> store.Attempt:
        headers = {"webhook-id": delivery.event_id}
        if self._secret:
            headers[SECRET_HEADER] = self._secret
        began = time.perf_counter()
        status: int | None = None
        error: str | None = None
        answer: str | None = None
        try:
            async with self._session.post(
                url,
                json=delivery.payload,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=SEND_SECONDS),
            ) as response:
                status = response.status
                answer = (await response.content.read(ANSWER_KEPT)).decode("utf-8", "replace").replace("\x00", "")
        except TimeoutError:
            error = f"no answer within {SEND_SECONDS:g} seconds"
        except (aiohttp.ClientError, OSError) as failure:
            error = type(failure).__name__
        return store.Attempt(status, error, int((time.perf_counter() - began) * 1000), answer)

    async def stop(self) -> None:
        """Claim nothing more and finish what is being sent."""
        self._stopping = True
        self._wake.set()
        if self._sending:
            await asyncio.wait(self._sending, timeout=10)


def _verdict(attempt: store.Attempt, attempts: int) -> tuple[str, float]:
    if attempt.status_code is not None and 200 <= attempt.status_code < 300:
        return "delivered", 0
    if attempts > len(SCHEDULE):
        return "exhausted", 0
    # Spread by a fifth, so that receivers that come back are not met by all senders at once.
    return "pending", SCHEDULE[attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
