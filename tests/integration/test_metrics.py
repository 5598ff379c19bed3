"""What an operator's Prometheus reads: every service tells, in base units, and no label names a person or a job."""

import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.product import Product

PORTS = {
    "gateway": "SORAMI_GATEWAY_INTERNAL_PORT",
    "generator": "SORAMI_GENERATOR_PORT",
    "persistence": "SORAMI_PERSISTENCE_PORT",
    "notifier": "SORAMI_NOTIFIER_INTERNAL_PORT",
}
_ID = re.compile(r"c[0-9a-z]{24}|[0-9a-f-]{32,}|user_|https?://")
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def inside(product: Product, service: str, path: str) -> httpx.Response:
    address = f"http://127.0.0.1:{product.stack.env[PORTS[service]]}"
    async with httpx.AsyncClient(base_url=address, timeout=10) as client:
        return await client.get(path)


async def scraped(product: Product, service: str) -> Samples:
    answer = await inside(product, service, "/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def total(samples: Samples, name: str, **labels: str) -> float:
    return sum(
        value for (found, given), value in samples.items() if found == name and labels.items() <= dict(given).items()
    )


async def test_a_job_is_counted_on_its_way(product: Product) -> None:
    before = {service: await scraped(product, service) for service in PORTS}
    person = product.person()
    await person.ended(await person.ask())
    after = {service: await scraped(product, service) for service in PORTS}

    def rise(service: str, name: str, **labels: str) -> float:
        return total(after[service], name, **labels) - total(before[service], name, **labels)

    assert rise("gateway", "sorami_jobs_accepted_total", kind="image", model="instant", origin="api") == 1
    assert rise("gateway", "sorami_http_requests_total", route="/api/images/generate", status="202") == 1
    assert rise("gateway", "sorami_http_response_start_seconds_count", route="/api/images/generate") == 1
    assert rise("gateway", "sorami_outbox_sent_rows_total", topic="job.requested") == 1
    assert rise("generator", "sorami_consumed_records_total", topic="job.requested", outcome="handled") >= 1
    assert rise("persistence", "sorami_jobs_ended_total", kind="image", status="COMPLETED") == 1
    assert rise("persistence", "sorami_job_seconds_count", kind="image") == 1
    assert rise("notifier", "sorami_consumed_records_total", topic="job.updated", outcome="handled") >= 1


@pytest.mark.parametrize("service", PORTS)
async def test_every_service_tells_what_an_alert_needs(product: Product, service: str) -> None:
    samples = await scraped(product, service)
    assert {
        "sorami_ready",
        "sorami_outbox_waiting_rows",
        "sorami_outbox_oldest_seconds",
        "sorami_relay_held_rows",
        "sorami_relay_held_rows_bound",
        "sorami_database_connections",
        "process_resident_memory_bytes",
    } <= {name for name, _ in samples}
    assert total(samples, "sorami_ready") == 1
    named = [value for _, labels in samples for _, value in labels if _ID.search(value)]
    assert named == []


async def test_addresses_and_methods_of_a_callers_invention_are_no_labels(product: Product) -> None:
    async with httpx.AsyncClient(base_url=product.url) as client:
        await client.request("BREW", "/coffee/with/milk")
        await client.get("/api/images/nobody0knows0this/status")
    labels = {value for _, given in await scraped(product, "gateway") for _, value in given}
    assert not {"BREW", "/coffee/with/milk", "/api/images/nobody0knows0this/status"} & labels
    assert "/api/images/{job_id}/status" in labels


@pytest.mark.parametrize("path", ["/metrics", "/internal/metrics"])
async def test_nothing_internal_is_public(product: Product, path: str) -> None:
    async with httpx.AsyncClient() as client:
        for address in (product.url, product.stack.env["SORAMI_NOTIFIER_URL"]):
            answer = await client.get(address + path)
            assert "sorami_http_requests" not in answer.text


@pytest.mark.parametrize("service", PORTS)
async def test_probes_answer_inside(product: Product, service: str) -> None:
    assert (await inside(product, service, "/healthz")).json() == {"status": "ok"}
    assert (await inside(product, service, "/readyz")).json() == {"status": "ready"}
    assert (await inside(product, service, "/nothing")).status_code == 404
