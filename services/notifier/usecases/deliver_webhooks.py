"""Deliver webhooks: claim, send, settle. What was sent but not settled is sent again with the same id and content."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from contracts.legacy_steps import sending, sent
from contracts.legacy_webhook import SECRET_HEADER
from contracts.webhooks import digest_of, webhook_id
from services.notifier.channels.apprise import AppriseChannels
from services.notifier.channels.signatures import SHARED, Secret, signature
from services.notifier.channels.webhooks import Outgoing, WebhookSender
from services.notifier.metrics import FIRST_ATTEMPT_LATE, SENDING, SENDING_BOUND, SETTLED, count_attempt
from services.notifier.queries import endpoints as queries
from services.notifier.store import deliveries as store
from services.notifier.store.deliveries import Attempt, Delivery, Settlement
from services.notifier.store.endpoints import Endpoint, take_turns
from services.notifier.usecases.judge_endpoints import JudgeEndpoints
from services.notifier.usecases.plan_deliveries import PlanDeliveries, legacy_endpoint
from services.notifier.usecases.seal_secrets import open_headers, open_secrets, reseal
from services.runtime.database import Pool, is_transient
from services.runtime.failpoints import reach
from services.runtime.group_commit import GroupCommit
from services.runtime.logs import get_logger
from services.runtime.sealing import SealBroken, Sealer
from services.runtime.tracing import span

SCHEDULE = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before the second, third, … attempt (Standard Webhooks 1.0); after the last the delivery is exhausted."""
LONGEST_PAUSE = 86_400.0
"""The most a receiver may ask for by Retry-After."""
LOOK_EVERY = 5.0
ASK_EVERY = 0.25
SLOTS = 1024
ROOM = 64
"""What one endpoint may have under way in this process; a failing one has less, so that all of them find slots."""
ROOM_FAILING = 2
GATHER_SECONDS = 0.004
GATHER_FROM = 8
"""Attempts that ended since the last claim: from so many on, more are about to, and one claim serves them together."""
SEALED_PAUSE = 300.0
RESEAL_EVERY = 3_600.0

_log = get_logger(part="deliver")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a delivery goes and how it is proved; `endpoint` is None for an address in the operator's settings."""

    endpoint: Endpoint | None = None
    url: str = ""
    secrets: Sequence[Secret] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    sealed: bool = False
    """Whether no key of ours opens its secrets."""

    @property
    def dialect(self) -> str:
        """How it is spoken to."""
        return self.endpoint.dialect if self.endpoint is not None else "legacy"

    @property
    def is_free(self) -> bool:
        """Whether nothing of its own keeps its deliveries waiting."""
        endpoint = self.endpoint
        return endpoint is None or not (endpoint.failing_since or endpoint.throttle_per_second or endpoint.ordered)

    @property
    def is_channel(self) -> bool:
        """Whether people are told here, in sentences."""
        return self.endpoint is not None and self.endpoint.dialect == "apprise"


def operators_own(legacy_urls: Mapping[str, str], secret: str | None) -> dict[str, Receiver]:
    """Return the receivers in the operator's settings, by the names of their endpoints."""
    shared = [Secret(SHARED, secret.encode())] if secret else []
    return {legacy_endpoint(kind): Receiver(url=url, secrets=shared) for kind, url in legacy_urls.items()}


