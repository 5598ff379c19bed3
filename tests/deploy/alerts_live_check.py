"""Alerts fire from what the running processes tell while something is broken, and clear afterwards (make alerts-check).

Every process is scraped each two seconds, as Prometheus would, and what was read becomes the series of a rule test:
Prometheus' own engine judges our rules over it. Only the time for which an alert is held is shorter here.
"""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.ids import new_id
from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from tests.deploy.alerts_check import RULES, promtool, run
from tests.deploy.scrapes import HELD, Scrapes
from tests.integration.test_backend_webhooks import about
from tests.integration.test_metrics import PORTS
from tests.integration.test_operating import LETTERS, ORPHANS, buried
from tests.support.golden import golden
from tests.support.ports import free_ports
from tests.support.product import SECRET, Product
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.fake import KEY
from tests.support.providers.openai import FakeOpenAI
from tests.support.receiver import Receiver, running, slow

__all__ = ["promtool"]

ALERTS = frozenset(re.findall(r"(?m)^ +- alert: (\w+)$", RULES.read_text(encoding="utf-8")))
TOLD_AT = "/api/webhooks/image-completion"
SLOW_SECONDS = 18
"""What a receiver takes that is slow and yet in time."""
LATE = 250
"""Webhooks that such a receiver, asked for 64 at a time, keeps waiting for a minute."""
BUDGET_FAILURES = 5
"""Failures in a row that open a breaker; over a share of one percent until five hundred other jobs went well."""


@pytest.fixture(scope="module")
async def painter() -> AsyncIterator[FakeOpenAI]:
    painter = FakeOpenAI()
    await painter.start()
    yield painter
    await painter.stop()


@pytest.fixture(scope="module")
async def told() -> AsyncIterator[Receiver]:
    async for receiver in running(Receiver()):
        yield receiver


@pytest.fixture(scope="module")
async def product(
    tmp_path_factory: pytest.TempPathFactory, painter: FakeOpenAI, told: Receiver
) -> AsyncIterator[Product]:
    settings = {
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_URL": told.url(TOLD_AT),
        "OPENAI_API_KEY": KEY,
        "SORAMI_OPENAI_URL": f"{painter.url}/v1",
        "SORAMI_OPENAI_PARTIAL_IMAGES": "1",
        "SORAMI_REMOTE_SLOTS": "1",
        "SORAMI_LEASE_SECONDS": "4",
        "SORAMI_MAX_ATTEMPTS": "1",
        "SORAMI_BREAKER_FAILURES": str(BUDGET_FAILURES),
        "SORAMI_BREAKER_SECONDS": "5",
        "SORAMI_OPEN_JOBS": "0",
        "SORAMI_JOBS_PER_MINUTE": "0",
    }
    async with Stack(tmp_path_factory.mktemp("alerts"), services=SERVICES, settings=settings, discard=True) as stack:
        product = Product(stack, await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=0, max_size=2))
        yield product
        await product.close()


@pytest.fixture(scope="module")
async def scrapes(product: Product) -> AsyncIterator[Scrapes]:
    scrapes = Scrapes({name: f"http://127.0.0.1:{product.stack.env[port]}/metrics" for name, port in PORTS.items()})
    running = asyncio.create_task(scrapes.run())
    yield scrapes
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _errors(product: Product, count: int, a_second: float = float("inf"), path: str = "/api/gallery") -> int:
    """Ask so many times, one after the other, and return how many answers were errors of ours."""
    person = product.person()
    errors = 0
    for _ in range(count):
        errors += (await person.http.get(path)).status_code >= 500
        await asyncio.sleep(1 / a_second)
    return errors


@contextlib.asynccontextmanager
async def _crowd(product: Product, people: int) -> AsyncIterator[None]:
    """Have so many people look at their favourites all the time, whatever is answered."""
    path = "/api/gallery?favourite=true"
    looking = [asyncio.create_task(_errors(product, sys.maxsize, a_second=10, path=path)) for _ in range(people)]
    try:
        yield
    finally:
        for one in looking:
            one.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


async def _make(product: Product, count: int) -> None:
    """Have so many jobs made to their end."""
    person = product.person()
    jobs: list[str] = []
    while len(jobs) < count:
        jobs += await asyncio.gather(*(person.ask() for _ in range(25)))
    ended = "SELECT 1 WHERE (SELECT count(*) FROM sorami.jobs WHERE id = ANY($1) AND status = 'COMPLETED') = $2"
    await product.until(ended, jobs, len(jobs), within=120)


