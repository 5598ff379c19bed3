"""Alerts fire from what the running processes tell while something is broken, and clear afterwards (make alerts-check).

Every process is scraped each two seconds, as Prometheus would, and what was read becomes the series of a rule test:
Prometheus' own engine judges our rules over it. An alert is held for ten seconds here instead of its minutes.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from contracts.ids import new_id
from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from tests.deploy.alerts_check import RULES, promtool, run
from tests.integration.test_backend_webhooks import about
from tests.integration.test_metrics import PORTS
from tests.integration.test_operating import LETTERS, ORPHANS, buried
from tests.support.golden import golden
from tests.support.product import SECRET, Product

__all__ = ["promtool"]

EVERY = 2
HELD = 10
ANSWERED = 4
"""A scrape may take as many seconds as a gauge that cannot be brought up to date delays it, and some: so many ticks."""
FIRING = '(count(ALERTS{alertname="%s", alertstate="firing"}) > bool 0) or vector(0)'
ALERTS = ("SoramiServiceDown", "SoramiErrors", "SoramiOutboxOld", "SoramiDeadLetters", "SoramiOrphans")
ASKED_FOR = set(re.findall(r"sorami_\w+", RULES.read_text(encoding="utf-8")))


@dataclass
class Scrapes:
    """What Prometheus would have stored, and what is expected of it at which moment."""

    addresses: dict[str, str]
    read: list[dict[str, float]] = field(default_factory=list)
    expected: list[tuple[int, str, bool]] = field(default_factory=list)

    async def run(self) -> None:
        """Scrape until cancelled, at a constant rate."""
        began = time.monotonic()
        timeout = EVERY * (ANSWERED - 1)
        async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client, asyncio.TaskGroup() as asked:
            while True:
                self.read.append({})
                for name in self.addresses:
                    asked.create_task(self._scrape(client, name, self.read[-1]))
                await asyncio.sleep(max(0.0, began + len(self.read) * EVERY - time.monotonic()))

    async def _scrape(self, client: httpx.AsyncClient, name: str, found: dict[str, float]) -> None:
        with contextlib.suppress(httpx.HTTPError):
            for family in text_string_to_metric_families((await client.get(self.addresses[name])).text):
                for sample in family.samples:
                    if sample.name in ASKED_FOR:
                        labels = {**sample.labels, "instance": name, "job": "sorami"}
                        written = ", ".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
                        found[f"{sample.name}{{{written}}}"] = sample.value

    async def seen(self, name: str, least: float, most: float = float("inf"), within: float = 120) -> None:
        """Wait until the largest value of a name in the last whole scrape lies between the bounds."""
        async with asyncio.timeout(within):
            while True:
                past = self.read[-ANSWERED] if len(self.read) >= ANSWERED else {}
                values = [value for series, value in past.items() if series.startswith(f"{name}{{")]
                if values and least <= max(values) <= most:
                    return
                await asyncio.sleep(EVERY / 2)

    async def expect(self, *alerts: str, fires: bool) -> None:
        """Wait for as long as an alert is held, and note what each should do then."""
        await asyncio.sleep(HELD + (ANSWERED + 1) * EVERY)
        at = (len(self.read) - ANSWERED) * EVERY
        self.expected += [(at, alert, fires) for alert in alerts]

    def case(self) -> dict[str, object]:
        """Return the rule test; a series that a scrape did not find is stale from there, as in Prometheus."""
        names = {series for now in self.read for series in now}
        return {
            "rule_files": ["rules.yaml"],
            "evaluation_interval": f"{EVERY}s",
            "tests": [
                {
                    "interval": f"{EVERY}s",
                    "input_series": [{"series": name, "values": self._values(name)} for name in sorted(names)],
                    "promql_expr_test": [
                        {
                            "expr": FIRING % alert,
                            "eval_time": f"{at}s",
                            "exp_samples": [{"labels": "{}", "value": int(fires)}],
                        }
                        for at, alert, fires in self.expected
                    ],
                }
            ],
        }

    def _values(self, series: str) -> str:
        written, before = [], False
        for now in self.read:
            written.append(f"{now[series]:g}" if series in now else "stale" if before else "_")
            before = series in now
        return " ".join(written)


@pytest.fixture(scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    settings = {"WEBHOOK_SECRET": SECRET}
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


async def _errors(product: Product, count: int, a_second: float = float("inf")) -> int:
    """Ask so many times, one after the other, and return how many answers were errors of ours."""
    person = product.person()
    errors = 0
    for _ in range(count):
        errors += (await person.http.get("/api/gallery")).status_code >= 500
        await asyncio.sleep(1 / a_second)
    return errors


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


async def test_a_service_that_is_gone(product: Product, scrapes: Scrapes) -> None:
    await product.stack.astop("generator")
    await scrapes.expect("SoramiServiceDown", fires=True)
    await product.stack.astart("generator")
    await scrapes.expect("SoramiServiceDown", fires=False)


async def test_a_database_that_is_gone(product: Product, scrapes: Scrapes) -> None:
    assert await _errors(product, 20) == 0
    await product.stack.astop("postgres")
    await scrapes.seen("sorami_ready", 0, 0)
    # A rate is what comes after a first answer of its kind: over several scrapes.
    assert await _errors(product, 30, a_second=3) > 20
    await scrapes.expect("SoramiServiceDown", "SoramiErrors", fires=True)
    await product.stack.astart("postgres")
    await scrapes.seen("sorami_ready", 1)
    # The share of five minutes falls with what goes well.
    assert await _errors(product, 1500) == 0
    await scrapes.expect("SoramiServiceDown", "SoramiErrors", fires=False)


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


def test_prometheus_saw_each_alert_fire_and_clear(scrapes: Scrapes, promtool: str, tmp_path: Path) -> None:
    rules = re.sub(r"(?m)^( +for:) .*$", rf"\1 {HELD}s", RULES.read_text(encoding="utf-8"))
    (tmp_path / "rules.yaml").write_text(rules)
    (tmp_path / "rules_test.yaml").write_text(yaml.safe_dump(scrapes.case(), width=10**9))
    assert {alert for _, alert, fires in scrapes.expected if fires} == set(ALERTS)
    assert "SUCCESS" in run(promtool, "test", "rules", str(tmp_path / "rules_test.yaml"))
    print(f"\n{len(scrapes.read)} scrapes; judged by Prometheus: {scrapes.expected}")
