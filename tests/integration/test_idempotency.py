"""An idempotency key stands for its first answer for a day, whatever became of the job."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.product import Person, Product

ASKED = {"prompt": "Un chat", "model": "instant"}


async def post(person: Person, key: str | None, path: str = "/api/images/generate", **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return await person.http.post(path, json=ASKED | body, headers=headers)


async def test_the_first_answer_is_given_again_though_the_job_has_ended(product: Product) -> None:
    person = product.person()
    first = await post(person, "a")
    await person.ended(first.json()["job_id"])
    again = await post(person, "a")
    assert (again.status_code, again.text, again.headers["idempotency-replayed"]) == (202, first.text, "true")
    assert "idempotency-replayed" not in first.headers
    assert again.headers["location"] == first.headers["location"]


async def test_the_language_of_the_first_answer_stays(product: Product) -> None:
    person = product.person()
    first = await person.http.post(
        "/api/images/generate", json=ASKED, headers={"Idempotency-Key": "a", "Accept-Language": "en"}
    )
    assert first.json()["message"] == "Waiting..."
    assert (await post(person, "a")).text == first.text


async def test_another_body_another_kind_or_another_route_is_another_request(product: Product) -> None:
    person = product.person()
    first = await post(person, "a")
    for answer in (
        await post(person, "a", num_images=2),
        await post(person, "a", job_id="mine"),
        await post(person, "a", "/api/videos/generate"),
        await person.http.post("/api/batches", json={"kind": "image", **ASKED}, headers={"Idempotency-Key": "a"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    rows = await product.rows("SELECT id FROM sorami.jobs WHERE owner_id = $1", await person.user_id())
    assert [row["id"] for row in rows] == [first.json()["job_id"]]


async def test_a_key_is_its_owners_alone(product: Product) -> None:
    one, other = product.person(), product.person()
    ids = {(await post(person, "a")).json()["job_id"] for person in (one, other)}
    assert len(ids) == 2


async def test_a_key_of_yesterday_may_be_used_again(product: Product) -> None:
    person = product.person()
    first = await post(person, "a")
    await product.pool.execute(
        "UPDATE sorami.idempotency_keys SET created_at = now() - interval '24 hours 1 second' WHERE owner_id = $1",
        await person.user_id(),
    )
    second = await post(person, "a", num_images=2)
    third = await post(person, "a", num_images=2)
    assert (second.status_code, "idempotency-replayed" in second.headers) == (202, False)
    assert second.json()["job_id"] != first.json()["job_id"]
    assert third.text == second.text


async def test_an_own_id_under_a_key_is_one_job_and_the_first_answer(product: Product) -> None:
    person = product.person()
    answers = await asyncio.gather(*(post(person, "a", job_id="keyed-1") for _ in range(30)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1


async def test_a_refused_request_leaves_its_key_unused(product: Product) -> None:
    person, other = product.person(), product.person()
    await post(other, None, job_id="taken-by-other")
    refused = await post(person, "a", job_id="taken-by-other")
    assert (refused.status_code, refused.json()["code"]) == (409, "job_id_taken")
    assert (await post(person, "a")).status_code == 202


async def test_different_keys_in_one_moment_are_different_jobs(product: Product) -> None:
    person = product.person()
    answers = await asyncio.gather(*(post(person, f"k{number // 2}") for number in range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["job_id"] for answer in answers}) == 50


@pytest.mark.parametrize("key", ["a", "~" * 255, "with space", "8e03978e-40d5-43e8-bc93-6894a57f9324"])
async def test_a_key_is_printable_ascii(product: Product, key: str) -> None:
    assert (await post(product.person(), key)).status_code == 202
