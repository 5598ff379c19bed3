"""Batches: many jobs in one request, all or none, watched and cancelled as one."""

from typing import Any

import httpx
import pytest

from tests.support.product import Person, Product

QUICK = {"kind": "image", "model": "instant"}


async def post(person: Person, **body: Any) -> httpx.Response:
    return await person.http.post("/api/batches", json=body)


async def ended(person: Person, batch_id: str) -> dict[str, Any]:
    """Wait for every job of a batch and return the batch."""
    for job in (await person.http.get(f"/api/batches/{batch_id}")).json()["jobs"]:
        await person.http.get(f"/api/jobs/{job['job_id']}", params={"wait": 30})
    body: dict[str, Any] = (await person.http.get(f"/api/batches/{batch_id}")).json()
    return body


async def test_variations_are_one_prompt_with_seeds_of_their_own(product: Product) -> None:
    person = product.person()
    answer = await post(person, **QUICK, prompt="Un chat", variations=8)
    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/batches/{body['batch_id']}"
    assert {(job["status"], job["batch_id"]) for job in body["jobs"]} == {("PENDING", body["batch_id"])}
    done = await ended(person, body["batch_id"])
    assert (done["total"], done["counts"]["COMPLETED"], done["ended"]) == (8, 8, True)
    assert [job["job_id"] for job in done["jobs"]] == [job["job_id"] for job in body["jobs"]]
    rows = await product.rows(
        "SELECT request->'options'->>'seed' AS seed FROM sorami.jobs WHERE batch_id = $1", body["batch_id"]
    )
    assert len({row["seed"] for row in rows}) == 8


async def test_prompts_and_variations_are_multiplied(product: Product) -> None:
    person = product.person()
    answer = await post(person, **QUICK, prompts=["a cat", "a dog"], variations=2, size="512x512", seed=7)
    done = await ended(person, answer.json()["batch_id"])
    assert [job["prompt"] for job in done["jobs"]] == ["a cat", "a cat", "a dog", "a dog"]
    rows = await product.rows(
        "SELECT (request->'options'->>'seed')::int AS seed FROM sorami.jobs WHERE batch_id = $1 ORDER BY id",
        answer.json()["batch_id"],
    )
    assert [row["seed"] for row in rows] == [7, 8, 7, 8]


async def test_kinds_may_be_mixed_and_each_job_has_its_own_id(product: Product) -> None:
    person = product.person()
    own = f"mixed-{person.subject[-8:]}"
    requests = [
        {"kind": "video", "prompt": "Waves", "model": "instant", "duration_seconds": 2},
        {"prompt": "Un chat", "model": "instant", "job_id": own},
    ]
    answer = await post(person, kind="image", requests=requests)
    assert answer.status_code == 202, answer.text
    done = await ended(person, answer.json()["batch_id"])
    assert {(job["kind"], job["status"]) for job in done["jobs"]} == {("image", "COMPLETED"), ("video", "COMPLETED")}
    assert own in {job["job_id"] for job in done["jobs"]}


async def test_one_that_cannot_be_made_leaves_none(product: Product) -> None:
    person, other = product.person(), product.person()
    taken = await other.ask()
    answer = await post(person, **QUICK | {"model": None}, requests=[{"prompt": "a"}, {"prompt": "b", "job_id": taken}])
    assert answer.status_code == 422
    requests = [{"prompt": "a", "model": "instant"}, {"prompt": "b", "model": "instant", "job_id": taken}]
    answer = await post(person, kind="image", requests=requests)
    assert (answer.status_code, answer.json()["code"]) == (409, "job_id_taken")
    for table in ("jobs", "batches"):
        assert await product.rows(f"SELECT 1 FROM sorami.{table} WHERE owner_id = $1", await person.user_id()) == []


async def test_every_fault_of_every_request_is_named_with_its_place(product: Product) -> None:
    answer = await post(
        product.person(), kind="image", requests=[{"prompt": "a"}, {"prompt": ""}, {"prompt": "b", "size": "1x1"}]
    )
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [
        ("requests.1.prompt", "prompt_empty"),
        ("requests.2.size", "size_unsupported"),
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "image"}, "prompt_required"),
        ({"prompt": "a"}, "kind_unsupported"),
        ({"kind": "song", "prompt": "a"}, "kind_unsupported"),
        ({"kind": "image", "prompt": "a", "prompts": ["b"]}, "prompt_required"),
        ({"kind": "image", "prompts": []}, "prompts_empty"),
        ({"kind": "image", "requests": []}, "requests_empty"),
        ({"kind": "image", "requests": [{"prompt": "a"}] * 101}, "requests_too_long"),
        ({"kind": "image", "prompt": "a", "variations": 101}, "variations_out_of_range"),
        ({"kind": "image", "prompt": "a", "variations": 0}, "variations_out_of_range"),
        ({"kind": "image", "prompts": ["a"] * 51, "variations": 2}, "batch_too_large"),
        ({"kind": "image", "prompt": "a", "authorId": "x"}, "unknown_field"),
        ({"kind": "image", "prompt": "a", "job_id": "x"}, "unknown_field"),
        ({"kind": "image", "requests": [{"prompt": "a"}], "size": "512x512"}, "unknown_field"),
        ({"kind": "image", "requests": ["a"]}, "not_an_object"),
        ({"kind": "image", "requests": [{"prompt": "a", "job_id": "x"}] * 2}, "job_id_repeated"),
        ({"kind": "image", "requests": [{"prompt": "a", "user_id": "x"}, {"prompt": "b"}]}, "user_ids_differ"),
        ({"kind": "image", "prompt": "a", "model": "imagined"}, "model_unknown"),
        ({"kind": "image", "prompt": "a", "parent_id": "nobody"}, "parent_unknown"),
    ],
)
async def test_a_wrong_batch_gets_its_own_code(product: Product, body: dict[str, Any], code: str) -> None:
    answer = await post(product.person(), **body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_batch_is_cancelled_as_one(product: Product) -> None:
    person = product.person()
    answer = await post(person, kind="video", prompt="Waves", variations=5, model="procedural-1", duration_seconds=60)
    batch_id = answer.json()["batch_id"]
    cancelled = await person.http.post(f"/api/batches/{batch_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["cancel_requested"]) == (202, True)
    done = await ended(person, batch_id)
    assert (done["counts"]["CANCELLED"], done["ended"]) == (5, True)
    again = await person.http.post(f"/api/batches/{batch_id}/cancel")
    assert (again.status_code, again.json()["counts"]) == (200, done["counts"])


async def test_a_batch_that_has_ended_is_not_cancelled(product: Product) -> None:
    person = product.person()
    batch_id = (await post(person, **QUICK, prompt="a", variations=2)).json()["batch_id"]
    await ended(person, batch_id)
    answer = await person.http.post(f"/api/batches/{batch_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "batch_already_finished")


async def test_batches_are_listed_in_pages_to_their_owner_alone(product: Product) -> None:
    person, other = product.person(), product.person()
    made = [(await post(person, **QUICK, prompt="a", variations=2)).json()["batch_id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        parameters = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await person.http.get("/api/batches", params=parameters)).json()
        seen += [batch["batch_id"] for batch in page["batches"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]
    assert (await other.http.get("/api/batches")).json()["batches"] == []
    foreign, absent = await other.http.get(f"/api/batches/{made[0]}"), await other.http.get("/api/batches/nobody")
    assert (foreign.status_code, foreign.text) == (404, absent.text)
    assert (await other.http.post(f"/api/batches/{made[0]}/cancel")).status_code == 404
