"""Outbox rows to Kafka: inline after the commit, swept after a crash; nothing unacknowledged is deleted."""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from services.runtime.broker import connection_options, until_reachable
from services.runtime.database import Pool, is_transient, transaction
from services.runtime.failpoints import reach
from services.runtime.logs import get_logger
from services.runtime.metrics import OUTBOX_OLDEST, OUTBOX_SENT, OUTBOX_UNSENT, OUTBOX_WAITING, RELAY_BOUND, RELAY_HELD
from services.runtime.outbox import OutboxRow, table_of
from services.runtime.settings import RuntimeSettings
from services.runtime.tracing import is_tracing, keep_spans

SEND_TIMEOUT = 10.0
"""Seconds a send may take; an older row that is still there was not acknowledged to anyone."""
SWEEP_AFTER = 15.0
"""Seconds of age from which the sweeper takes a row: above the send time-out, so never one in flight."""
SWEEP_EVERY = 1.0
CHUNK = 500
SWEEP_CHUNK = 2_000
"""Rows of one transaction of the sweeper."""
KEEP_AT_MOST = 5_000
"""Rows remembered while Kafka is away; the rest is left to the sweeper, which reads them from the table."""
DELETE_EVERY = 0.1
"""Seconds over which acknowledged rows are gathered before they are deleted: nobody waits for it."""
COUNT_AT_MOST = 10_000
"""Rows of the outbox that its gauge counts: a million of them must not slow whoever looks."""
# put_aside: a row that was never sent has no place in a topic; its own id in the outbox stands for one.
PUT_ASIDE = """
    WITH taken AS (DELETE FROM {table} WHERE id = ANY($1::bigint[]) RETURNING id, topic, key, value, headers)
    INSERT INTO sorami.dead_letters (topic, partition, "offset", consumer, key, reason, detail, value, headers)
    SELECT topic, 0, id, $2, key, 'event_too_large', $3, value, headers FROM taken
    ON CONFLICT DO NOTHING
"""
_TOO_LARGE = (
    "larger than the broker takes; raise max.message.bytes of the topic (our producer sends 1 MiB), then replay"
)

_log = get_logger(part="relay")


def build_producer(settings: RuntimeSettings, service: str) -> AIOKafkaProducer:
    """Build a service's producer: every in-sync replica acknowledges, and a send that is not is given up in time."""
    # Not idempotent: aiokafka's idempotent producer never expires a batch, and readers take a repeat as the same event.
    return AIOKafkaProducer(
        **connection_options(settings),
        acks="all",
        request_timeout_ms=int(SEND_TIMEOUT * 1000),
        client_id=f"sorami-{service}",
    )


