"""One list of all jobs: every kind, every state, with filters, to their owner alone."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.ids import new_id
from tests.support.product import Person, Product, frames


async def listed(person: Person, **filters: Any) -> list[dict[str, Any]]:
    answer = await person.http.get("/api/jobs", params=filters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["jobs"]
    return found


def ids(jobs: list[dict[str, Any]]) -> set[str]:
    return {job["job_id"] for job in jobs}


async def variety(product: Product, person: Person) -> dict[str, str]:
    """Make a job of each kind and state and return their ids."""
    made = {
        "image": await person.ask(),
        "video": await person.ask("video", duration_seconds=2),
        "failed": await person.ask(model="procedural-1", input_image_url="https://nowhere.example/x.png"),
        "cancelled": await person.ask("video", model="procedural-1", duration_seconds=60),
        "prisma": new_id(),
    }
    await person.http.post(f"/api/jobs/{made['cancelled']}/cancel")
    await product.pool.execute(
        'INSERT INTO image_generations (id, prompt, "authorId") VALUES ($1, $2, $3)',
        made["prisma"],
        "of an application",
        await person.user_id(),
    )
    for name in ("image", "video", "failed", "cancelled"):
        await person.http.get(f"/api/jobs/{made[name]}", params={"wait": 30})
    return made


async def test_all_jobs_are_listed_and_each_filter_narrows_them(product: Product) -> None:
    person = product.person()
    made = await variety(product, person)
    everything = await listed(person)
    assert ids(everything) == set(made.values())
    assert [job["created_at"] for job in everything] == sorted((j["created_at"] for j in everything), reverse=True)
    assert ids(await listed(person, status="COMPLETED")) == {made["image"], made["video"]}
    assert ids(await listed(person, status="FAILED,CANCELLED")) == {made["failed"], made["cancelled"]}
    assert ids(await listed(person, status=["FAILED", "PENDING"])) == {made["failed"], made["prisma"]}
    assert ids(await listed(person, kind="video")) == {made["video"], made["cancelled"]}
    assert ids(await listed(person, model="instant")) == {made["image"], made["video"]}
    assert ids(await listed(person, origin="application")) == {made["prisma"]}
    now = datetime.now(UTC).isoformat()
    assert await listed(person, created_after=now) == []
    assert ids(await listed(person, created_before=now)) == set(made.values())
    assert await listed(product.person()) == []


async def test_one_job_of_any_kind_is_shown_with_what_was_asked(product: Product) -> None:
    person, other = product.person(), product.person()
    made = await variety(product, person)
    bodies = {name: (await person.http.get(f"/api/jobs/{job_id}")).json() for name, job_id in made.items()}
    assert {name: (body["kind"], body["status"]) for name, body in bodies.items()} == {
        "image": ("image", "COMPLETED"),
        "video": ("video", "COMPLETED"),
        "failed": ("image", "FAILED"),
        "cancelled": ("video", "CANCELLED"),
        "prisma": ("image", "PENDING"),
    }
    assert bodies["failed"]["failure"]["code"] == "invalid_input"
    assert bodies["failed"]["completed_at"] is not None
    assert bodies["prisma"]["prompt"] == "of an application"
    foreign, absent = await other.http.get(f"/api/jobs/{made['image']}"), await other.http.get("/api/jobs/nobody")
    assert (foreign.status_code, foreign.text) == (404, absent.text)


async def test_pages_have_no_gaps_and_no_repeats(product: Product) -> None:
    person = product.person()
    made = set(await asyncio.gather(*(person.ask(("image", "video")[n % 2], prompt=f"p{n}") for n in range(23))))
    seen: list[str] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        parameters = {"limit": "5"} | ({"cursor": cursor} if cursor else {})
        page = (await person.http.get("/api/jobs", params=parameters)).json()
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert len(seen) == 23
    assert set(seen) == made


async def test_a_deleted_job_is_neither_listed_nor_shown(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    await product.pool.execute(
        "INSERT INTO sorami.deletions (generation_id, kind, owner_id, purge_after) VALUES ($1, 'image', $2, now())",
        job_id,
        await person.user_id(),
    )
    assert await listed(person) == []
    for path in (f"/api/jobs/{job_id}", f"/api/images/{job_id}/status"):
        assert (await person.http.get(path)).status_code == 404
    assert (await person.http.post(f"/api/jobs/{job_id}/cancel")).status_code == 404
    assert (await person.http.post(f"/api/jobs/{job_id}/retry")).status_code == 404


async def test_the_stream_of_a_job_needs_not_its_kind(product: Product) -> None:
    person, other = product.person(), product.person()
    await other.user_id()
    job_id = await person.ask("video", duration_seconds=2)
    async with person.http.stream("GET", f"/api/jobs/{job_id}/events") as answer:
        told = [frame.data["status"] async for frame in frames(answer)]
    assert told[-1] == "COMPLETED"
    assert (await other.http.get(f"/api/jobs/{job_id}/events")).status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"status": "DONE"}, 422, "status_unsupported"),
        ({"kind": "song"}, 422, "kind_unsupported"),
        ({"origin": "mars"}, 422, "origin_unsupported"),
        ({"model": ""}, 422, "model_empty"),
        ({"model": "x" * 101}, 422, "model_too_long"),
        ({"created_after": "yesterday"}, 422, "created_after_invalid"),
        ({"created_after": "0.5"}, 422, "created_after_invalid"),
        ({"owner": "x"}, 422, "unknown_field"),
        ({"model": "a\x00"}, 422, "model_control_character"),
        ({"kind": ["image", "video"]}, 422, "kind_repeated"),
    ],
)
async def test_a_wrong_filter_gets_its_own_code(
    product: Product, query: dict[str, Any], status: int, code: str
) -> None:
    answer = await product.person().http.get("/api/jobs", params=query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
