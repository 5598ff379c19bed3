"""Addresses that single jobs bring: told as asked, signed with the owner's secret, kept and repaired in the console."""

from typing import Any

import pytest
from standardwebhooks import Webhook

from contracts.ids import new_id
from tests.support.product import Person, Product
from tests.support.receiver import Receiver, status
from tests.unit.notifier.test_signatures import own_verifier

JOBS = "/api/webhook-endpoints/jobs"
SETTLED = "SELECT 1 FROM sorami.deliveries WHERE job_id = $1 AND url IS NOT NULL AND state = $2"


async def deliveries(person: Person, job_id: str) -> list[dict[str, Any]]:
    answer = await person.http.get(f"{JOBS}/deliveries", params={"job_id": job_id})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["deliveries"]
    return found


async def test_a_job_is_told_at_its_own_address_with_the_secret_its_owner_fetched(
    product: Product, hooks: Receiver
) -> None:
    person = product.person()
    await person.user_id()
    secret = (await person.http.post(f"{JOBS}/rotate", json={})).json()["secret"]
    path = f"/{new_id()}"
    job_id = await person.ask(webhook_url=hooks.url(path), webhook_events=["job.completed"])
    beside = await person.ask()
    (call,) = await hooks.wait_at(path)
    Webhook(secret).verify(call.raw.decode(), call.headers)
    assert (call.body["type"], call.body["data"]["job_id"]) == ("job.completed", job_id)
    await person.ended(beside)
    await product.until(SETTLED, job_id, "delivered")
    (told,) = await deliveries(person, job_id)
    assert (told["url"], told["state"], told["attempts"]) == (hooks.url(path), "delivered", 1)
    assert await deliveries(person, beside) == []
    assert len(hooks.at(path)) == 1
    # It is no endpoint among the others, and cannot be given an address.
    assert (await person.http.get("/api/webhook-endpoints")).json() == {"endpoints": []}
    refused = await person.http.patch(JOBS, json={"url": hooks.url("/x")})
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_without_address")
    assert (await person.http.post(f"{JOBS}/test")).status_code == 409


async def test_every_job_of_a_batch_is_told_and_one_that_is_gone_costs_the_others_nothing(
    product: Product, hooks: Receiver
) -> None:
    person = product.person()
    await person.user_id()
    path, gone = f"/{new_id()}", f"/{new_id()}"
    hooks.plays[gone] = status(410)
    lost = await person.ask(webhook_url=hooks.url(gone), webhook_events=["job.completed"])
    await product.until(SETTLED, lost, "exhausted")
    batch = {"kind": "image", "prompt": "Un chat", "model": "instant", "variations": 3, "webhook_url": hooks.url(path)}
    made = (await person.http.post("/api/batches", json=batch)).json()["jobs"]
    calls = await hooks.wait_at(path, 3, type_="job.completed")
    assert {call.body["data"]["job_id"] for call in calls} == {job["job_id"] for job in made}
    endpoint = (await person.http.get(JOBS)).json()
    assert (endpoint["state"], endpoint["failing_since"]) == ("enabled", None)
    # Whoever sends it again does so under its id, at its address.
    hooks.plays[gone] = status(200)
    (first,) = await deliveries(person, lost)
    assert (await person.http.post(f"{JOBS}/deliveries/{first['id']}/resend")).status_code == 202
    calls = await hooks.wait_at(gone, 2)
    assert len({call.id for call in calls}) == 1


async def test_a_retry_tells_the_same_address(product: Product, hooks: Receiver) -> None:
    person = product.person()
    await person.user_id()
    path = f"/{new_id()}"
    job_id = await person.ask(
        "video",
        model="procedural-1",
        size="640x360",
        duration_seconds=4,
        webhook_url=hooks.url(path),
        webhook_events=["job.cancelled", "job.completed"],
    )
    await person.http.post(f"/api/jobs/{job_id}/cancel")
    (call,) = await hooks.wait_at(path)
    assert (call.body["type"], call.body["data"]["job_id"]) == ("job.cancelled", job_id)
    again = (await person.http.post(f"/api/jobs/{job_id}/retry")).json()["job_id"]
    await person.http.post(f"/api/jobs/{again}/cancel")
    _, second = await hooks.wait_at(path, 2)
    assert second.body["data"]["job_id"] == again


async def test_an_ending_nobody_heard_of_is_told_at_the_jobs_address(product: Product, hooks: Receiver) -> None:
    person = product.person()
    owner = await person.user_id()
    path = f"/{new_id()}"
    job_id = await person.ask()
    await person.ended(job_id)
    # As if Kafka had forgotten it before anybody had an endpoint for jobs.
    await product.pool.execute("INSERT INTO sorami.job_webhooks (job_id, url) VALUES ($1, $2)", job_id, hooks.url(path))
    (call,) = await hooks.wait_at(path, within=30)
    assert call.body["data"]["job_id"] == job_id
    secret = (await person.http.post(f"{JOBS}/rotate", json={"overlap_hours": 0})).json()["secret"]
    assert not own_verifier(secret, call.headers, call.raw)
    assert len(await product.rows("SELECT 1 FROM sorami.webhook_endpoints WHERE owner_id = $1", owner)) == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"webhook_url": "http://127.0.0.1/"}, "webhook_url", "url_forbidden_address"),
        ({"webhook_url": "http://169.254.169.254/latest"}, "webhook_url", "url_forbidden_address"),
        ({"webhook_url": "ftp://example.com/"}, "webhook_url", "url_scheme"),
        ({"webhook_url": "https://example.com:8443/"}, "webhook_url", "url_port"),
        ({"webhook_url": "https://a:b@example.com/"}, "webhook_url", "url_malformed"),
        ({"webhook_url": "https://example.com/", "webhook_events": []}, "webhook_events", "event_type_unknown"),
        ({"webhook_url": "https://example.com/", "webhook_events": ["test"]}, "webhook_events", "event_type_unknown"),
    ],
)
async def test_an_address_that_may_not_be_told_is_refused_with_the_request(
    product: Product, body: dict[str, Any], field: str, code: str
) -> None:
    person = product.person()
    one = {"prompt": "Un chat", **body}
    for path, sent in (
        ("/api/images/generate", one),
        ("/api/batches", {"kind": "image", **one}),
    ):
        answer = await person.http.post(path, json=sent)
        assert answer.status_code == 422, answer.text
        assert [(fault["field"].rpartition(".")[2], fault["code"]) for fault in answer.json()["errors"]] == [
            (field, code)
        ]