class Relay:
    """Publishes one service's outbox. While something waits, nothing goes past it: order per key is kept."""

    def __init__(self, pool: Pool, producer: AIOKafkaProducer, *, service: str, topic_prefix: str = "") -> None:
        self._pool = pool
        self._producer = producer
        self._service = service
        self._table = table_of(service)
        self._prefix = topic_prefix
        self._waiting: deque[OutboxRow] = deque()
        self._overflowed = False
        self._started = False
        self._wake = asyncio.Event()
        self._acknowledged: list[int] = []
        self._acknowledged_wake = asyncio.Event()
        self._sends: set[asyncio.Task[None]] = set()
        self._service = service
        RELAY_BOUND.labels(service).set(KEEP_AT_MOST)

    @property
    def waiting(self) -> int:
        """Rows this process holds because Kafka did not take them yet."""
        return len(self._waiting)

    async def measure(self) -> None:
        """Bring the gauges of this outbox up to date."""
        RELAY_HELD.labels(self._service).set(len(self._waiting))
        row = await self._pool.fetchrow(
            f"""SELECT (SELECT count(*) FROM (SELECT FROM {self._table} LIMIT {COUNT_AT_MOST}) few) AS waiting,
                       (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM {self._table}
                        ORDER BY id LIMIT 1) AS oldest"""  # noqa: S608 - a table of ours
        )
        if row is not None:
            OUTBOX_WAITING.labels(self._service).set(row["waiting"])
            OUTBOX_OLDEST.labels(self._service).set(row["oldest"] or 0)

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        """Send rows that were just committed; returns at once, and a crash from here on costs nothing."""
        if not rows:
            return
        if not self._started or self._waiting or self._overflowed:
            self._keep(rows)
            return
        task = asyncio.create_task(self._send_inline(list(rows)))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def run(self) -> None:
        """Start the producer, then send what waits until cancelled."""
        await until_reachable(self._producer.start, what="producer")
        self._started = True
        self._wake.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._flush_waiting())
            group.create_task(self._delete_acknowledged())
            group.create_task(self._sweep())

    async def close(self) -> None:
        """Finish the sends under way and forget nothing: what was acknowledged is deleted, the rest stays a row."""
        if self._sends:
            await asyncio.wait(self._sends, timeout=SEND_TIMEOUT)
        if self._acknowledged:
            await self._delete(self._take_acknowledged())
        await self._producer.stop()

    def _keep(self, rows: Sequence[OutboxRow]) -> None:
        if len(self._waiting) + len(rows) > KEEP_AT_MOST:
            self._overflowed = True
            return
        self._waiting.extend(rows)
        self._wake.set()

    async def _send_inline(self, rows: list[OutboxRow]) -> None:
        unsent = await self._send(rows)
        if unsent:
            self._keep(unsent)

    async def _send(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Send rows in order and return those that were not acknowledged."""
        began = time.time()
        reach("relay.before_publish")
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                futures = [await self._start_send(row) for row in rows]
                results = await asyncio.gather(*futures, return_exceptions=True)
        except (TimeoutError, KafkaError, OSError) as error:
            OUTBOX_UNSENT.inc(len(rows))
            _log.warning("kafka did not take the rows", table=self._table, rows=len(rows), error=type(error).__name__)
            return list(rows)
        reach("relay.after_publish")
        unsent: list[OutboxRow] = []
        sent: list[OutboxRow] = []
        too_large: list[OutboxRow] = []
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, MessageSizeTooLargeError):
                too_large.append(row)
            elif isinstance(result, BaseException):
                unsent.append(row)
            else:
                self._acknowledged.append(row.id)
                sent.append(row)
        self._acknowledged_wake.set()
        unsent += await self._put_aside(too_large)
        _note(sent, began)
        if unsent:
            OUTBOX_UNSENT.inc(len(unsent))
            _log.warning("kafka did not acknowledge rows", table=self._table, rows=len(unsent))
        return unsent

    async def _put_aside(self, rows: list[OutboxRow]) -> list[OutboxRow]:
        """Make dead letters of rows that no broker takes, so that nothing waits behind them; return those left."""
        if not rows:
            return []
        ids = [row.id for row in rows]
        _log.error("rows are too large for the broker and become dead letters", table=self._table, rows=ids)
        try:
            await self._pool.execute(PUT_ASIDE.format(table=self._table), ids, f"{self._service}-relay", _TOO_LARGE)
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("rows could not be put aside", table=self._table, error=type(error).__name__)
            return rows
        return []

    async def _start_send(self, row: OutboxRow) -> "asyncio.Future[Any]":
        headers = [(name, value.encode()) for name, value in row.headers.items()]
        try:
            future: asyncio.Future[Any] = await self._producer.send(
                self._prefix + row.topic, value=row.value, key=row.key.encode(), headers=headers
            )
        except MessageSizeTooLargeError as error:
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error)
        return future

    async def _flush_waiting(self) -> None:
        pause = 0.2
        while True:
            await self._wake.wait()
            if not self._waiting:
                self._wake.clear()
                continue
            chunk = list(islice(self._waiting, CHUNK))
            unsent = await self._send(chunk)
            if unsent:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            pause = pause if unsent else 0.2
            for _ in chunk:
                self._waiting.popleft()
            self._waiting.extendleft(reversed(unsent))

    def _take_acknowledged(self) -> list[int]:
        taken, self._acknowledged = self._acknowledged, []
        return taken

    async def _delete_acknowledged(self) -> None:
        while True:
            await self._acknowledged_wake.wait()
            # A commit for each send would cost more than the sends.
            await asyncio.sleep(DELETE_EVERY)
            self._acknowledged_wake.clear()
            await self._delete(self._take_acknowledged())

    async def _delete(self, ids: list[int]) -> None:
        try:
            await self._pool.execute(f"DELETE FROM {self._table} WHERE id = ANY($1::bigint[])", ids)  # noqa: S608
        except Exception as error:
            if not is_transient(error):
                raise
            # The rows stay: the sweeper sends them again, which readers take as the same events.
            _log.warning("sent rows could not be deleted", table=self._table, rows=len(ids), error=type(error).__name__)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            if self._waiting:
                continue
            try:
                while await self._sweep_chunk():
                    pass
                self._overflowed = False
            except Exception as error:
                if not is_transient(error) and not isinstance(error, KafkaError):
                    raise
                _log.warning("the sweep is put off", table=self._table, error=type(error).__name__)

    async def _sweep_chunk(self) -> bool:
        """Send the oldest rows that nobody acknowledged; True when there may be more."""
        # By the index: a table whose rows come and go is mostly rows that are gone, which a scan would pass each time.
        if not await self._pool.fetchval(
            f"SELECT created_at < now() - $1 * interval '1 second' FROM {self._table} ORDER BY id LIMIT 1",  # noqa: S608
            SWEEP_AFTER,
        ):
            return False
        async with transaction(self._pool) as connection:
            # One sweeper a producer: two of them would put rows of one key out of order.
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtext($1))", self._table):
                return False
            records = await connection.fetch(
                f"""SELECT id, topic, key, value, headers FROM {self._table}
                    WHERE created_at < now() - $1 * interval '1 second' ORDER BY id LIMIT {SWEEP_CHUNK}""",  # noqa: S608
                SWEEP_AFTER,
            )
            rows = [OutboxRow(r["id"], r["topic"], r["key"], r["value"], json.loads(r["headers"])) for r in records]
            unsent = await self._send(rows)
            sent = sorted({row.id for row in rows} - {row.id for row in unsent})
            await connection.execute(f"DELETE FROM {self._table} WHERE id = ANY($1::bigint[])", sent)  # noqa: S608
        if rows:
            _log.info("swept rows", table=self._table, sent=len(sent), left=len(unsent))
        return len(sent) == SWEEP_CHUNK


def _note(sent: Sequence[OutboxRow], began: float) -> None:
    """Count rows that Kafka acknowledged and keep their spans; `began` is in Unix seconds."""
    for topic, count in Counter(row.topic for row in sent).items():
        OUTBOX_SENT.labels(topic).inc(count)
        if is_tracing():
            handled = [(row.headers.get("traceparent"), row.key) for row in sent if row.topic == topic]
            keep_spans(f"publish {topic}", handled, began, kind="producer")
