"""People's webhooks on the real product: signed, repeated, repaired, told once, and never lost."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from contracts.ids import new_id
from tests.support.ports import free_ports
from tests.support.product import Person, Product, frames
from tests.support.receiver import Call, Play, Receiver, endless, half_open, reset, slow, status, then
from tests.unit.notifier.test_signatures import own_verifier

ENDPOINTS = "/api/webhook-endpoints"


async def endpoint(person: Person, hooks: Receiver, path: str | None = None, **body: Any) -> dict[str, Any]:
    """Make an endpoint at a path of its own."""
    await person.user_id()
    answer = await person.http.post(ENDPOINTS, json={"url": hooks.url(path or f"/{new_id()}"), **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def path_of(made: dict[str, Any]) -> str:
    return "/" + str(made["url"]).rpartition("/")[2]


async def finished(product: Product, made: dict[str, Any], count: int) -> list[Any]:
    """Wait until so many deliveries of an endpoint are settled for good."""
    await product.until(
        "SELECT 1 WHERE $2 <= (SELECT count(*) FROM sorami.deliveries WHERE endpoint = $1 AND state <> 'pending')",
        made["id"],
        count,
    )
    return await product.rows("SELECT * FROM sorami.deliveries WHERE endpoint = $1 ORDER BY created_at", made["id"])


async def test_a_job_is_told_by_signed_webhooks_that_the_reference_library_takes(
    product: Product, hooks: Receiver
) -> None:
    person = product.person()
    made = await endpoint(person, hooks, ed25519=True, headers={"X-Tenant": "blue"})
    assert made["secret"].startswith("whsec_")
    assert made["public_key"].startswith("whpk_")
    job_id = await person.ask()
    (call,) = await hooks.wait_at(path_of(made), type_="job.completed")
    assert call.headers["X-Tenant"] == "blue"
    Webhook(made["secret"]).verify(call.raw.decode(), call.headers)
    assert own_verifier(made["secret"], call.headers, call.raw)
    entries = dict(entry.split(",") for entry in call.headers["webhook-signature"].split())
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(made["public_key"].removeprefix("whpk_")))
    signed = f"{call.id}.{call.headers['webhook-timestamp']}.".encode() + call.raw
    public.verify(base64.b64decode(entries["v1a"]), signed)
    assert list(call.body) != []
    data = call.body["data"]
    assert (data["job_id"], data["kind"], data["status"]) == (job_id, "image", "COMPLETED")
    assert data["images"][0]["url"].startswith(product.url + "/media/")
    assert "X-Webhook-Secret" not in call.headers
    for internal in ("storage_key", "s3", "fence", "provider_words"):
        assert internal not in call.raw.decode()


async def test_a_secret_is_shown_once_and_lies_nowhere_in_the_clear(product: Product, hooks: Receiver) -> None:
    person = product.person()
    own = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    made = await endpoint(person, hooks, secret=own, headers={"Authorization": "Bearer canary-of-headers"})
    assert made["secret"] == own
    shown = await person.http.get(f"{ENDPOINTS}/{made['id']}")
    assert "secret" not in shown.json()
    assert shown.json()["header_names"] == ["Authorization"]
    rows = [
        str(dict(row))
        for table in ("webhook_endpoints", "webhook_secrets")
        for row in await product.rows(f"SELECT * FROM sorami.{table}")
    ]
    raw = base64.b64decode(own.removeprefix("whsec_"))
    for text in (own, own.removeprefix("whsec_"), raw.hex(), "canary-of-headers"):
        assert not any(text in row for row in rows)


async def test_during_a_rotation_both_secrets_verify(product: Product, hooks: Receiver) -> None:
    person = product.person()
    made = await endpoint(person, hooks)
    rotated = (await person.http.post(f"{ENDPOINTS}/{made['id']}/rotate", json={})).json()
    assert rotated["secret"] != made["secret"]
    assert [secret["expires_at"] is None for secret in rotated["secrets"]] == [True, False]
    await person.http.post(f"{ENDPOINTS}/{made['id']}/test")
    (call,) = await hooks.wait_at(path_of(made))
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(call.raw.decode(), call.headers)
    await person.http.post(f"{ENDPOINTS}/{made['id']}/rotate", json={"overlap_hours": 0})
    await person.http.post(f"{ENDPOINTS}/{made['id']}/test")
    _, last = await hooks.wait_at(path_of(made), 2)
    assert not own_verifier(rotated["secret"], last.headers, last.raw)


ROWS: dict[str, tuple[Play, int | None, str | None, str]] = {
    "500": (status(500), 500, None, "pending"),
    "slow": (slow(1.0), 200, None, "delivered"),
    "hang": (slow(60), None, "no answer within 3 seconds", "pending"),
    "reset": (reset, None, "the connection broke off before an answer", "pending"),
    "301": (status(301, Location="/moved-here"), 301, None, "pending"),
    "307": (status(307, Location="/moved-here"), 307, None, "pending"),
    "410": (status(410), 410, None, "dropped"),
    "429": (status(429, Retry_After="120"), 429, None, "pending"),
    "503-garbage": (status(503, Retry_After="soon"), 503, None, "pending"),
    "503-ten-years": (status(503, Retry_After="315360000"), 503, None, "pending"),
    "endless": (endless, 200, None, "delivered"),
    "half-open": (half_open, 200, None, "delivered"),
}
PAUSES = {"500": (4, 6), "429": (119, 121), "503-garbage": (4, 6), "503-ten-years": (86_390, 86_410)}


async def test_a_bad_receiver_gets_what_it_deserves_and_the_attempts_show_it(
    product: Product, hooks: Receiver, wrong_tls: Receiver
) -> None:
    person = product.person()
    made: dict[str, dict[str, Any]] = {}
    for name, (play, *_) in ROWS.items():
        hooks.plays[f"/row-{name}"] = play
        made[name] = await endpoint(person, hooks, f"/row-{name}")
    made["wrong-tls"] = await endpoint(person, wrong_tls)
    expected = {name: row[1:] for name, row in ROWS.items()}
    expected["wrong-tls"] = (None, "the certificate of the address was not accepted", "pending")

    async def row(name: str) -> tuple[Any, ...]:
        answer = await person.http.post(f"{ENDPOINTS}/{made[name]['id']}/test")
        assert answer.status_code == 202, answer.text
        first = "SELECT 1 FROM sorami.delivery_attempts WHERE delivery_id = $1"
        await product.until(first, answer.json()["id"])
        if name == "410":
            await product.until(
                "SELECT 1 FROM sorami.webhook_endpoints WHERE id = $1 AND state = 'disabled'", made[name]["id"]
            )
        detail = (await person.http.get(f"{ENDPOINTS}/{made[name]['id']}/deliveries/{answer.json()['id']}")).json()
        attempt = detail["log"][0]
        assert len(attempt["answer"] or "") <= 4_096
        if name in PAUSES:
            least, most = PAUSES[name]
            due = datetime.fromisoformat(detail["next_attempt_at"]) - datetime.fromisoformat(detail["sent_at"])
            assert least - 0.5 <= due.total_seconds() <= most + 2, (name, due)
        return attempt["status_code"], attempt["error"], detail["state"]

    found = dict(zip(made, await asyncio.gather(*(row(name) for name in made)), strict=True))
    assert found == expected
    assert hooks.at("/moved-here") == []
    # The disabled one says why, and its owner is told by the bell.
    disabled = (await person.http.get(f"{ENDPOINTS}/{made['410']['id']}")).json()
    assert (disabled["state"], disabled["reason"]) == ("disabled", "gone")
    notification = await product.until(
        "SELECT * FROM notifications WHERE type = 'WEBHOOK_ENDPOINT_DISABLED' AND metadata->>'endpointId' = $1",
        made["410"]["id"],
    )
    assert notification["title"] == "Webhook désactivé"
    assert "127.0.0.1" in notification["message"]


async def test_the_owners_other_endpoints_hear_of_one_that_is_disabled(product: Product, hooks: Receiver) -> None:
    person = product.person()
    watcher = await endpoint(person, hooks, event_types=["endpoint.disabled"])
    gone = await endpoint(person, hooks)
    hooks.plays[path_of(gone)] = status(410)
    await person.http.post(f"{ENDPOINTS}/{gone['id']}/test")
    (call,) = await hooks.wait_at(path_of(watcher), type_="endpoint.disabled")
    assert call.body["data"] | {"failing_since": None} == {
        "endpoint_id": gone["id"],
        "url": gone["url"],
        "reason": "gone",
        "failing_since": None,
    }


async def test_an_endpoint_that_fails_for_five_days_is_disabled(product: Product, hooks: Receiver) -> None:
    person = product.person()
    watcher = await endpoint(person, hooks, event_types=["endpoint.failing"])
    made = await endpoint(person, hooks)
    hooks.plays[path_of(made)] = status(500)
    failing = "UPDATE sorami.webhook_endpoints SET failing_since = now() - $2 * interval '1 hour' WHERE id = $1"
    await product.pool.execute(failing, made["id"], 25)
    await person.http.post(f"{ENDPOINTS}/{made['id']}/test")
    notice = "SELECT 1 FROM notifications WHERE type = $2 AND metadata->>'endpointId' = $1"
    await product.until(notice, made["id"], "WEBHOOK_ENDPOINT_FAILING")
    (word,) = await hooks.wait_at(path_of(watcher), type_="endpoint.failing")
    assert (word.body["data"]["endpoint_id"], word.body["data"]["url"]) == (made["id"], made["url"])
    await product.pool.execute(failing, made["id"], 121)
    await person.http.post(f"{ENDPOINTS}/{made['id']}/test")
    await product.until("SELECT 1 FROM sorami.webhook_endpoints WHERE id = $1 AND reason = 'failing'", made["id"])
    await product.until(notice, made["id"], "WEBHOOK_ENDPOINT_DISABLED")
    assert await said_on_topic(product, "notification.requested", made["id"]) == [
        "WEBHOOK_ENDPOINT_FAILING",
        "WEBHOOK_ENDPOINT_DISABLED",
    ]


async def said_on_topic(product: Product, topic: str, endpoint_id: str) -> list[str]:
    """Return what the records of a topic say of an endpoint so far."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=product.stack.env["KAFKA_BOOTSTRAP_SERVERS"], auto_offset_reset="earliest"
    )
    await consumer.start()
    said: list[str] = []
    try:
        async with asyncio.timeout(30):
            while len(said) < 2:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    events = [json.loads(record.value) for record in records]
                    said += [event["type"] for event in events if event["job_id"] == endpoint_id]
    finally:
        await consumer.stop()
    return said


