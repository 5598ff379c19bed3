"""The examples of the document work: each is sent as it stands, with ids of things that are there."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contracts.ids import new_id
from services.gateway.api.examples import EXAMPLES, JOB, KEY
from sorami.documents import openapi
from tests.support.household import Household, found_household
from tests.support.product import SECRET, Product

WITH_BODY = [
    (method.upper(), path, operation)
    for path, operations in openapi()["paths"].items()
    for method, operation in operations.items()
    if "requestBody" in operation
]


@pytest.fixture(scope="module")
async def household(product: Product) -> AsyncIterator[Household]:
    household = await found_household(product)
    yield household
    await household.close()


async def ids_for(operation: str, household: Household, product: Product) -> dict[str, str]:
    """Return the ids of the address; some operations want a thing in a state of its own."""
    owner = household.owner
    if operation == "assign_orphan":
        return household.ids | {"orphan_id": await parked(product)}
    if operation == "pause_work":
        return {"scope": "model", "name": "a-model-of-nobody"}
    if operation == "retry_job":
        job_id = await owner.ask("video", model="procedural-1", duration_seconds=20)
        await owner.http.post(f"/api/jobs/{job_id}/cancel")
        await owner.ended(job_id, "video")
        return household.ids | {"job_id": job_id}
    if operation == "unlock_shared":
        share = EXAMPLES["create_share"] | {"generation_id": household.ids["generation_id"]}
        address = (await owner.http.post("/api/shares", json=share)).json()["url"]
        return household.ids | {"token": address.rpartition("/")[2]}
    return household.ids


async def parked(product: Product) -> str:
    """Have a backend report on a job and a person nobody knows, and return the parked report's id."""
    body = EXAMPLES["report_image"]
    job_id = new_id()
    report = json.loads(json.dumps(body).replace(JOB, job_id))
    answer = await product.backend_says("image", report | {"user_id": f"user_{new_id()}"})
    assert answer.json()["parked"] is True, answer.text
    orphans = (await product.operator().http.get("/api/admin/orphans")).json()["orphans"]
    return next(str(orphan["id"]) for orphan in orphans if orphan["job_id"] == job_id)


async def filled(operation: str, example: Any, household: Household, receiver: str) -> Any:
    """Put what is there in the place of the document's made-up ids and keys."""
    text = json.dumps(example)
    if operation.startswith("report_"):
        return json.loads(text.replace(JOB, new_id()))
    # The only receiver that a machine without the internet can reach.
    text = text.replace(EXAMPLES["create_webhook_endpoint"]["url"], f"http://{receiver}/{new_id()}")
    if KEY in text:
        made = await household.owner.http.post("/api/keys", json={"name": "page", "scopes": ["jobs:read"]})
        text = text.replace(KEY, made.json()["secret"])
    if operation == "assign_orphan":
        text = text.replace(EXAMPLES[operation]["user_id"], await household.owner.user_id())
    if operation == "begin_worker_upload":
        return json.loads(text.replace(JOB, await household.owner.ask(model="clumsy-1")))
    return json.loads(text.replace(JOB, household.ids["generation_id"]))


@pytest.mark.parametrize(
    ("method", "path", "operation"), WITH_BODY, ids=[f"{method} {path}" for method, path, _ in WITH_BODY]
)
async def test_an_example_is_taken(
    product: Product, household: Household, method: str, path: str, operation: dict[str, Any]
) -> None:
    name = operation["operationId"]
    example = operation["requestBody"]["content"]["application/json"].get("example")
    assert example is not None, "give it an example in services/gateway/api/examples.py"
    for key, value in (await ids_for(name, household, product)).items():
        path = path.replace(f"{{{key}}}", value)
    headers = {"Origin": product.url, "X-Webhook-Secret": SECRET}
    if operation["security"]:
        operators = path.startswith(("/api/admin/", "/api/generators/"))
        asking = product.operator() if operators else household.owner
        headers["Authorization"] = asking.http.headers["authorization"]
    receiver = product.stack.env["SORAMI_WEBHOOK_ALLOW"].partition(",")[0]
    async with httpx.AsyncClient(base_url=product.url, headers=headers, timeout=30) as client:
        answer = await client.request(method, path, json=await filled(name, example, household, receiver))
    assert 200 <= answer.status_code < 300, answer.text
    assert str(answer.status_code) in operation["responses"]


def test_no_example_is_of_an_operation_that_is_gone() -> None:
    assert set(EXAMPLES) == {operation["operationId"] for _, _, operation in WITH_BODY}
