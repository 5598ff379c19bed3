"""Measures one notifier: `python -m tests.bench.streams [clients]`. Not a test; it needs a quiet machine.

Prints what a stream costs, how soon one event is with all of them, how many events a second reach single clients, and
how long a move takes from Kafka to a receiver's socket. Processor time is the notifier's own, so that a shared machine
can be told from a slow notifier.
"""

import asyncio
import hashlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvloop
from aiokafka import AIOKafkaProducer

from contracts.cloudevents import to_record
from contracts.events import JobUpdated
from contracts.ids import new_id
from contracts.status import JobStatus
from sorami.local.stack import Stack
from tests.support.receiver import Receiver

IDLE_SECONDS = 16
RECEIVER = 39_517
TICKS = os.sysconf("SC_CLK_TCK")


class Reader(asyncio.Protocol):
    """One client: counts the events that reach it."""

    def __init__(self, port: int, ticket: str, heard: "Heard") -> None:
        self._request = f"GET /api/events?ticket={ticket} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._heard = heard
        self.transport: Any = None
        self._is_open = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._is_open and b"event: snapshot" in data:
            self._is_open = True
            self._heard.opened += 1
        count = data.count(b"event: job.updated")
        if count:
            self._heard.events += count
            self._heard.last = time.perf_counter()

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard.lost += 1


class Heard:
    """What all clients heard together."""

    def __init__(self) -> None:
        self.opened = self.events = self.lost = 0
        self.last = 0.0

    async def until(self, name: str, count: int, within: float = 400.0) -> None:
        async with asyncio.timeout(within):
            while getattr(self, name) < count:
                await asyncio.sleep(0.002)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def moved(user_id: str, n: int, status: JobStatus = JobStatus.GENERATING) -> JobUpdated:
    now = datetime.now(UTC)
    # One job a user: one key, so that the moves arrive in the order of their numbers, as rows would give it else.
    values: dict[str, Any] = {"job_id": f"job-{user_id}", "user_id": user_id, "seq": n, "n": n, "status": status}
    return JobUpdated(kind="image", at=now, created_at=now, progress=60, **values)


class Bench:
    """A notifier of its own on real servers, and what talks to it."""

    def __init__(self, stack: Stack, pool: Any, producer: AIOKafkaProducer, notifier: subprocess.Popen[bytes]) -> None:
        self.stack, self.pool, self.producer, self.notifier = stack, pool, producer, notifier
        self.port = int(stack.env["SORAMI_NOTIFIER_PORT"])

    async def publish(self, *events: JobUpdated) -> None:
        records = [to_record(event, service="persistence") for event in events]
        sent = [
            await self.producer.send(
                record.topic,
                record.value,
                key=record.key.encode(),
                headers=[(name, value.encode()) for name, value in record.headers.items()],
            )
            for record in records
        ]
        await asyncio.gather(*sent)

    async def tickets(self, users: list[str]) -> list[str]:
        made = [new_id() for _ in users]
        await self.pool.executemany(
            "INSERT INTO sorami.stream_tickets (token_hash, user_id, expires_at)"
            " VALUES ($1, $2, now() + interval '1 hour')",
            [(hashlib.sha256(text.encode()).digest(), user) for text, user in zip(made, users, strict=True)],
        )
        return made

    @asynccontextmanager
    async def clients(self, users: list[str]) -> AsyncIterator[Heard]:
        heard, readers = Heard(), []
        for start in range(0, len(users), 200):
            tickets = await self.tickets(users[start : start + 200])
            for ticket in tickets:
                reader = Reader(self.port, ticket, heard)
                await asyncio.get_running_loop().create_connection(lambda reader=reader: reader, "127.0.0.1", self.port)  # type: ignore[misc]
                readers.append(reader)
            await heard.until("opened", len(readers))
        yield heard
        for reader in readers:
            reader.transport.abort()
        await asyncio.sleep(2)