async def test_a_message_that_is_given_up_is_told_and_can_be_sent_again(product: Product, hooks: Receiver) -> None:
    person = product.person()
    watcher = await endpoint(person, hooks, event_types=["message.exhausted"])
    made = await endpoint(person, hooks, event_types=["job.completed"])
    hooks.plays[path_of(made)] = then(status(500), status(500), status(200))
    job_id = await person.ask()
    row = await product.until(
        "SELECT id FROM sorami.deliveries WHERE endpoint = $1 AND job_id = $2 AND attempts = 1 AND lease_until IS NULL",
        made["id"],
        job_id,
    )
    await product.pool.execute(
        "UPDATE sorami.deliveries SET tries = 9, next_attempt_at = now() WHERE id = $1", row["id"]
    )
    (word,) = await hooks.wait_at(path_of(watcher), type_="message.exhausted")
    assert (word.body["data"]["delivery_id"], word.body["data"]["status_code"]) == (row["id"], 500)
    listed = (await person.http.get(f"{ENDPOINTS}/{made['id']}/deliveries", params={"state": "exhausted"})).json()
    assert [delivery["id"] for delivery in listed["deliveries"]] == [row["id"]]
    answer = await person.http.post(f"{ENDPOINTS}/{made['id']}/deliveries/{row['id']}/resend")
    assert answer.status_code == 202
    calls = await hooks.wait_at(path_of(made), 3)
    assert len({call.id for call in calls}) == 1
    assert len({call.raw for call in calls}) == 1
    await product.until("SELECT 1 FROM sorami.deliveries WHERE id = $1 AND state = 'delivered'", row["id"])
    stats = (await person.http.get(f"{ENDPOINTS}/{made['id']}/stats")).json()
    assert (stats["states"], stats["attempts"], stats["taken"]) == ({"delivered": 1}, 3, 1)


