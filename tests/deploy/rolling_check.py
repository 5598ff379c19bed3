"""Every service is replaced while fifty jobs a second are asked for: `make rolling`. It prints what it measured.

Half of the clients keep their connections, as front ends and ingresses do; the others make one a request.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import asyncpg
import httpx
import pytest

from sorami.local.stack import Stack
from tests.support.fleet import FORGET_AFTER, Fleet
from tests.support.product import SECRET, Person, Product, frames
from tests.support.receiver import Receiver, running

A_SECOND = 50
AT_ONCE = 3
"""Asked in one turn of the loop, to make up for one that took longer than the pause between two."""
PEOPLE = 5
ASKED_AT = "/api/images/generate"
UNUSED_SECONDS = 5
"""How long a client keeps a connection that it does not use, as httpx does."""
LINGER = 10.0
"""What the chart sets: longer than balancers lead anybody here, and than clients keep what they do not use."""


class Rolled(Product):
    """The product behind the fleet's balancers."""

    def __init__(self, stack: Stack, pool: "asyncpg.Pool[asyncpg.Record]", url: str) -> None:
        super().__init__(stack, pool)
        self._url = url

    @property
    def url(self) -> str:
        return self._url


@dataclass
class Load:
    """Asks at a constant rate, whatever the answers take, and notes every answer.

    It asks by the quickest client there is, because it shares its processors with what it measures.
    """

    url: str
    people: list[Person]
    seconds: list[float] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    watched: "list[asyncio.Task[list[Any]]]" = field(default_factory=list)
    _asking: "set[asyncio.Task[None]]" = field(default_factory=set)
    _keeping: aiohttp.ClientSession = field(init=False)
    _closing: aiohttp.ClientSession = field(init=False)

    async def __aenter__(self) -> "Load":
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=UNUSED_SECONDS)
        self._keeping = aiohttp.ClientSession(self.url, connector=connector)
        self._closing = aiohttp.ClientSession(self.url, connector=aiohttp.TCPConnector(limit=0, force_close=True))
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self._keeping.close()
        await self._closing.close()

    async def run(self) -> None:
        """Ask until cancelled."""
        began, count = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * A_SECOND) + 1 - count
            # A machine that is far too busy is asked less, and the figures say how much.
            for _ in range(min(due, AT_ONCE)):
                task = asyncio.create_task(self._ask(count))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
                count += 1
            await asyncio.sleep(max(0.0, began + count / A_SECOND - time.monotonic()))

    async def _ask(self, count: int) -> None:
        person = self.people[count % len(self.people)]
        # Each person asks both ways.
        kept = count // len(self.people) % 2 == 1
        headers = {"Authorization": person.http.headers["Authorization"]}
        began = time.monotonic()
        try:
            session = self._keeping if kept else self._closing
            async with session.post(ASKED_AT, json={"prompt": "A roll", "model": "instant"}, headers=headers) as answer:
                said = await answer.text()
        except (aiohttp.ClientError, OSError) as error:
            asked = time.monotonic() - began
            self.refused[f"{time.strftime('%X')} after {asked:.2f} s, {'kept' if kept else 'closed'}: {error!r}"] += 1
            return
        self.seconds.append(time.monotonic() - began)
        if answer.status != 202:
            self.refused[f"{answer.status} {said[:200]}"] += 1
            return
        job_id = json.loads(said)["job_id"]
        self.accepted.append(job_id)
        if count % 25 == 0:
            self.watched.append(asyncio.create_task(person.ended(job_id, within=600)))
            await self._look(person, job_id)

    async def _look(self, person: Person, job_id: str) -> None:
        try:
            status = await person.http.get(f"/api/images/{job_id}/status")
        except httpx.HTTPError as error:
            self.refused[f"status: {error!r}"] += 1
        else:
            if status.status_code != 200:
                self.refused[f"status: {status.status_code}"] += 1

    async def settle(self) -> None:
        """Wait for the answers under way."""
        await asyncio.gather(*self._asking)


@dataclass
class Reader:
    """Somebody's stream of all jobs, reconnected as a browser does it."""

    person: Person
    url: str
    seen: list[int] = field(default_factory=list)
    connected: int = 0
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    refused: Counter[int] = field(default_factory=Counter)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, number: int) -> None:
        """Wait until a move of this number was seen."""
        while not self.seen or self.seen[-1] < number:
            self._moved.clear()
            await self._moved.wait()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(self.seen[-1])} if self.seen else {})
            try:
                async with self.person.http.stream("GET", f"{self.url}/api/events", headers=headers) as answer:
                    if answer.status_code == 200:
                        self.connected += 1
                        self.opened.set()
                        async for frame in frames(answer):
                            assert frame.id is not None
                            self.seen.append(int(frame.id))
                            self._moved.set()
                    else:
                        self.refused[answer.status_code] += 1
            except httpx.HTTPError:
                # A line that broke; what was missed comes by the last id.
                pass
            await asyncio.sleep(0.2)


