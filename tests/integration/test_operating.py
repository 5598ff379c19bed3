"""An operator sees what is stuck, sends it on or sets it aside, once; nobody else may look."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from contracts.ids import new_id
from tests.support.golden import golden
from tests.support.product import Person, Product

LETTERS = "/api/admin/dead-letters"
ORPHANS = "/api/admin/orphans"


async def buried(product: Product, value: bytes, key: str) -> str:
    """Send a record that cannot be handled and return its dead letter's id."""
    producer = AIOKafkaProducer(bootstrap_servers=product.stack.env["KAFKA_BOOTSTRAP_SERVERS"])
    await producer.start()
    try:
        sent = await producer.send_and_wait("job.progress", value=value, key=key.encode())
    finally:
        await producer.stop()
    place = ("job.progress", sent.partition, sent.offset)
    await product.until('SELECT 1 FROM sorami.dead_letters WHERE (topic, partition, "offset") = ($1, $2, $3)', *place)
    return f"job.progress:{sent.partition}:{sent.offset}:persistence"


async def listed(operator: Person, letter_id: str, state: str) -> dict[str, Any] | None:
    answer = await operator.http.get(LETTERS, params={"state": state, "topic": "job.progress", "limit": 200})
    assert answer.status_code == 200, answer.text
    return next((one for one in answer.json()["dead_letters"] if one["id"] == letter_id), None)


async def test_a_dead_letter_is_read_replayed_once_and_noted(product: Product) -> None:
    operator = product.operator()
    key = new_id()
    # Well-formed, but of a job that is not there yet.
    event = {
        "job_id": key,
        "kind": "image",
        "at": datetime.now(UTC).isoformat(),
        "stage": "saving",
        "progress": 91,
    }
    letter_id = await buried(product, json.dumps(event).encode(), key)

    whole = (await operator.http.get(f"{LETTERS}/{letter_id}")).json()
    assert (whole["reason"], json.loads(whole["value"]), whole["value_base64"]) == ("unknown_job", event, None)
    assert await listed(operator, letter_id, "open") is not None

    # The job appears, as when a database was restored a little too old and its application wrote it again.
    person = product.person()
    asked = await person.http.post(
        "/api/images/generate", json={"prompt": "Un chat", "model": "procedural-1", "job_id": key, "num_images": 4}
    )
    assert asked.status_code == 202, asked.text
    replayed = await operator.http.post(f"{LETTERS}/{letter_id}/replay")
    assert (replayed.status_code, replayed.json()) == (202, {"replayed": 1, "more": False, "before": None})
    assert await product.until(
        "SELECT 1 FROM sorami.job_events WHERE job_id = $1 AND (data->>'progress')::int = 91", key
    )

    assert await listed(operator, letter_id, "open") is None
    note = await listed(operator, letter_id, "replayed")
    assert note is not None
    assert note["resolved_by"] == await operator.user_id()
    again = await operator.http.post(f"{LETTERS}/{letter_id}/replay")
    assert (again.status_code, again.json()["code"]) == (409, "dead_letter_settled")
    audited = await product.row(
        "SELECT actor FROM sorami.audit_log WHERE action = 'dead_letter.replayed' AND subject = $1", letter_id
    )
    assert audited["actor"] == note["resolved_by"]


async def test_poison_that_is_replayed_becomes_a_letter_of_its_own(product: Product) -> None:
    operator = product.operator()
    key = new_id()
    first = await buried(product, b"\xff{", key)
    assert (await operator.http.get(f"{LETTERS}/{first}")).json()["value_base64"] == "/3s="
    filters = {"topic": "job.progress", "consumer": "persistence"}
    answer = await operator.http.post(f"{LETTERS}/replay", json=filters)
    assert answer.status_code == 202
    assert answer.json()["replayed"] >= 1
    await product.until("SELECT 1 FROM sorami.dead_letters WHERE key = $1 AND resolution IS NULL", key)
    rows = await product.rows("SELECT resolution FROM sorami.dead_letters WHERE key = $1 ORDER BY at", key)
    assert [row["resolution"] for row in rows] == ["replayed", None]


async def test_a_discarded_letter_stays_readable(product: Product) -> None:
    operator = product.operator()
    letter_id = await buried(product, b"{", new_id())
    assert (await operator.http.delete(f"{LETTERS}/{letter_id}")).status_code == 204
    assert (await operator.http.get(f"{LETTERS}/{letter_id}")).json()["resolution"] == "discarded"
    assert (await operator.http.delete(f"{LETTERS}/{letter_id}")).status_code == 409