async def test_nothing_fires_while_all_is_well(product: Product, scrapes: Scrapes) -> None:
    person = product.person()
    await person.ended(await person.ask())
    await scrapes.expect(*ALERTS, fires=False)


async def test_a_record_that_cannot_be_read_and_a_report_of_nobody(product: Product, scrapes: Scrapes) -> None:
    operator = product.operator()
    letter = await buried(product, b"not json", new_id())
    await product.backend_says("image", about(golden("e1_completed"), f"backend-{new_id()}"))
    await scrapes.seen("sorami_dead_letters_open", 1)
    await scrapes.seen("sorami_orphans_open", 1)
    await scrapes.expect("SoramiDeadLetters", "SoramiOrphans", fires=True)
    assert (await operator.http.delete(f"{LETTERS}/{letter}")).is_success
    (orphan,) = (await operator.http.get(ORPHANS)).json()["orphans"]
    assert (await operator.http.delete(f"{ORPHANS}/{orphan['id']}")).is_success
    await scrapes.seen("sorami_orphans_open", 0, 0)
    await scrapes.expect("SoramiDeadLetters", "SoramiOrphans", fires=False)


@contextlib.asynccontextmanager
async def _generator_without_the_painter(product: Product, scrapes: Scrapes) -> AsyncIterator[None]:
    (port,) = free_ports(1)
    own = {PORTS["generator"]: str(port), "SORAMI_GENERATOR_PROVIDERS": "-openai"}
    with product.stack.log("generator-2").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.generator", env={**os.environ, **product.stack.env, **own},
            stdout=log, stderr=log,
        )  # fmt: skip
    scrapes.addresses["generator-2"] = f"http://127.0.0.1:{port}/metrics"
    try:
        yield
    finally:
        del scrapes.addresses["generator-2"]
        process.terminate()
        await process.wait()


async def test_work_whose_provider_hangs_and_whose_worker_stands_still(
    product: Product, scrapes: Scrapes, painter: FakeOpenAI
) -> None:
    person = product.person()
    painter.may_finish.clear()
    first = await person.ask(model="gpt-image-2")
    await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1 AND state = 'running'", first)
    second = await person.ask(model="gpt-image-2")
    waits = "UPDATE sorami.tasks SET due_at = due_at - interval '16 minutes' WHERE job_id = $1 AND state = 'queued'"
    await product.until(f"{waits} RETURNING job_id", second)
    async with _generator_without_the_painter(product, scrapes):
        await scrapes.seen("sorami_task_oldest_queued_seconds", 901)
        await scrapes.expect("SoramiJobsWait", fires=True)
        product.stack.freeze("generator")
        try:
            await scrapes.seen("sorami_tasks_abandoned", 1)
            await scrapes.expect("SoramiTasksAbandoned", fires=True)
        finally:
            product.stack.thaw("generator")
    painter.may_finish.set()
    await person.ended(second)
    await scrapes.seen("sorami_tasks_abandoned", 0, 0)
    await scrapes.expect("SoramiJobsWait", "SoramiTasksAbandoned", fires=False)


async def test_a_provider_that_fails(product: Product, scrapes: Scrapes, painter: FakeOpenAI) -> None:
    person = product.person()
    painter.script = Behaviour.CAPACITY
    for _ in range(BUDGET_FAILURES):
        (last, *_) = (await person.ended(await person.ask(model="gpt-image-2")))[::-1]
        assert last.data["status"] == "FAILED"
        # A rate is what comes after a first failure: over several scrapes.
        await asyncio.sleep(2)
    waiting = await person.ask(model="gpt-image-2")
    await scrapes.expect("SoramiProviderFailing", "SoramiBudgetBurnsFast", "SoramiBudgetBurnsSlowly", fires=True)
    painter.script = Behaviour.SUCCESS
    await person.ended(waiting)
    await person.ended(await person.ask(model="gpt-image-2"))
    (failed,) = await product.row("SELECT count(*) FROM sorami.jobs WHERE status = 'FAILED'")
    await _make(product, 120 * failed)
    await scrapes.expect("SoramiProviderFailing", "SoramiBudgetBurnsFast", "SoramiBudgetBurnsSlowly", fires=False)


async def test_a_service_that_is_gone(product: Product, scrapes: Scrapes) -> None:
    await product.stack.astop("generator")
    await scrapes.expect("SoramiServiceDown", fires=True)
    await product.stack.astart("generator")
    await scrapes.expect("SoramiServiceDown", fires=False)


