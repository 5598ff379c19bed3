"""Deleting: hidden at once, restorable for a while, then gone from every table and from the bucket."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from contracts.ids import new_id
from tests.support.product import Person, Product

CANARY = "canary-kestrel-7f3a"


async def finished(person: Person, kind: str = "image", **body: Any) -> str:
    job_id = await person.ask(kind, **body)
    await person.ended(job_id, kind)
    return job_id


async def address_of(person: Person, job_id: str, kind: str = "image") -> str:
    result = (await person.http.get(f"/api/{kind}s/{job_id}/result")).json()
    address: str = result[f"{kind}s"][0]["fileUrl"]
    return address


async def asked(address: str) -> httpx.Response:
    async with httpx.AsyncClient() as anybody:
        return await anybody.get(address)


@pytest.mark.parametrize("kind", ["image", "video"])
async def test_what_is_deleted_is_hidden_at_once_and_comes_back(product: Product, kind: str) -> None:
    person = product.person()
    job_id = await finished(person, kind)
    address = await address_of(person, job_id, kind)
    deleted = await person.http.delete(f"/api/gallery/{job_id}")
    assert (deleted.status_code, deleted.json()["id"]) == (200, job_id)
    assert deleted.json()["restorableUntil"] > deleted.json()["deletedAt"]
    for path in ("status", "result", "events"):
        assert (await person.http.get(f"/api/{kind}s/{job_id}/{path}")).status_code == 404
    assert (await person.http.get(f"/api/{kind}s/user")).json()["count"] == 0
    gone = await asked(address)
    assert (gone.status_code, gone.json()["code"]) == (410, "media_deleted")
    assert (await person.http.delete(f"/api/gallery/{job_id}")).json() == deleted.json()

    restored = await person.http.post(f"/api/gallery/{job_id}/restore")
    assert (restored.status_code, restored.json()) == (200, {"id": job_id, "restored": True})
    assert (await person.http.get(f"/api/{kind}s/user")).json()["count"] == 1
    assert (await asked(address)).status_code == 302
    assert (await person.http.post(f"/api/gallery/{job_id}/restore")).status_code == 200


async def test_nobody_deletes_or_restores_what_is_not_theirs(product: Product) -> None:
    owner, other = product.person(), product.person()
    job_id = await finished(owner)
    for absent in (job_id, new_id(), "%00", "a" * 300):
        for answer in (
            await other.http.delete(f"/api/gallery/{absent}"),
            await other.http.post(f"/api/gallery/{absent}/restore"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "generation_not_found")
    bulk = await other.http.post("/api/gallery/delete", json={"ids": [job_id]})
    assert bulk.json() == {"deleted": [], "notFound": [job_id]}
    assert (await owner.http.get("/api/images/user")).json()["count"] == 1


async def test_many_are_deleted_and_restored_in_one_call(product: Product) -> None:
    person, other = product.person(), product.person()
    mine = [await finished(person), await finished(person, "video")]
    theirs = await finished(other)
    ids = [*mine, theirs, mine[0], "nothing"]
    answers = await asyncio.gather(*(person.http.post("/api/gallery/delete", json={"ids": ids}) for _ in range(5)))
    assert {tuple(one["id"] for one in answer.json()["deleted"]) for answer in answers} == {tuple(mine)}
    assert answers[0].json()["notFound"] == [theirs, "nothing"]
    restored = (await person.http.post("/api/gallery/restore", json={"ids": ids})).json()
    assert restored == {"restored": mine, "notFound": [theirs, "nothing"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ids": []}, "ids_empty"),
        ({"ids": ["x"] * 201}, "ids_too_long"),
        ({"ids": [5]}, "not_a_string"),
        ({}, "ids_required"),
    ],
)
async def test_a_list_of_ids_that_is_none_is_refused(product: Product, body: dict[str, Any], code: str) -> None:
    person = product.person("user_of_bad_deletions")
    for route in ("delete", "restore"):
        answer = await person.http.post(f"/api/gallery/{route}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def tables_that_hold(pool: "asyncpg.Pool[asyncpg.Record]", word: str) -> set[str]:
    """Search a word in every row of every table, as text."""
    tables = await pool.fetch(
        "SELECT table_schema || '.' || quote_ident(table_name) AS name FROM information_schema.tables"
        " WHERE table_schema IN ('public', 'sorami') AND table_type = 'BASE TABLE'"
    )
    found = set()
    for table in tables:
        # Bytes are shown as hex in a row's text, so both spellings are looked for.
        row = await pool.fetchval(
            f"SELECT count(*) FROM {table['name']} t WHERE t::text LIKE $1 OR t::text LIKE $2",
            f"%{word}%",
            f"%{word.encode().hex()}%",
        )
        if row:
            found.add(table["name"])
    return found


async def end_window(product: Product, job_id: str) -> None:
    await product.pool.execute(
        "UPDATE sorami.deletions SET purge_after = now() - interval '1 second' WHERE generation_id = $1", job_id
    )


async def purged(product: Product, job_id: str) -> None:
    await end_window(product, job_id)
    await product.until("SELECT 1 FROM sorami.deletions WHERE generation_id = $1 AND purged_at IS NOT NULL", job_id)


async def emptied(product: Product, prefix: str, within: float = 30.0) -> None:
    async with asyncio.timeout(within):
        while await product.object_keys(prefix):  # noqa: ASYNC110 - the bucket announces nothing
            await asyncio.sleep(0.1)


async def test_after_its_window_nothing_is_left_of_a_generation(product: Product) -> None:
    person = product.person()
    job_id = await finished(person, prompt=f"A {CANARY} over the sea", model="procedural-1", size="512x512")
    address = await address_of(person, job_id)
    # What else may hold words of it: a record nobody could read, a backend's report.
    await product.pool.execute(
        'INSERT INTO sorami.dead_letters (topic, partition, "offset", consumer, key, reason, value)'
        " VALUES ('job.completed', 0, 1, $1, $1, 'x', $2)",
        job_id,
        CANARY.encode(),
    )
    await product.pool.execute(
        "INSERT INTO sorami.orphans (id, kind, job_id, status, payload, reason)"
        " VALUES ($1, 'image', $1, 'completed', jsonb_build_object('prompt', $2::text), 'x')",
        job_id,
        CANARY,
    )
    await product.pool.execute(
        "INSERT INTO sorami.outbox_gateway (topic, key, value, created_at)"
        " VALUES ('x', $1, $2, now() + interval '1 day')",
        job_id,
        CANARY.encode(),
    )
    before = await tables_that_hold(product.pool, CANARY)
    assert {"sorami.jobs", "public.image_generations", "sorami.tasks", "sorami.deliveries", "sorami.dead_letters",
            "sorami.orphans", "sorami.outbox_gateway"} <= before  # fmt: skip
    assert len(await product.object_keys(f"images/{job_id}/")) == 2

    await person.http.delete(f"/api/gallery/{job_id}")
    await purged(product, job_id)
    await emptied(product, f"images/{job_id}/")
    await product.until("SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.tasks WHERE job_id = $1)", job_id)

    assert await tables_that_hold(product.pool, CANARY) == set()
    assert await tables_that_hold(product.pool, job_id) - {"sorami.outbox_persistence"} == {
        "sorami.deletions",
        "sorami.audit_log",  # that it was deleted, and by whom
    }
    gone = await asked(address)
    assert (gone.status_code, gone.json()["code"]) == (410, "media_deleted")
    restore = await person.http.post(f"/api/gallery/{job_id}/restore")
    assert (restore.status_code, restore.json()["code"]) == (410, "generation_purged")
    assert (await person.http.delete(f"/api/gallery/{job_id}")).status_code == 404
    again = await person.http.post("/api/images/generate", json={"prompt": "x", "model": "instant", "job_id": job_id})
    assert (again.status_code, again.json()["code"]) == (409, "job_id_taken")


async def test_a_generation_of_an_application_loses_its_rows_and_keeps_its_objects(product: Product) -> None:
    person = product.person()
    job_id, owner = new_id(), await person.user_id()
    await product.pool.execute(
        'INSERT INTO image_generations (id, prompt, status, "authorId", "completedAt")'
        " VALUES ($1, $2, 'COMPLETED', $3, now())",
        job_id,
        CANARY + "-prisma",
        owner,
    )
    await product.pool.execute(
        'INSERT INTO image_files (id, "generationId", filename, "s3Key", "fileUrl")'
        " VALUES ($1, $1, 'a.png', 'elsewhere/a.png', 'https://cdn.example.org/a.png')",
        job_id,
    )
    assert (await person.http.delete(f"/api/gallery/{job_id}")).status_code == 200
    assert (await person.http.get("/api/images/user")).json()["count"] == 0
    await purged(product, job_id)
    assert await tables_that_hold(product.pool, CANARY + "-prisma") == set()


async def test_a_late_report_on_a_purged_job_is_no_dead_letter(product: Product) -> None:
    person = product.person()
    job_id = await finished(person)
    verdict = await product.row("SELECT verdict->>'value' AS value FROM sorami.tasks WHERE job_id = $1", job_id)
    request = await product.row("SELECT request::text AS value FROM sorami.jobs WHERE id = $1", job_id)
    await person.http.delete(f"/api/gallery/{job_id}")
    await purged(product, job_id)
    await product.until("SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.tasks WHERE job_id = $1)", job_id)
    mark = b"poison " + job_id.encode()
    async with AIOKafkaProducer(bootstrap_servers=product.stack.env["KAFKA_BOOTSTRAP_SERVERS"]) as producer:
        for topic, value in (("job.requested", request["value"]), ("job.completed", verdict["value"])):
            await producer.send_and_wait(topic, value=value.encode(), key=job_id.encode())
            # The record behind it on the same partition becomes a dead letter, so the one before it was handled.
            await producer.send_and_wait(topic, value=mark, key=job_id.encode())
    for topic in ("job.requested", "job.completed"):
        await product.until("SELECT 1 FROM sorami.dead_letters WHERE topic = $1 AND value = $2", topic, mark)
    buried = await product.rows("SELECT value FROM sorami.dead_letters WHERE key = $1", job_id)
    assert {row["value"] for row in buried} == {mark}
    assert await product.row("SELECT 1 FROM sorami.tasks WHERE job_id = $1", job_id) is None


async def test_objects_go_even_when_nobody_heard_that_they_must(product: Product) -> None:
    person = product.person()
    job_id = await finished(person)
    await person.http.delete(f"/api/gallery/{job_id}")
    # The rows say that it was purged, and no event ever did: the generator's own look finds it.
    await product.pool.execute(
        "UPDATE sorami.deletions SET purged_at = now() - interval '1 hour' WHERE generation_id = $1", job_id
    )
    await emptied(product, f"images/{job_id}/")
    await product.until("SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.tasks WHERE job_id = $1)", job_id)


async def test_what_is_deleted_while_it_runs_is_purged_when_it_has_ended(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=2, fps=24)
    await product.until("SELECT 1 FROM sorami.jobs WHERE id = $1 AND status = 'GENERATING'", job_id)
    assert (await person.http.delete(f"/api/gallery/{job_id}")).status_code == 200
    await end_window(product, job_id)
    await purged(product, job_id)
    await emptied(product, f"videos/{job_id}/")
    assert await tables_that_hold(product.pool, job_id) <= {
        "sorami.deletions", "sorami.audit_log", "sorami.tasks", "sorami.outbox_persistence", "sorami.outbox_generator",
    }  # fmt: skip