async def measure_streams(bench: Bench, count: int) -> None:
    pid = bench.notifier.pid
    before = memory_kb(pid)
    cpu = cpu_seconds(pid)
    async with bench.clients(["all"] * count) as heard:
        print(f"{count} streams opened with {(cpu_seconds(pid) - cpu) / count * 1000:.2f} ms of processor each")
        await asyncio.sleep(3)
        print(f"memory a stream: {(memory_kb(pid) - before) / count:.1f} kB")
        cpu = cpu_seconds(pid)
        await asyncio.sleep(IDLE_SECONDS)
        print(f"idle: {(cpu_seconds(pid) - cpu) / IDLE_SECONDS * 100:.1f} % of a core")
        for n in range(1, 6):
            heard.events, began, cpu = 0, time.perf_counter(), cpu_seconds(pid)
            await bench.publish(moved("all", n))
            await heard.until("events", count)
            took = (heard.last - began) * 1000
            print(f"one event to all: {took:.0f} ms, {(cpu_seconds(pid) - cpu) * 1000:.0f} ms of processor")
            await asyncio.sleep(1)
        assert heard.lost == 0


async def measure_singles(bench: Bench, count: int, each: int = 5) -> None:
    pid = bench.notifier.pid
    users = [f"user{number}" for number in range(count)]
    async with bench.clients(users) as heard:
        events = [moved(user, n) for n in range(1, each + 1) for user in users]
        began, cpu = time.perf_counter(), cpu_seconds(pid)
        for start in range(0, len(events), 5_000):
            await bench.publish(*events[start : start + 5_000])
        await heard.until("events", len(events))
        took, used = heard.last - began, cpu_seconds(pid) - cpu
        print(
            f"{len(events)} events to {count} single clients: {len(events) / took:.0f} a second,"
            f" {len(events) / used:.0f} a second of processor"
        )


async def measure_webhooks(bench: Bench, moves: int = 200) -> None:
    receiver = Receiver(port=RECEIVER)
    await receiver.start()
    user = "webhooks"
    await bench.pool.execute('INSERT INTO users (id, "clerkId") VALUES ($1, $1) ON CONFLICT DO NOTHING', user)
    headers = {"Authorization": f"Bearer {bench.stack.token(user)}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bench.port}", headers=headers) as client:
        made = await client.post("/api/webhook-endpoints", json={"url": receiver.url("/hook")})
        assert made.status_code == 201, made.text
    waits = []
    for number in range(moves):
        event = moved(user, number + 1, JobStatus.CANCELLED)
        began = asyncio.get_running_loop().time()
        await bench.publish(event)
        call = (await receiver.wait_at("/hook", number + 1))[-1]
        waits.append((call.at - began) * 1000)
        await asyncio.sleep(0.05)
    waits.sort()
    print(f"job.updated to the receiver's socket: p50 {statistics.median(waits):.1f} ms, p99 {waits[-2]:.1f} ms")
    await receiver.stop()


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="sorami-bench-") as folder:
        Path(folder).chmod(0o711)
        settings = {
            "SORAMI_STREAMS_PER_USER": "10000",
            "SORAMI_WEBHOOK_ALLOW": f"127.0.0.1:{RECEIVER}",
        }
        async with Stack(Path(folder) / "home", services=["notifier"], settings=settings) as stack:
            # One that was started by itself: a fork shares pages with others, which hides what it costs.
            await stack.astop("notifier")
            notifier = subprocess.Popen(
                [sys.executable, "-m", "services.notifier"],
                env={**os.environ, **stack.env, "SORAMI_LOG_LEVEL": "warning"},
            )
            producer = AIOKafkaProducer(bootstrap_servers=stack.env["KAFKA_BOOTSTRAP_SERVERS"], linger_ms=0)
            await producer.start()
            pool = await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=1, max_size=2)
            async with asyncio.timeout(60), httpx.AsyncClient() as client:
                while True:
                    try:
                        url = f"http://127.0.0.1:{stack.env['SORAMI_NOTIFIER_PORT']}/readyz"
                        if (await client.get(url)).status_code == 200:
                            break
                    except httpx.HTTPError:
                        pass
                    await asyncio.sleep(0.2)
            try:
                yield Bench(stack, pool, producer, notifier)
            finally:
                notifier.terminate()
                notifier.wait()
                await producer.stop()
                await pool.close()


async def main(count: int) -> None:
    async with bench() as made:
        await measure_webhooks(made)
        await measure_streams(made, count)
        await measure_singles(made, count)


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