@pytest.mark.parametrize(
    "letter_id", ["a", "a:1:2", "a:x:2:b", "job.progress:0:999999999999999999:generator", "a:1:²:b"]
)
async def test_an_id_of_no_letter_is_not_found(product: Product, letter_id: str) -> None:
    answer = await product.operator().http.get(f"{LETTERS}/{letter_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "dead_letter_not_found")


async def test_pages_of_letters_meet_without_a_gap(product: Product) -> None:
    operator = product.operator()
    ids = [await buried(product, b"{", new_id()) for _ in range(3)]
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < 3:
        page: dict[str, str | int] = {"state": "all", "limit": 1}
        if cursor:
            page["cursor"] = cursor
        body = (await operator.http.get(LETTERS, params=page)).json()
        seen += [one["id"] for one in body["dead_letters"]]
        cursor = body["nextCursor"]
    assert seen == ids[::-1]


async def parked(product: Product) -> tuple[str, str]:
    """Have a backend report on a job and a person nobody knows; returns the report's id and the job's."""
    job_id = new_id()
    report = json.loads(json.dumps(golden("e1_completed")).replace("cm4abc123def456ghi789", job_id))
    answer = await product.backend_says("image", report | {"user_id": f"user_{new_id()}"})
    assert answer.json()["parked"] is True, answer.text
    row = await product.row("SELECT id FROM sorami.orphans WHERE job_id = $1", job_id)
    return row["id"], job_id


async def test_a_parked_report_becomes_the_job_of_whom_it_is_assigned_to(product: Product) -> None:
    operator, owner = product.operator(), product.person()
    orphan_id, job_id = await parked(product)
    body = {"user_id": await owner.user_id()}
    answer = await operator.http.post(f"{ORPHANS}/{orphan_id}/assign", json=body)
    assert (answer.status_code, answer.json()) == (202, {"job_id": job_id})
    await owner.ended(job_id)
    assert (await owner.http.get(f"/api/gallery/{job_id}")).json()["source"] == "backend-direct"
    again = await operator.http.post(f"{ORPHANS}/{orphan_id}/assign", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "orphan_settled")
    assert orphan_id not in {one["id"] for one in (await operator.http.get(ORPHANS)).json()["orphans"]}


async def test_a_report_is_not_given_to_nobody(product: Product) -> None:
    operator = product.operator()
    orphan_id, _ = await parked(product)
    nobody = await operator.http.post(f"{ORPHANS}/{orphan_id}/assign", json={"user_id": "user_of_another_system"})
    assert (nobody.status_code, nobody.json()["code"]) == (422, "owner_unknown")
    assert (await operator.http.delete(f"{ORPHANS}/{orphan_id}")).status_code == 204
    assert (await operator.http.delete(f"{ORPHANS}/{new_id()}")).status_code == 404


async def test_an_operator_sees_what_is_behind(product: Product) -> None:
    operator, person = product.operator(), product.person()
    await person.ended(await person.ask())
    body = (await operator.http.get("/api/admin/health")).json()
    assert {box["service"] for box in body["outboxes"]} == {"gateway", "generator", "persistence", "notifier"}
    assert {lag["group"] for lag in body["lags"]} >= {"sorami.generator", "sorami.persistence", "sorami.notifier"}
    assert all(lag["lag"] >= 0 for lag in body["lags"])
    assert body["dead_letters"] >= 0


async def admin(product: Product, *arguments: str, token: str | None = None) -> tuple[int, str, str]:
    """Run `sorami admin …` as an operator (or with another token) and return its code and words."""
    env = {
        **os.environ,
        **product.stack.env,
        "SORAMI_URL": product.url,
        "SORAMI_TOKEN": token or product.operator().http.headers["authorization"].removeprefix("Bearer "),
    }
    command = [sys.executable, "-m", "sorami.cli", "admin", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_the_command_line_lists_and_settles_as_the_api_does(product: Product) -> None:
    letter_id = await buried(product, b"{", new_id())
    orphan_id, job_id = await parked(product)
    owner = product.person()

    code, out, _ = await admin(product, "dead-letters", "list")
    assert (code, letter_id in out) == (0, True)
    code, out, _ = await admin(product, "dead-letters", "show", letter_id)
    assert (code, json.loads(out)["reason"]) == (0, "decode_error")
    assert (await admin(product, "dead-letters", "discard", letter_id))[0] == 0
    code, _, err = await admin(product, "dead-letters", "replay", letter_id)
    assert (code, "dead_letter_settled" in err) == (1, True)
    assert (await admin(product, "dead-letters", "replay"))[0] == 2

    code, out, _ = await admin(product, "orphans", "assign", orphan_id, await owner.user_id())
    assert (code, json.loads(out)) == (0, {"job_id": job_id})
    code, out, _ = await admin(product, "health")
    assert (code, "outboxes" in out, "sorami.persistence" in out) == (0, True, True)


async def test_the_command_line_says_who_may_not(product: Product) -> None:
    stranger = product.person().http.headers["authorization"].removeprefix("Bearer ")
    code, _, err = await admin(product, "health", token=stranger)
    assert (code, "scope_missing" in err) == (1, True)
