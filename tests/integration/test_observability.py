"""The dashboard and the alerts speak of what the four processes really tell."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sorami.chart_documents import CHART, OBSERVABILITY
from sorami.documents import METRICS
from sorami.metrics_document import all_metrics, metrics_document
from tests.integration.test_metrics import PORTS, inside
from tests.support.product import Product

_NAME = re.compile(r"\b(?:sorami_|process_)[a-z_]+|\bsorami:[a-z_]+:[a-z0-9_]+")
_SELECTOR = re.compile(r"((?:sorami_|process_)[a-z_]+)\{([^}]*)\}")
_GROUPED = re.compile(r"\b(?:by|on) \(([^)]*)\)")
OF_PROMETHEUS = {"instance", "job", "le", "slo"}
"""Labels that come from the scrape, from histograms and from our own recordings."""


def rules() -> list[dict[str, str]]:
    groups = yaml.safe_load((OBSERVABILITY / "rules.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[str]:
    """Return every expression of the dashboard, as Grafana gets it, and of the rules."""
    panels = json.loads((CHART / "files" / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    yield from (target["expr"] for panel in panels for target in panel.get("targets", ()))
    yield from (rule["expr"] for rule in rules())


@pytest.fixture(scope="module")
async def told(product: Product) -> dict[str, set[str]]:
    """Every name that a process tells, with the labels it was seen with."""
    person = product.person()
    await person.ended(await person.ask())
    await person.ended(await person.ask(model="gpt-image-2"), within=90)
    names: dict[str, set[str]] = {}
    for service in PORTS:
        text = (await inside(product, service, "/metrics")).text
        for family in text_string_to_metric_families(text):
            known = {
                "counter": {f"{family.name}_total"},
                "histogram": {f"{family.name}_{end}" for end in ("bucket", "count", "sum")},
            }
            for name in known.get(family.type, {family.name}):
                names.setdefault(name, set())
            for sample in family.samples:
                names.setdefault(sample.name, set()).update(sample.labels)
    return names


async def test_every_name_on_the_dashboard_and_in_the_alerts_is_told(told: dict[str, set[str]]) -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    named = {name for expression in expressions() for name in _NAME.findall(expression)}
    assert len(named) > 50
    assert sorted(named - set(told) - recorded) == []


def test_every_label_that_they_ask_for_is_there() -> None:
    declared = {
        f"{one.name}{end}": set(one.labels) for one in all_metrics() for end in ("", "_bucket", "_count", "_sum")
    }
    recorded = {"sorami:consumer_lag:records": {"group", "topic"}}
    for expression in expressions():
        for name, selector in _SELECTOR.findall(expression):
            asked = set(re.findall(r"(\w+)(?:=~|!~|!=|=)", selector))
            assert asked <= declared[name] | OF_PROMETHEUS, (name, asked)
        named = {name.strip() for group in _GROUPED.findall(expression) for name in group.split(",")}
        known = declared | recorded
        labels = OF_PROMETHEUS.union(*(known.get(name, set()) for name in _NAME.findall(expression)))
        assert named <= labels, (expression, named - labels)


def test_the_reference_is_what_the_code_tells() -> None:
    assert METRICS.read_text(encoding="utf-8") == metrics_document(), "run `make contracts` and commit what it wrote"
    names = [one.name for one in all_metrics()]
    assert len(names) == len(set(names)) > 60


async def test_metrics_follow_the_rules_of_prometheus(told: dict[str, set[str]]) -> None:
    for name, labels in told.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert not re.search(r"_(ms|milliseconds|minutes|kb|mb|percent)(_|$)", name), name
        assert not {"job_id", "user_id", "id", "owner_id", "key"} & labels, name
        assert not re.search(r"_(age|delay|time|size)$", name), f"{name} names no unit"


async def test_every_alert_has_a_page_that_says_what_to_do() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) >= 12
    for rule in alerts:
        page = rule["annotations"]["runbook_url"]  # type: ignore[index]
        assert page == f"docs/operating/runbooks/{rule['alert']}.md"
        text = (OBSERVABILITY.parents[1] / page).read_text(encoding="utf-8")
        assert text.startswith(f"# {rule['alert']}\n")
        assert "## Do" in text


def test_each_alert_has_a_case_in_which_it_fires_and_clears() -> None:
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    fires: set[str] = set()
    clears: set[str] = set()
    for case in yaml.safe_load((OBSERVABILITY / "rules_test.yaml").read_text(encoding="utf-8"))["tests"]:
        fired: set[str] = set()
        for asked in case["promql_expr_test"]:
            name = re.search(r'alertname="(\w+)"', asked["expr"])
            if name is None:
                continue
            if asked.get("exp_samples"):
                fired.add(name[1])
            elif name[1] in fired:
                clears.add(name[1])
        fires |= fired
    assert fires == alerts
    assert clears == alerts


async def test_a_dead_letter_is_counted_until_somebody_decides(product: Product) -> None:
    operator = product.operator()

    async def counted() -> float:
        text = (await inside(product, "gateway", "/metrics")).text
        found = re.search(r"^sorami_dead_letters_open (\S+)$", text, re.MULTILINE)
        assert found is not None
        return float(found[1])

    before = await counted()
    await product.pool.execute(
        """INSERT INTO sorami.dead_letters (topic, partition, "offset", consumer, reason)
           VALUES ('job.requested', 99, 1, 'generator', 'made_by_a_test')"""
    )
    assert await counted() == before + 1
    listed = await operator.http.get("/api/admin/dead-letters", params={"topic": "job.requested"})
    mine = next(letter for letter in listed.json()["dead_letters"] if letter["partition"] == 99)
    assert (await operator.http.delete(f"/api/admin/dead-letters/{mine['id']}")).is_success
    assert await counted() == before


async def test_what_a_provider_did_is_counted_with_its_outcome_and_cost(product: Product) -> None:
    person = product.person()
    await person.ended(await person.ask(model="gpt-image-2"), within=90)
    text = (await inside(product, "generator", "/metrics")).text
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    submits = [sample for sample in families["sorami_provider_calls"] if sample.name.endswith("_total")]
    assert any(sample.labels == {"provider": "openai", "call": "submit", "outcome": "ok"} for sample in submits)
    attempts = [sample.labels for sample in families["sorami_provider_attempts"] if sample.name.endswith("_total")]
    assert {"provider": "openai", "model": "gpt-image-2", "outcome": "completed", "charged": "yes"} in attempts
    slots = {sample.labels["provider"]: sample.value for sample in families["sorami_task_slots"]}
    assert slots["openai"] > 0 and slots["instant"] > 0
    groups = {sample.labels["topic"]: sample.value for sample in families["sorami_consumer_partitions"]}
    assert groups["job.requested"] == 12
