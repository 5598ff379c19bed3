"""What Prometheus would have stored of running processes, and what is expected of its alerts at which moment."""

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.alerts_check import RULES

EVERY = 2
HELD = 6
"""Seconds an alert is held here, instead of its minutes."""
ANSWERED = 4
"""A scrape may take as many seconds as a gauge that cannot be brought up to date delays it, and some: so many ticks."""
FIRING = '(count(ALERTS{alertname="%s", alertstate="firing"}) > bool 0) or vector(0)'
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
