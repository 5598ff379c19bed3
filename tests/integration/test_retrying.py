"""Retry and edit: a new job that names the one it comes from."""

import httpx
import pytest

from contracts.ids import new_id
from tests.support.product import Person, Product

FAILS = {
    "model": "procedural-1",
    "input_image_url": "https://nowhere.example/x.png",
    "size": "512x512",
    "caption": "Chat",
}


async def retry(person: Person, job_id: str, **options: object) -> httpx.Response:
    return await person.http.post(f"/api/jobs/{job_id}/retry", **options)  # type: ignore[arg-type]


async def failed(person: Person) -> str:
    job_id = await person.ask(**FAILS, priority=3, finish_within_seconds=600)
    assert (await person.ended(job_id))[-1].data["status"] == "FAILED"
    return job_id


async def test_a_failed_job_is_asked_for_again_word_for_word(product: Product) -> None:
    person = product.person()
    first = await failed(person)
    answer = await retry(person, first)
    assert (answer.status_code, answer.json()["retry_of"]) == (202, first)
    second = answer.json()["job_id"]
    assert second != first
    statement = """SELECT request - 'job_id' - 'at' - 'start_by' - 'finish_by' AS request, priority,
                          round(extract(epoch FROM finish_by - created_at)) AS seconds
                   FROM sorami.jobs WHERE id = $1"""
    assert dict(await product.row(statement, first)) == dict(await product.row(statement, second))
    body = (await person.http.get(f"/api/jobs/{second}", params={"wait": 20})).json()
    assert (body["status"], body["retry_of"], body["prompt"]) == ("FAILED", first, "Un chat mignon")
    third = await retry(person, second)
    assert third.json()["retry_of"] == second


async def test_a_cancelled_job_may_be_retried(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", model="procedural-1", duration_seconds=60)
    await person.http.post(f"/api/jobs/{job_id}/cancel")
    await person.ended(job_id, "video", within=10)
    answer = await retry(person, job_id, json={})
    assert answer.status_code == 202
    await person.http.post(f"/api/jobs/{answer.json()['job_id']}/cancel")


async def test_a_retry_takes_an_idempotency_key(product: Product) -> None:
    person = product.person()
    first = await failed(person)
    answers = [await retry(person, first, headers={"Idempotency-Key": "again"}) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    other = await failed(person)
    reused = await retry(person, other, headers={"Idempotency-Key": "again"})
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


async def test_only_what_failed_is_retried_and_nothing_is_changed_on_the_way(product: Product) -> None:
    person, other = product.person(), product.person()
    done = await person.ask()
    await person.ended(done)
    answer = await retry(person, done)
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_failed")
    assert answer.json()["job_status"] == "COMPLETED"
    first = await failed(person)
    changed = await retry(person, first, json={"prompt": "another"})
    assert (changed.status_code, changed.json()["code"]) == (422, "unknown_field")
    assert (await retry(other, first)).text == (await retry(other, "nobody")).text
    assert (await retry(other, first)).status_code == 404


async def test_an_edit_names_its_parent(product: Product) -> None:
    person = product.person()
    parent = await person.ask()
    child = await person.ask("video", parent_id=parent)
    body = (await person.http.get(f"/api/jobs/{child}")).json()
    assert body["parent_id"] == parent
    assert (await person.status(child, "video"))["parent_id"] == parent


@pytest.mark.parametrize("parent", ["nobody", "../x", "foreign", "deleted"])
async def test_a_parent_that_is_not_ones_own_is_unknown(product: Product, parent: str) -> None:
    person, other = product.person(), product.person()
    if parent == "foreign":
        parent = await other.ask()
    elif parent == "deleted":
        parent = await person.ask()
        await product.pool.execute(
            """INSERT INTO sorami.deletions (generation_id, kind, owner_id, purge_after)
               VALUES ($1, 'image', $2, now())""",
            parent,
            await person.user_id(),
        )
    answer = await person.http.post("/api/images/generate", json={"prompt": "a", "parent_id": parent})
    assert (answer.status_code, answer.json()["code"]) == (422, "parent_unknown")


async def test_a_row_of_an_application_may_be_a_parent(product: Product) -> None:
    person = product.person()
    parent = new_id()
    insert = 'INSERT INTO image_generations (id, prompt, "authorId") VALUES ($1, $2, $3)'
    await product.pool.execute(insert, parent, "Un chat", await person.user_id())
    assert (await person.status(await person.ask(parent_id=parent)))["parent_id"] == parent