async def test_a_lock_that_somebody_forgot(product: Product, scrapes: Scrapes) -> None:
    person = product.person()
    job = await person.ask()
    await person.ended(job)
    assert (await person.http.delete(f"/api/gallery/{job}")).is_success
    async with product.pool.acquire() as somebody, somebody.transaction():
        await somebody.execute("LOCK TABLE sorami.favourites IN ACCESS EXCLUSIVE MODE")
        window = "UPDATE sorami.deletions SET purge_after = now() WHERE generation_id = $1 RETURNING 1"
        assert await product.row(window, job)
        async with _crowd(product, 24):
            await scrapes.seen("sorami_purges_due", 1)
            await scrapes.expect("SoramiDatabasePoolFull", "SoramiPurgesLate", fires=True)
    await scrapes.seen("sorami_purges_due", 0, 0)
    await scrapes.expect("SoramiDatabasePoolFull", "SoramiPurgesLate", fires=False)


async def _report_again(product: Product, count: int) -> None:
    """Send the first report there ever was once more, so many times."""
    address = product.stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    async with AIOKafkaConsumer("job.progress", bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        first = await consumer.getone()
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        sent = [
            await producer.send("job.progress", value=first.value, key=first.key, headers=list(first.headers))
            for _ in range(count)
        ]
        await asyncio.gather(*sent)


async def test_a_database_that_is_gone(product: Product, scrapes: Scrapes) -> None:
    assert await _errors(product, 20) == 0
    await product.stack.astop("postgres")
    await scrapes.seen("sorami_ready", 0, 0)
    await _report_again(product, 4_000)
    await scrapes.seen("sorami_consumer_lag_records", 1_001)
    # A rate is what comes after a first answer of its kind: over several scrapes.
    assert await _errors(product, 30, a_second=3) > 20
    await scrapes.expect("SoramiServiceDown", "SoramiErrors", "SoramiConsumerBehind", fires=True)
    await product.stack.astart("postgres")
    await scrapes.seen("sorami_ready", 1)
    # The share of five minutes falls with what goes well.
    assert await asyncio.gather(*(_errors(product, 1_000) for _ in range(4))) == [0, 0, 0, 0]
    await scrapes.seen("sorami_consumer_lag_records", 0, 0)
    await scrapes.expect("SoramiServiceDown", "SoramiErrors", "SoramiConsumerBehind", fires=False)


async def test_brokers_that_are_gone_for_more_than_a_minute(product: Product, scrapes: Scrapes) -> None:
    person = product.person()
    await product.stack.astop("kafka")
    job = await person.ask()
    await scrapes.seen("sorami_outbox_oldest_seconds", 62)
    await scrapes.expect("SoramiOutboxOld", fires=True)
    await product.stack.astart("kafka")
    await person.ended(job, within=90)
    await scrapes.seen("sorami_outbox_oldest_seconds", 0, 30)
    await scrapes.expect("SoramiOutboxOld", fires=False)


async def test_a_receiver_that_takes_its_time(product: Product, scrapes: Scrapes, told: Receiver) -> None:
    told.plays[TOLD_AT] = slow(SLOW_SECONDS)
    await _make(product, LATE)
    past = (
        "UPDATE sorami.deliveries SET next_attempt_at = next_attempt_at - interval '2 minutes' WHERE state = 'pending'"
    )
    await product.pool.execute(past)
    await scrapes.seen("sorami_delivery_oldest_due_seconds", 122)
    await scrapes.expect("SoramiDeliveriesLate", fires=True)
    del told.plays[TOLD_AT]
    await scrapes.seen("sorami_delivery_oldest_due_seconds", 0, 30)
    await scrapes.expect("SoramiDeliveriesLate", fires=False)


def test_prometheus_saw_each_alert_fire_and_clear(scrapes: Scrapes, promtool: str, tmp_path: Path) -> None:
    rules = re.sub(r"(?m)^( +for:) .*$", rf"\1 {HELD}s", RULES.read_text(encoding="utf-8"))
    (tmp_path / "rules.yaml").write_text(rules)
    (tmp_path / "rules_test.yaml").write_text(yaml.safe_dump(scrapes.case(), width=10**9))
    print(f"\n{len(scrapes.read)} scrapes; judged by Prometheus: {scrapes.expected}")
    assert "SUCCESS" in run(promtool, "test", "rules", str(tmp_path / "rules_test.yaml"))


def test_every_alert_was_among_them(scrapes: Scrapes) -> None:
    assert {alert for _, alert, fires in scrapes.expected if fires} == ALERTS
