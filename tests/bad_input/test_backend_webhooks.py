"""Rows W8 and W13 to W18: what a backend may not say, and that the job it speaks of stays as it was."""

from typing import Any

import httpx
import pytest

from contracts.ids import new_id
from tests.support.gateway import running_gateway
from tests.support.golden import golden
from tests.support.identity_provider import IdentityProvider
from tests.support.postgres import Database
from tests.support.product import SECRET, Product

FILE = {"file_path": "images/a.png", "url": "https://backend.example/a.png"}


def completed(**of_a_file: Any) -> dict[str, Any]:
    return {"status": "completed", "data": {"images": [FILE | of_a_file]}}


SAID: dict[str, tuple[dict[str, Any], str]] = {
    "W14 capitals": ({"status": "COMPLETED"}, "status_unknown"),
    "W14 done": ({"status": "done"}, "status_unknown"),
    "W14 a number": ({"status": 5}, "status_unknown"),
    "W14 nothing": ({"status": None}, "status_unknown"),
    "W15 dimensions": (completed(dimensions="axb"), "dimensions_invalid"),
    "W15 size": (completed(size_bytes=-1), "size_bytes_out_of_range"),
    "W15 address": (completed(url="javascript:alert(1)"), "url_scheme"),
    "W15 path": (completed(file_path="../../x"), "file_path_invalid"),
    "W15 500 images": ({"status": "completed", "data": {"images": [FILE] * 500}}, "too_long"),
    "W16 above": ({"status": "saving", "progress": 101}, "progress_out_of_range"),
    "W16 below": ({"status": "saving", "progress": -5}, "progress_out_of_range"),
    "W16 text": ({"status": "saving", "progress": "60"}, "int_type"),
}


@pytest.mark.parametrize("name", SAID)
async def test_what_cannot_be_is_refused_by_its_path_and_moves_nothing(product: Product, name: str) -> None:
    said, code = SAID[name]
    job_id = await product.person().ask(model="painter-1")
    answer = await product.backend_says("image", {"job_id": job_id} | said)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await product.statuses([job_id]))[job_id] == "PENDING"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        pytest.param(b'{"job_id": "' + b"x" * 5_000_000 + b'"}', "application/json", 413, id="W18-5-MB"),
        pytest.param(b"{" + b" " * 20_000_000, "application/json", 413, id="W18-20-MB-beyond-all-buffers"),
        pytest.param(b"not json", "application/json", 400, id="W18-no-json"),
        pytest.param(b"<job/>", "application/xml", 415, id="W18-xml"),
    ],
)
async def test_a_body_that_is_none_is_refused(product: Product, body: bytes, content_type: str, status: int) -> None:
    headers = {"X-Webhook-Secret": SECRET, "Content-Type": content_type}
    async with httpx.AsyncClient(base_url=product.url, timeout=30) as backend:
        answer = await backend.post("/api/webhooks/image-completion", content=body, headers=headers)
    assert answer.status_code == status


async def test_W17_what_comes_after_the_end_is_taken_and_changes_nothing(product: Product) -> None:
    person = product.person()
    cancelled = await person.ask(model="painter-1")
    await person.http.post(f"/api/jobs/{cancelled}/cancel")
    await person.ended(cancelled)
    late = await product.backend_says(
        "image", golden("e1_completed") | {"job_id": cancelled, "data": completed()["data"]}
    )
    assert (late.status_code, late.json()) == (200, {"success": True, "ignored": True, "state": "CANCELLED"})
    done = await person.ask()
    await person.ended(done)
    failed = await product.backend_says("image", {"job_id": done, "status": "failed", "error_message": "x"})
    assert (failed.status_code, failed.json()) == (200, {"success": True, "ignored": True, "state": "COMPLETED"})


async def test_W8_without_a_secret_nobody_is_believed(migrated: Database, provider: IdentityProvider) -> None:
    async with running_gateway(migrated, provider, webhook_secret=None) as gateway:
        for given in ("", "x", new_id()):
            answer = await gateway.ask(
                "POST", "/api/webhooks/image-completion", headers={"X-Webhook-Secret": given}, json={}
            )
            assert (answer.status_code, answer.json()["code"]) == (503, "webhook_secret_unset")