async def test_recovering_since_a_moment_sends_exactly_what_was_missed(product: Product, hooks: Receiver) -> None:
    person = product.person()
    made = await endpoint(person, hooks, event_types=["job.completed"])
    before = await person.ask()
    await hooks.wait_at(path_of(made))
    since = datetime.now(UTC).isoformat()
    await person.http.patch(f"{ENDPOINTS}/{made['id']}", json={"state": "disabled"})
    refused = await person.http.post(f"{ENDPOINTS}/{made['id']}/recover", json={"since": since})
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_disabled")
    missed = [await person.ask() for _ in range(3)]
    for job_id in missed:
        await person.ended(job_id)
    after = await person.ask()
    await person.ended(after)
    await person.http.patch(f"{ENDPOINTS}/{made['id']}", json={"state": "enabled"})
    answer = await person.http.post(f"{ENDPOINTS}/{made['id']}/recover", json={"since": since})
    # The last may also come by itself, when the notifier hears of it only now.
    assert answer.status_code == 202
    assert answer.json()["recovered"] >= 2
    calls = await hooks.wait_at(path_of(made), 5)
    await finished(product, made, 5)
    again = await person.http.post(f"{ENDPOINTS}/{made['id']}/recover", json={"since": since})
    assert again.json()["recovered"] == 0
    told = sorted(call.body["data"]["job_id"] for call in hooks.at(path_of(made)))
    assert told == sorted([before, *missed, after])
    assert len({call.id for call in calls}) == 5