class DeliverWebhooks:
    """The sender of one process."""

    def __init__(
        self,
        pool: Pool,
        sender: WebhookSender,
        judge: JudgeEndpoints,
        sealer: Sealer | None,
        channels: AppriseChannels,
        *,
        operators: Mapping[str, Receiver],
        send_seconds: float,
    ) -> None:
        self._pool = pool
        self._sender = sender
        self._judge = judge
        self._sealer = sealer
        self._channels = channels
        self._operators = operators
        # Long enough for a turn of a throttled endpoint and an attempt; then another process takes over.
        self._lease_seconds = 2 * send_seconds + 5
        self._settling: GroupCommit[Settlement, bool] = GroupCommit(
            lambda group: store.settle(pool, group), is_retryable=is_transient, name="settlements"
        )
        self._wake = asyncio.Event()
        self._busy: Counter[str] = Counter()
        self._sending: set[asyncio.Task[None]] = set()
        self._ended = 0
        self._stopping = False
        self._ask_at = 0.0
        self._recover_at = 0.0
        self._reseal_at = 0.0

    def measure(self) -> None:
        """Bring the gauges of what is being sent up to date."""
        SENDING.set(sum(self._busy.values()))
        SENDING_BOUND.set(SLOTS)

    def wake(self) -> None:
        """Look for due deliveries now."""
        self._wake.set()

    async def run(self, planner: PlanDeliveries) -> None:
        """Send what is due until stopped."""
        while not self._stopping:
            pause = LOOK_EVERY
            try:
                await self._send_due()
                if not self._wake.is_set():
                    pause = await self._pause()
                await self._look_after(planner)
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("deliveries cannot be claimed now", error=type(error).__name__)
            try:
                async with asyncio.timeout(max(pause, 0.01)):
                    await self._wake.wait()
            except TimeoutError:
                continue
            finally:
                self._wake.clear()
            if self._ended >= GATHER_FROM:
                await asyncio.sleep(GATHER_SECONDS)

    async def stop(self) -> None:
        """Claim nothing more and finish what is being sent; what is not done in time is sent again by another."""
        self._stopping = True
        self._wake.set()
        if self._sending:
            await asyncio.wait(self._sending, timeout=10)
        await self._settling.close()

    async def _send_due(self) -> None:
        self._ended = 0
        free = SLOTS - len(self._sending)
        if free <= 0:
            return
        claimed = await store.claim(
            self._pool, free, self._lease_seconds, room=ROOM, room_failing=ROOM_FAILING, busy=self._busy
        )
        if not claimed:
            return
        # Signed with the database's time: a machine whose clock is wrong still sends what receivers take.
        ahead = claimed[0].now - time.time()
        grouped = store.by_endpoint(claimed)
        receivers = await self._receivers(grouped)
        for name, deliveries in grouped.items():
            receiver = receivers.get(name)
            if receiver is not None and receiver.is_channel:
                self._start(self._deliver_together(deliveries, receiver), name, len(deliveries))
                continue
            turns = await self._turns(receiver, len(deliveries))
            for delivery, wait in zip(deliveries, turns, strict=True):
                self._start(self._deliver(delivery, receiver, wait, ahead), name, 1)

    def _start(self, sending: Coroutine[Any, Any, None], name: str, count: int) -> None:
        self._busy[name] += count
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(lambda done: self._done(done, name, count))

    async def _receivers(self, names: Mapping[str, Any]) -> dict[str, Receiver]:
        found = {name: self._operators[name] for name in names if name in self._operators}
        others = [name for name in names if not name.startswith(legacy_endpoint(""))]
        if not others:
            return found
        endpoints = await queries.by_ids(self._pool, others)
        sealed = await queries.valid_secrets(self._pool, others)
        for name, endpoint in endpoints.items():
            try:
                if self._sealer is None:
                    raise SealBroken("no key is configured")
                secrets = open_secrets(self._sealer, sealed.get(name, []))
                found[name] = Receiver(endpoint, endpoint.url, secrets, open_headers(self._sealer, endpoint))
            except SealBroken as error:
                _log.error("a secret cannot be opened; see SORAMI_ENCRYPTION_KEYS", endpoint=name, reason=str(error))
                found[name] = Receiver(endpoint, sealed=True)
        return found

    async def _turns(self, receiver: Receiver | None, count: int) -> list[float]:
        """Return how many seconds each delivery waits for its turn."""
        rate = receiver.endpoint.throttle_per_second if receiver and receiver.endpoint else None
        if receiver is None or receiver.endpoint is None or rate is None:
            return [0.0] * count
        first = await take_turns(self._pool, receiver.endpoint.id, count)
        return [first + place / rate for place in range(count)]

    def _done(self, task: "asyncio.Task[None]", name: str, count: int) -> None:
        self._sending.discard(task)
        self._ended += count
        self._busy[name] -= count
        if not self._busy[name]:
            del self._busy[name]
        if not task.cancelled() and task.exception() is not None:
            # The lease runs out and the delivery is sent again.
            _log.warning("a delivery could not be settled", error=type(task.exception()).__name__)
        self._wake.set()

    async def _deliver(self, delivery: Delivery, receiver: Receiver | None, wait: float, ahead: float) -> None:
        if receiver is None:
            attempt = Attempt(None, "no address is configured for this endpoint", 0, None)
            await self._settling.submit(Settlement(delivery, "exhausted", 0, attempt))
            return
        if receiver.sealed:
            await store.put_off(self._pool, delivery, SEALED_PAUSE)
            return
        if wait:
            await asyncio.sleep(wait)
        if delivery.tries == 1 and receiver.is_free:
            FIRST_ATTEMPT_LATE.observe(max(0.0, delivery.late))
        with span("deliver webhook", delivery.traceparent, kind="client", attributes={"sorami.key": delivery.job_id}):
            attempt = await self._send(delivery, receiver, int(time.time() + ahead))
        reach("wh.after_post")
        gives_up = receiver.endpoint is not None and receiver.endpoint.per_job and attempt.status_code == 410
        state, pause = ("exhausted", 0.0) if gives_up else _verdict(attempt, delivery.tries)
        settled = await self._settling.submit(Settlement(delivery, state, pause, attempt))
        if settled:
            SETTLED.labels(receiver.dialect, state).inc()
        if settled and receiver.endpoint is not None:
            await self._follow(receiver.endpoint, delivery, attempt, state)

    async def _deliver_together(self, deliveries: Sequence[Delivery], receiver: Receiver) -> None:
        """Tell people in one message what several deliveries say; all of them fare as it does."""
        address = next((secret.shown for secret in receiver.secrets), None)
        if receiver.endpoint is None or address is None:
            for delivery in deliveries:
                await store.put_off(self._pool, delivery, SEALED_PAUSE)
            return
        sentences = [json.loads(delivery.payload) for delivery in deliveries]
        attempt = await self._channels.send(address, *digest_of(sentences, receiver.endpoint.language))
        # One pause and one statement for all, so that they are due at one moment and stay together.
        state, pause = _verdict(attempt, max(delivery.tries for delivery in deliveries))
        count_attempt(receiver.dialect, attempt.status_code, attempt.duration_ms / 1000)
        settled = await store.settle(self._pool, [Settlement(one, state, pause, attempt) for one in deliveries])
        SETTLED.labels(receiver.dialect, state).inc(sum(settled))
        if any(settled):
            await self._follow(receiver.endpoint, deliveries[-1], attempt, state)

    async def _send(self, delivery: Delivery, receiver: Receiver, timestamp: int) -> Attempt:
        reach("wh.before_post")
        request = _outgoing(delivery, receiver, timestamp)
        if receiver.endpoint is not None and receiver.endpoint.dialect == "standard":
            attempt = await self._sender.send(request)
        else:
            _log.info(sending(delivery.job_id or delivery.id, _host(request.url)))
            attempt = await self._sender.send(request)
            if attempt.taken:
                _log.info(sent(attempt.status_code), job_id=delivery.job_id)
        count_attempt(receiver.dialect, attempt.status_code, attempt.duration_ms / 1000)
        if not attempt.taken:
            _log.info(
                "webhook not taken",
                job_id=delivery.job_id,
                endpoint=delivery.endpoint,
                attempt=delivery.attempts,
                status=attempt.status_code,
                error=attempt.error,
            )
        return attempt

    async def _follow(self, endpoint: Endpoint, delivery: Delivery, attempt: Attempt, state: str) -> None:
        if attempt.taken:
            await self._judge.healthy(endpoint)
            return
        await self._judge.failing(endpoint, attempt)
        if state == "exhausted":
            await self._judge.exhausted(endpoint, delivery, attempt)
        self._wake.set()

    async def _pause(self) -> float:
        """Return the seconds until something is due; not asked for at every turn while much is being sent."""
        if self._sending and time.monotonic() < self._ask_at:
            return ASK_EVERY
        self._ask_at = time.monotonic() + ASK_EVERY
        return min(LOOK_EVERY, await store.next_due(self._pool) or LOOK_EVERY)

    async def _look_after(self, planner: PlanDeliveries) -> None:
        if time.monotonic() < self._recover_at:
            return
        self._recover_at = time.monotonic() + LOOK_EVERY
        await planner.recover()
        if time.monotonic() < self._reseal_at:
            return
        self._reseal_at = time.monotonic() + RESEAL_EVERY
        while self._sealer is not None and await reseal(self._pool, self._sealer):
            pass


