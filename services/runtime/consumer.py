"""Batches from Kafka: each record is judged on its own, a batch is one use case, offsets are committed after it."""

import asyncio
import dataclasses
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from services.runtime.broker import connection_options, until_reachable
from services.runtime.database import is_transient
from services.runtime.logs import get_logger
from services.runtime.metrics import BATCH_SECONDS, LAG, PARTITIONS, RECORD_AGE, RECORDS
from services.runtime.pace import Pace
from services.runtime.settings import RuntimeSettings
from services.runtime.tracing import is_tracing, keep_spans

MOST_RECORDS = 500
PATIENCE = 60.0
"""Seconds a batch is tried again inside its handler while the database is away; far below max_poll_interval (300 s)."""
ACK_TIMEOUT = 10.0
PAUSE_BEFORE_READING_AGAIN = 1.0
LOOK_EVERY = 5.0
PACE = 0.01
"""Seconds from one batch to the next while they come all the time: a batch costs as much as twenty of its records."""

_log = get_logger(part="consumer")


@dataclass(frozen=True, slots=True)
class Received:
    """A record as it came: the topic without prefix, its place, tolerant headers, and its time (Unix seconds)."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record that could be read, with the event it carries."""

    event: Any
    record: Received


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot be handled, and why: a stable code and where it is wrong."""

    record: Received
    reason: str
    detail: str


class ConsumerDied(Exception):
    """A consumer ended by itself; the process ends too, so that its supervisor starts a whole one."""


class Unreadable(Protocol):
    """What a reader returns for a record it refuses."""

    reason: str
    detail: str


METADATA_MS = 20_000
"""How long a topic that was deleted and made again goes unheard; aiokafka's own five minutes are long for a mistake."""