async def test_filters_thin_payloads_and_the_seeds_words_are_each_endpoints_own(
    product: Product, hooks: Receiver
) -> None:
    person = product.person()
    thin = await endpoint(person, hooks, event_types=["job.completed"], kinds=["image"], thin=True)
    flat = await endpoint(
        person, hooks, "/x/image-completion", dialect="legacy", kind_urls={"video": hooks.url("/x/video-completion")}
    )
    image, video = await person.ask(), await person.ask("video")
    (call,) = await hooks.wait_at(path_of(thin))
    assert call.body["data"].keys() == {"job_id", "kind", "status", "seq", "url"}
    told = await person.http.get(call.body["data"]["url"])
    assert told.json()["status"] == "COMPLETED"

    async def ending(path: str, job_id: str) -> Call:
        async with asyncio.timeout(30):
            while True:
                for seen in hooks.at(path):
                    if seen.body["job_id"] == job_id and seen.body["status"] == "completed":
                        return seen
                await asyncio.sleep(0.05)

    for path, job_id, plural in (
        ("/x/image-completion", image, "images"),
        ("/x/video-completion", video, "videos"),
    ):
        seen = await ending(path, job_id)
        assert seen.headers["X-Webhook-Secret"] == flat["secret"]
        assert seen.body["user_id"] == person.subject
        assert seen.body["data"]["original_prompt"] == "Un chat mignon"
        assert len(seen.body["data"][plural]) == 1
    assert [call.body["data"]["job_id"] for call in hooks.at(path_of(thin))] == [image]