def _host(url: str) -> str:
    # A path or a query may hold a token of the receiver's; logs hold none.
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _outgoing(delivery: Delivery, receiver: Receiver, timestamp: int) -> Outgoing:
    body = delivery.payload.encode()
    name = webhook_id(delivery.event_id)
    headers = {**receiver.headers, "webhook-id": name, "webhook-timestamp": str(timestamp)}
    signed = signature(receiver.secrets, name, timestamp, body)
    if signed:
        headers["webhook-signature"] = signed
    shared = next((secret for secret in receiver.secrets if secret.scheme == SHARED), None)
    if shared is not None:
        headers[SECRET_HEADER] = shared.shown
    url = delivery.url or (receiver.endpoint.url_for(delivery.kind) if receiver.endpoint else receiver.url)
    return Outgoing(url, body, headers, trusted=receiver.endpoint is None)


def _verdict(attempt: Attempt, tries: int) -> tuple[str, float]:
    if attempt.taken:
        return "delivered", 0
    if tries > len(SCHEDULE):
        return "exhausted", 0
    base = float(SCHEDULE[tries - 1])
    if attempt.retry_after is not None:
        # Never sooner than planned, never later than a day, whatever the receiver asks for.
        return "pending", min(max(base, attempt.retry_after), LONGEST_PAUSE)
    # Spread by a fifth, so that receivers that come back are not met by all senders at once.
    return "pending", base * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