@pytest.fixture
async def heard() -> AsyncIterator[Receiver]:
    async for receiver in running(Receiver()):
        yield receiver


async def test_every_service_is_replaced_and_nobody_notices(
    tmp_path_factory: pytest.TempPathFactory, heard: Receiver
) -> None:
    settings = {
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_URL": heard.url("/api/webhooks/image-completion"),
        "SORAMI_LINGER_SECONDS": f"{LINGER:g}",
        "SORAMI_OPEN_JOBS": "0",
        "SORAMI_JOBS_PER_MINUTE": "0",
    }
    assert LINGER > FORGET_AFTER
    async with (
        Stack(tmp_path_factory.mktemp("servers"), services=(), settings=settings, discard=True) as stack,
        Fleet(stack.env, tmp_path_factory.mktemp("fleet")) as fleet,
    ):
        product = Rolled(stack, await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=1, max_size=2), fleet.url)
        try:
            async with Load(product.url, [product.person() for _ in range(PEOPLE)]) as load:
                await _roll(load, product, fleet, heard)
        except BaseException:
            print(fleet.log())
            raise
        finally:
            await product.close()


async def _roll(load: Load, product: Product, fleet: Fleet, heard: Receiver) -> None:
    users = [await person.user_id() for person in load.people]
    # As an ingress leads them, and by the gateway, which passes them through.
    urls = [fleet.notifier_url, fleet.url]
    readers = [Reader(person, urls[number % 2]) for number, person in enumerate(load.people)]
    reading = [asyncio.create_task(reader.run()) for reader in readers]
    await asyncio.gather(*(reader.opened.wait() for reader in readers))
    asking = asyncio.create_task(load.run())
    began = time.monotonic()
    stops = {service: await fleet.replace(service) for service in ("gateway", "notifier", "persistence", "generator")}
    lasted = time.monotonic() - began
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await load.settle()
    assert load.refused == {}
    ended = await asyncio.gather(*load.watched)
    await _until_all_ended(product, load.accepted)
    await _until_all_seen(product, readers, users)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)

    assert Counter((await product.statuses(load.accepted)).values()) == {"COMPLETED": len(load.accepted)}
    assert {seen[-1].data["status"] for seen in ended if seen} == {"COMPLETED"}
    for reader in readers:
        assert reader.seen == list(range(reader.seen[0], reader.seen[-1] + 1)), "a stream missed or repeated a move"
        assert reader.refused == {}
    told = await _until_all_told(heard, load.accepted)
    (buried,) = await product.row("SELECT count(*) FROM sorami.dead_letters")
    assert buried == 0
    assert set(fleet.exit_codes.values()) == {0}, fleet.exit_codes
    print(_figures(load, readers, stops, lasted, told, fleet.lost_connections))


async def _until_all_ended(product: Product, job_ids: list[str]) -> None:
    await product.until(
        """SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.jobs
           WHERE id = ANY($1::text[]) AND status IN ('PENDING', 'GENERATING'))""",
        job_ids,
        within=600,
    )


async def _until_all_seen(product: Product, readers: list[Reader], users: list[str]) -> None:
    for reader, user in zip(readers, users, strict=True):
        (last,) = await product.row("SELECT n FROM sorami.user_counters WHERE user_id = $1", user)
        async with asyncio.timeout(300):
            await reader.until(last)


async def _until_all_told(heard: Receiver, job_ids: list[str]) -> int:
    """Wait until the legacy webhook has told every job's end; returns how often one was told again."""
    async with asyncio.timeout(600):
        while True:
            ends = [call.body["job_id"] for call in heard.calls if call.body.get("status") == "completed"]
            if set(job_ids) <= set(ends):
                return len(ends) - len(set(ends))
            await asyncio.sleep(0.5)


def _figures(
    load: Load, readers: list[Reader], stops: dict[str, list[float]], lasted: float, again: int, lost: int
) -> str:
    times = sorted(load.seconds)
    part = {percent: times[min(len(times) - 1, len(times) * percent // 100)] * 1000 for percent in (50, 99)}
    lines = [
        f"{len(load.accepted)} jobs in {lasted:.0f} s ({len(load.accepted) / lasted:.0f} a second), "
        f"all accepted, completed and told; {again} told again",
        f"answer p50 {part[50]:.0f} ms, p99 {part[99]:.0f} ms, longest {times[-1] * 1000:.0f} ms",
        f"streams: {sum(len(reader.seen) for reader in readers)} moves, "
        f"{sum(reader.connected - 1 for reader in readers)} reconnects; {lost} connections led to nobody",
        *(
            f"{service} stopped in {' and '.join(f'{one:.1f}' for one in seconds)} s"
            for service, seconds in stops.items()
        ),
    ]
    return "\n" + "\n".join(lines)