async def test_nobody_hears_of_or_touches_what_is_another_persons(product: Product, hooks: Receiver) -> None:
    owner, other = product.person(), product.person()
    made, foreign = await endpoint(owner, hooks), await endpoint(other, hooks)
    await owner.ask()
    await hooks.wait_at(path_of(made), type_="job.completed")
    assert hooks.at(path_of(foreign)) == []
    bodies = set()
    for method, place in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/test"),
        ("POST", "/recover"),
        ("GET", "/deliveries"),
        ("GET", "/stats"),
    ):
        for endpoint_id in (made["id"], "c" + "0" * 24, "..", "%00", "x" * 300):
            answer = await other.http.request(method, f"{ENDPOINTS}/{endpoint_id}{place}", json={})
            if endpoint_id != "..":
                assert answer.status_code == 404, (method, place, endpoint_id, answer.text)
                bodies.add(answer.text)
    assert len(bodies) == 1


async def test_progress_is_told_every_half_second_at_most_and_never_after_the_end(
    product: Product, hooks: Receiver
) -> None:
    person = product.person()
    made = await endpoint(person, hooks, ordered=True)
    await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=2)
    await hooks.wait_at(path_of(made), type_="job.completed", within=60)
    await finished(product, made, 1)
    calls = hooks.at(path_of(made))
    progress = [call for call in calls if call.body["type"] == "job.progress"]
    assert calls[-1].body["type"] == "job.completed"
    assert progress
    seqs = [call.body["data"]["seq"] for call in calls]
    assert seqs == sorted(set(seqs))
    for one, next_one in pairwise(progress):
        assert next_one.at - one.at > 0.4


async def test_an_endpoint_that_hangs_delays_no_other(product: Product, hooks: Receiver) -> None:
    person = product.person()
    hanging, healthy = await endpoint(person, hooks), await endpoint(person, hooks)
    hooks.plays[path_of(hanging)] = slow(60)
    await asyncio.gather(*(person.http.post(f"{ENDPOINTS}/{hanging['id']}/test") for _ in range(100)))
    await hooks.wait_at(path_of(hanging), 60)
    loop = asyncio.get_running_loop()
    waits = []
    for number in range(1, 21):
        began = loop.time()
        await person.http.post(f"{ENDPOINTS}/{healthy['id']}/test")
        await hooks.wait_at(path_of(healthy), number)
        waits.append(loop.time() - began)
    assert sorted(waits)[-1] < 1.0
    # As many as an endpoint may have under way, and two at a time once it fails.
    assert len(hooks.at(path_of(hanging))) <= 64 + 2
    await person.http.delete(f"{ENDPOINTS}/{hanging['id']}")


async def test_a_throttled_endpoint_gets_no_more_than_it_asked_for(product: Product, hooks: Receiver) -> None:
    person = product.person()
    made = await endpoint(person, hooks, throttle_per_second=5)
    for _ in range(10):
        await person.http.post(f"{ENDPOINTS}/{made['id']}/test")
    calls = await hooks.wait_at(path_of(made), 10)
    assert calls[9].at - calls[0].at > 1.5


async def test_a_notifier_that_dies_between_sending_and_recording_sends_again_under_the_same_id(
    product: Product, hooks: Receiver
) -> None:
    person = product.person()
    made = await endpoint(person, hooks, event_types=["job.completed"])

    async def kill(request: Any, call: Call) -> Any:
        await product.stack.akill("notifier")
        return await status(200)(request, call)

    hooks.plays[path_of(made)] = then(kill, status(200))
    job_id = await person.ask()
    calls = await hooks.wait_at(path_of(made), 2, within=60)
    await product.stack.await_ready("notifier", within=60)
    (row,) = await finished(product, made, 1)
    assert (row["job_id"], row["state"], row["attempts"]) == (job_id, "delivered", 2)
    assert (calls[0].id, calls[0].raw) == (calls[1].id, calls[1].raw)