Read = Callable[[Received], Any]
"""Turns a record into an event, or returns an exception that shows `reason` and `detail`."""
Handle = Callable[[Sequence[Incoming]], Awaitable[None]]
Bury = Callable[[Sequence[DeadLetter]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """Which topics (named without prefix) go to which handler.

    `judges` is False where another service reads the same records: what nobody can read becomes one dead letter.
    """

    topics: tuple[str, ...]
    handle: Handle
    judges: bool = True


def build_broker(settings: RuntimeSettings, service: str) -> KafkaBroker:
    """Build the broker of a service; it connects when it is started."""
    options = connection_options(settings)
    options.pop("security_protocol")
    return KafkaBroker(
        options.pop("bootstrap_servers"),
        security=_faststream_security(settings),
        client_id=f"sorami-{service}",
        apply_types=False,
        allow_auto_create_topics=False,
        metadata_max_age_ms=METADATA_MS,
        graceful_timeout=10.0,
        logger=None,
    )


def _faststream_security(settings: RuntimeSettings) -> Any:
    from faststream import security

    if settings.kafka_security_protocol == "PLAINTEXT":
        return None
    use_ssl = settings.kafka_security_protocol.endswith("SSL")
    context = connection_options(settings).get("ssl_context")
    if not settings.kafka_security_protocol.startswith("SASL"):
        return security.BaseSecurity(use_ssl=use_ssl, ssl_context=context)
    classes = {
        "PLAIN": security.SASLPlaintext,
        "SCRAM-SHA-256": security.SASLScram256,
        "SCRAM-SHA-512": security.SASLScram512,
    }
    password = settings.kafka_sasl_password
    return classes[settings.kafka_sasl_mechanism or "PLAIN"](
        username=settings.kafka_sasl_username or "",
        password=password.get_secret_value() if password else "",
        use_ssl=use_ssl,
        ssl_context=context,
    )


class Subscriptions:
    """The subscriptions of one service: which topics, in which group, to which handler."""

    def __init__(self, broker: KafkaBroker, *, service: str, topic_prefix: str, read: Read, bury: Bury) -> None:
        self._broker = broker
        self._group = f"{topic_prefix}sorami.{service}"
        self._prefix = topic_prefix
        self._read = read
        self._bury = bury
        self._subscribers: list[Any] = []
        self._in_group: list[tuple[Any, tuple[str, ...]]] = []
        self._stopping = False

    def batches(self, *routes: Route) -> None:
        """Give batches to one member of the group, at least once; one consumer reads the topics of all routes."""
        self._subscribe(routes, group=self._group, offset_reset="earliest")

    def stream(self, *routes: Route) -> None:
        """Give every record from now on to this process, whatever others read; nothing is committed."""
        self._subscribe(routes, group=None, offset_reset="latest")

    def _subscribe(self, routes: Sequence[Route], *, group: str | None, offset_reset: Any) -> None:
        # FastStream's own batch subscriber sleeps for its time-out after each empty poll, which an idle system feels on
        # every event; so the first record wakes us and the rest of the batch is drained from the consumer's buffer.
        subscriber = self._broker.subscriber(
            *(self._prefix + topic for route in routes for topic in route.topics),
            group_id=group,
            ack_policy=AckPolicy.MANUAL if group else AckPolicy.ACK_FIRST,
            auto_offset_reset=offset_reset,
            no_reply=True,
            parser=_tolerant_parser,
            decoder=_undecoded,
            session_timeout_ms=6_000 if group else 10_000,
            heartbeat_interval_ms=1_500 if group else 3_000,
        )

        pace = Pace(PACE)

        async def on_first(message: KafkaMessage) -> None:
            await pace.next()
            await self._on_first(message, routes, committing=group is not None)

        subscriber(on_first)
        self._subscribers.append(subscriber)
        if group:
            self._in_group.append((subscriber, tuple(topic for route in routes for topic in route.topics)))

    async def _on_first(self, message: KafkaMessage, routes: Sequence[Route], *, committing: bool) -> None:
        consumer: Any = message.consumer
        records: list[Any] = [message.raw_message]
        try:
            rest = await consumer.getmany(timeout_ms=0, max_records=MOST_RECORDS - 1)
            records += [record for part in rest.values() for record in part]
            received = [_received(record, self._prefix) for record in records]
            for route in routes:
                own = [record for record in received if record.topic in route.topics]
                if own:
                    await self._handle(own, route, burying=committing)
        except Exception:
            # No exception may leave: the offsets would be committed past records that were not handled.
            _log.exception("a batch could not be handled and is read again", records=len(records))
            await asyncio.sleep(PAUSE_BEFORE_READING_AGAIN)
            if committing:
                _rewind(consumer, records)
            return
        if committing:
            await _commit(message)

    async def _handle(self, records: Sequence[Received], route: Route, *, burying: bool) -> None:
        began = time.time()
        good: list[Incoming] = []
        bad: list[DeadLetter] = []
        for record in records:
            event = self._read(record)
            if isinstance(event, Exception) and not route.judges:
                continue
            if isinstance(event, Exception):
                refusal = cast(Unreadable, event)
                bad.append(DeadLetter(record, refusal.reason, refusal.detail))
            else:
                good.append(Incoming(event, record))
        bad += await _handle_keeping_neighbours(route.handle, good)
        for letter in bad:
            place = letter.record
            _log.warning(
                "a record cannot be handled",
                topic=place.topic,
                partition=place.partition,
                offset=place.offset,
                reason=letter.reason,
                detail=letter.detail,
            )
        if bad and burying:
            await _until_database_answers(lambda: self._bury(bad))
        _note(self._group if burying else "", records, bad, began)

    async def run(self) -> None:
        """Start consuming as soon as Kafka answers; raises ConsumerDied when a consumer ends by itself."""
        await until_reachable(self._start, what="consumers")
        while not self._stopping:
            await asyncio.sleep(LOOK_EVERY)
            if not self._stopping and not all(_alive(subscriber) for subscriber in self._subscribers):
                raise ConsumerDied

    async def _start(self) -> None:
        try:
            await self._broker.start()
        except BaseException:
            await self._broker.stop()
            raise

    async def stop(self) -> None:
        """Finish the batches under way and leave the groups."""
        self._stopping = True
        await self._broker.stop()

    async def measure(self) -> None:
        """Bring the gauges of what is read in the group up to date; asks the broker where the topics end."""
        for subscriber, topics in self._in_group:
            behind: Counter[str] = Counter()
            held: Counter[str] = Counter()
            consumer: Any = getattr(subscriber, "consumer", None)
            places = list(consumer.assignment()) if consumer is not None and subscriber.running else []
            for place, end in (await consumer.end_offsets(places) if places else {}).items():
                name = place.topic.removeprefix(self._prefix)
                behind[name] += max(0, end - await consumer.position(place))
                held[name] += 1
            for topic in topics:
                LAG.labels(self._group, topic).set(behind[topic])
                PARTITIONS.labels(self._group, topic).set(held[topic])

    def unready(self) -> str | None:
        """Say why records may not be flowing, or None; asks the consumers themselves, not the admin client."""
        for subscriber in self._subscribers:
            consumer: AIOKafkaConsumer | None = getattr(subscriber, "consumer", None)
            if consumer is None or not subscriber.running:
                return "a consumer is not running"
            if not consumer.assignment():
                return "a consumer has no partitions yet"
        return None


def _note(group: str, records: Sequence[Received], bad: Sequence[DeadLetter], began: float) -> None:
    """Count a batch that was handled and keep its spans; `began` is in Unix seconds."""
    buried = Counter(letter.record.topic for letter in bad)
    now = time.time()
    for topic in {record.topic for record in records}:
        own = [record for record in records if record.topic == topic]
        RECORDS.labels(group, topic, "handled").inc(len(own) - buried[topic])
        RECORDS.labels(group, topic, "buried").inc(buried[topic])
        BATCH_SECONDS.labels(topic).observe(now - began)
        RECORD_AGE.labels(topic).observe(now - min(record.at for record in own))
        if is_tracing():
            handled = [(one.headers.get("traceparent"), (one.key or b"").decode("utf-8", "replace")) for one in own]
            keep_spans(f"process {topic}", handled, began, kind="consumer")


def _alive(subscriber: Any) -> bool:
    # A consume loop that ended leaves a process that answers pings and hears nothing.
    return bool(subscriber.running) and not all(task.done() for task in subscriber.tasks)


async def _tolerant_parser(record: ConsumerRecord, original: Any) -> Any:
    """Let no header stop a record: FastStream's own parser dies on a null or non-UTF-8 header value."""
    message = await original(dataclasses.replace(record, headers=()))
    message.raw_message = record
    return message


async def _undecoded(message: KafkaMessage) -> KafkaMessage:
    return message


def _received(record: ConsumerRecord, prefix: str) -> Received:
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    return Received(
        record.topic.removeprefix(prefix),
        record.partition,
        record.offset,
        record.key,
        record.value,
        headers,
        record.timestamp / 1000,
    )


async def _handle_keeping_neighbours(handle: Handle, incoming: Sequence[Incoming]) -> list[DeadLetter]:
    """Handle a batch; when one record spoils it, handle each alone and return those that cannot be handled."""
    if not incoming:
        return []
    try:
        await _until_database_answers(lambda: handle(incoming))
    except Exception as error:
        if is_transient(error):
            raise
        if len(incoming) == 1:
            _log.exception("a handler failed", event_type=type(incoming[0].event).__name__)
            return [DeadLetter(incoming[0].record, "handler_error", type(error).__name__)]
        return [letter for one in incoming for letter in await _handle_keeping_neighbours(handle, [one])]
    return []


async def _until_database_answers(act: Callable[[], Awaitable[None]]) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    pause = 0.1
    while True:
        try:
            return await act()
        except Exception as error:
            if not is_transient(error) or asyncio.get_running_loop().time() > deadline:
                raise
            _log.warning("the database is away; the batch waits", error=type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 2.0)


async def _commit(message: KafkaMessage) -> None:
    # The rows are written; a commit that is lost only means that the batch is read again.
    try:
        async with asyncio.timeout(ACK_TIMEOUT):
            await message.ack()
    except TimeoutError:
        _log.warning("offsets were not committed in time; the batch may be read again")


def _rewind(consumer: Any, records: Sequence[ConsumerRecord]) -> None:
    earliest: dict[TopicPartition, int] = {}
    for record in records:
        partition = TopicPartition(record.topic, record.partition)
        earliest[partition] = min(record.offset, earliest.get(partition, record.offset))
    for partition, offset in earliest.items():
        if partition in consumer.assignment():
            consumer.seek(partition, offset)