async def ready(url: str) -> None:
    """Wait until a process says that it is ready, its consumers included."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)


async def seen_at(url: str, person: Person, count: int, open_: asyncio.Event) -> list[tuple[str, str]]:
    """Watch all jobs at a notifier until so many have ended; return each move."""
    seen: list[tuple[str, str]] = []
    client = httpx.AsyncClient(base_url=url, headers=dict(person.http.headers), timeout=60)
    async with client, client.stream("GET", "/api/events") as answer:
        async for frame in frames(answer):
            if frame.event == "snapshot":
                open_.set()
                continue
            seen.append((frame.data["job_id"], frame.data["status"]))
            if len([status for _, status in seen if status == "COMPLETED"]) == count:
                break
    return seen


async def test_two_notifiers_show_everything_to_everybody_and_tell_it_once(product: Product, hooks: Receiver) -> None:
    person = product.person()
    made = await endpoint(person, hooks, event_types=["job.completed", "test"])
    port, inside = free_ports(2)
    ports = {"SORAMI_NOTIFIER_PORT": str(port), "SORAMI_NOTIFIER_INTERNAL_PORT": str(inside)}
    env = {**os.environ, **product.stack.env, **ports}
    second = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.notifier", env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await ready(f"http://127.0.0.1:{port}/readyz")
        doors = [f"http://127.0.0.1:{door}" for door in (product.stack.env["SORAMI_NOTIFIER_PORT"], port)]
        opened = [asyncio.Event() for _ in doors]
        watching = [
            asyncio.create_task(seen_at(door, person, 40, open_)) for door, open_ in zip(doors, opened, strict=True)
        ]
        await asyncio.gather(*(open_.wait() for open_ in opened))
        jobs = await asyncio.gather(*(person.ask() for _ in range(40)))
        for _ in range(40):
            await person.http.post(f"{ENDPOINTS}/{made['id']}/test")
        await hooks.wait_at(path_of(made), 80, within=60)
        await finished(product, made, 80)
        async with asyncio.timeout(60):
            one, other = await asyncio.gather(*watching)
        assert one == other
        assert {job_id for job_id, status in one if status == "COMPLETED"} == set(jobs)
    finally:
        second.terminate()
        await second.wait()
    calls = hooks.at(path_of(made))
    assert len(calls) == len({call.id for call in calls}) == 80
    assert {call.body["data"].get("job_id") for call in calls} - {None} == set(jobs)


async def test_what_was_missed_can_also_be_fetched_page_by_page(product: Product) -> None:
    person = product.person()
    job_ids = [await person.ask() for _ in range(3)]
    for job_id in job_ids:
        await person.ended(job_id)
    seen: list[dict[str, Any]] = []
    after, more = 0, True
    while more:
        page = (await person.http.get("/api/events", params={"after": after, "limit": 2})).json()
        assert page["gap"] is False
        seen += page["events"]
        after, more = page["next_after"], page["more"]
    assert [event["n"] for event in seen] == list(range(1, len(seen) + 1))
    assert {event["job_id"] for event in seen if event["status"] == "COMPLETED"} == set(job_ids)
    end = (await person.http.get("/api/events", params={"after": after})).json()
    assert end == {"events": [], "next_after": after, "more": False, "gap": False}


@pytest.mark.parametrize(
    ("params", "code"), [({"after": "x"}, "after_invalid"), ({"after": 0, "limit": 0}, "limit_out_of_range")]
)
async def test_a_page_that_cannot_be_is_refused(product: Product, params: dict[str, Any], code: str) -> None:
    person = product.person()
    await person.user_id()
    answer = await person.http.get("/api/events", params=params)
    assert (answer.status_code, answer.json()["code"]) == (400 if code == "after_invalid" else 422, code)
