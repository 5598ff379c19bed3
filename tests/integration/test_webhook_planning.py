"""Who is told of what, and in which order: the planner and the sender over a real database and a real receiver."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from contracts.events import JobUpdated
from contracts.failures import Failure, FailureCode
from contracts.ids import new_id
from contracts.status import JobStatus, Stage
from services.notifier.parts import Parts
from services.notifier.queries import endpoints
from services.notifier.usecases.forget import rules
from services.notifier.usecases.seal_secrets import open_headers, open_secrets, reseal
from services.runtime.retention import Retain
from services.runtime.sealing import Sealer
from tests.support.console import ORGANIZATION, console
from tests.support.postgres import Database
from tests.support.receiver import Receiver, running, status, then

ENDPOINTS = "/api/webhook-endpoints"
PERSON = 'INSERT INTO users (id, "clerkId", email) VALUES ($1, $1, $1)'


@pytest.fixture
async def told() -> AsyncIterator[Receiver]:
    async for receiver in running(Receiver()):
        yield receiver


@pytest.fixture
async def notifier(migrated: Database, told: Receiver) -> AsyncIterator[tuple[httpx.AsyncClient, Parts]]:
    allowed = frozenset({("127.0.0.1", told.port)})
    async with console(migrated.url, allowed=allowed) as (client, parts):
        sending = asyncio.create_task(parts.deliver_webhooks.run(parts.plan_deliveries))
        yield client, parts
        await parts.deliver_webhooks.stop()
        await sending


def moved(job_id: str, seq: int, status: JobStatus = JobStatus.GENERATING, **more: Any) -> JobUpdated:
    now = datetime.now(UTC)
    stage = Stage.GENERATING if status is JobStatus.GENERATING else None
    values: dict[str, Any] = {"user_id": "someone", "kind": "image", "n": seq, "stage": stage, "progress": seq}
    return JobUpdated(job_id=job_id, seq=seq, status=status, at=now, created_at=now, **{**values, **more})


def ending() -> JobUpdated:
    """The same end of the same job, whoever asks."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return moved("job-1", 3, JobStatus.CANCELLED).model_copy(update={"at": at, "created_at": at})


async def made(client: httpx.AsyncClient, told: Receiver, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(ENDPOINTS, json={"url": told.url(path), **body})
    assert answer.status_code == 201, answer.text
    endpoint: dict[str, Any] = answer.json()
    return endpoint


async def settled(parts: Parts, count: int) -> list[Any]:
    """Return all deliveries once so many are settled for good."""
    async with asyncio.timeout(20):
        while True:
            rows = list(await parts.pool.fetch("SELECT * FROM sorami.deliveries ORDER BY seq, created_at"))
            if len([row for row in rows if row["state"] != "pending"]) >= count:
                return rows
            await asyncio.sleep(0.02)


async def test_the_same_event_heard_twice_is_told_once(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    await made(client, told, "/a")
    event = moved("job-1", 3, JobStatus.CANCELLED)
    await asyncio.gather(*(parts.plan_deliveries([event, event]) for _ in range(5)))
    await settled(parts, 1)
    assert [call.body["type"] for call in told.at("/a")] == ["job.cancelled"]


async def test_an_organisations_endpoint_hears_all_of_it_as_long_as_its_maker_is_an_admin(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    await parts.pool.execute(PERSON, "someone")
    await parts.pool.execute('INSERT INTO organizations (id, "clerkId", name) VALUES ($1, $1, $1)', ORGANIZATION)
    await parts.pool.execute(
        'INSERT INTO organization_memberships (id, "userId", "organizationId", role) VALUES ($1, $2, $3, $4)',
        "m1",
        "someone",
        ORGANIZATION,
        "admin",
    )
    endpoint = await made(client, told, "/org", organization=True)
    assert endpoint["organization_id"] == ORGANIZATION
    of_a_colleague = {"user_id": "colleague", "organization_id": ORGANIZATION}
    await parts.plan_deliveries(
        [
            moved("theirs", 1, JobStatus.CANCELLED, **of_a_colleague),
            moved("foreign", 1, JobStatus.CANCELLED, user_id="colleague", organization_id="org_2"),
            moved("personal", 1, JobStatus.CANCELLED, user_id="someone"),
        ]
    )
    await settled(parts, 1)
    await parts.pool.execute("UPDATE organization_memberships SET role = 'member'")
    await parts.plan_deliveries([moved("later", 1, JobStatus.CANCELLED, **of_a_colleague)])
    assert len(await settled(parts, 1)) == 1
    assert [call.body["data"]["job_id"] for call in told.at("/org")] == ["theirs"]


async def test_an_ordered_endpoint_hears_a_jobs_end_after_what_came_before(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    await made(client, told, "/ordered", ordered=True)
    await made(client, told, "/any")
    release = asyncio.Event()

    async def held(request: Any, call: Any) -> Any:
        await release.wait()
        return await status(200)(request, call)

    told.plays["/ordered"] = then(held, status(200))
    told.plays["/any"] = then(held, status(200))
    await parts.plan_deliveries([moved("job-1", 1)])
    await told.wait_at("/ordered")
    await told.wait_at("/any")
    await parts.plan_deliveries([moved("job-1", 2, JobStatus.CANCELLED)])
    await told.wait_at("/any", 2)
    assert len(told.at("/ordered")) == 1
    release.set()
    assert [call.body["data"]["seq"] for call in await told.wait_at("/ordered", 2)] == [1, 2]


async def test_progress_that_failed_is_not_tried_again_once_something_newer_is_known(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    await made(client, told, "/a", ordered=True)
    release = asyncio.Event()

    async def fails_late(request: Any, call: Any) -> Any:
        await release.wait()
        return await status(500)(request, call)

    told.plays["/a"] = then(fails_late, status(200))
    await parts.plan_deliveries([moved("job-1", 1)])
    await told.wait_at("/a")
    await parts.plan_deliveries([moved("job-1", 2, JobStatus.CANCELLED)])
    release.set()
    rows = await settled(parts, 2)
    assert [(row["seq"], row["state"]) for row in rows] == [(1, "superseded"), (2, "delivered")]


async def test_of_progress_that_comes_at_once_only_the_newest_is_told(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    await made(client, told, "/a")
    await parts.plan_deliveries([moved("job-1", seq) for seq in range(1, 6)])
    await told.wait_at("/a")
    for seq in range(6, 10):
        await parts.plan_deliveries([moved("job-1", seq)])
    calls = await told.wait_at("/a", 2)
    while calls[-1].body["data"]["seq"] < 9:
        # A machine that took longer than half a second for the four tells one of them between.
        calls = await told.wait_at("/a", len(calls) + 1)
    told_after_half_a_second = [later.at - sooner.at > 0.45 for sooner, later in pairwise(calls)]
    assert all(told_after_half_a_second)
    assert calls[0].body["data"]["seq"] == 5
    assert len(calls) < 5


async def test_an_ending_that_kafka_forgot_is_planned_from_the_rows(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    await made(client, told, "/all")
    await made(client, told, "/failures", event_types=["job.failed"])
    await parts.pool.execute("UPDATE sorami.webhook_endpoints SET active_since = now() - interval '1 hour'")
    event = moved("forgotten", 4, JobStatus.CANCELLED)
    await parts.pool.execute(
        "INSERT INTO sorami.job_events (job_id, seq, user_id, n, type, data, at)"
        " VALUES ($1, $2, $3, $4, 'job.updated', $5, now() - interval '10 seconds')",
        event.job_id,
        event.seq,
        event.user_id,
        event.n,
        event.model_dump_json(exclude_none=True),
    )
    await parts.plan_deliveries.recover()
    await parts.plan_deliveries.recover()
    await told.wait_at("/all", within=20)
    assert len(await settled(parts, 1)) == 1
    assert told.at("/failures") == []


async def test_a_secret_whose_key_is_lost_puts_deliveries_off_without_counting_an_attempt(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    await made(client, told, "/a")
    other = Sealer([("other", bytes(range(32)))])
    await parts.pool.execute("UPDATE sorami.webhook_secrets SET sealed = $1", other.seal(b"x", "elsewhere"))
    await parts.plan_deliveries([moved("job-1", 1, JobStatus.CANCELLED)])
    put_off = "SELECT * FROM sorami.deliveries WHERE next_attempt_at > now() AND attempts = 0"
    async with asyncio.timeout(10):
        while await parts.pool.fetchrow(put_off) is None:  # noqa: ASYNC110 - the row is all that tells
            await asyncio.sleep(0.02)
    assert told.calls == []


async def test_what_was_finished_long_ago_is_forgotten(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    endpoint = await made(client, told, "/a")
    await parts.plan_deliveries([moved("old", 1, JobStatus.CANCELLED), moved("new", 1, JobStatus.CANCELLED)])
    await settled(parts, 2)
    await parts.pool.execute(
        "UPDATE sorami.deliveries SET finished_at = now() - interval '31 days' WHERE job_id = 'old'"
    )
    assert await Retain(parts.pool, rules(parts.settings)).look() == {"deliveries": 1}
    listed = (await client.get(f"{ENDPOINTS}/{endpoint['id']}/deliveries")).json()
    assert [delivery["job_id"] for delivery in listed["deliveries"]] == ["new"]


async def test_deliveries_are_paged_without_gaps(notifier: tuple[httpx.AsyncClient, Parts], told: Receiver) -> None:
    client, parts = notifier
    endpoint = await made(client, told, "/a")
    await parts.plan_deliveries([moved(new_id(), 1, JobStatus.CANCELLED) for _ in range(7)])
    await settled(parts, 7)
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "3", **({"cursor": cursor} if cursor else {})}
        page = (await client.get(f"{ENDPOINTS}/{endpoint['id']}/deliveries", params=params)).json()
        seen += [delivery["id"] for delivery in page["deliveries"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7


async def test_a_failed_jobs_webhook_holds_no_words_of_the_provider(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    await made(client, told, "/a")
    failure = Failure.of(FailureCode.QUOTA, "project 1234 canary", provider_words="key AIza canary")
    await parts.plan_deliveries([moved("job-1", 2, JobStatus.FAILED, failure=failure)])
    (call,) = await told.wait_at("/a")
    assert (call.body["type"], call.body["data"]["failure"]["code"]) == ("job.failed", "quota")
    assert "canary" not in json.dumps(call.body)


async def test_what_an_older_key_sealed_is_sealed_anew_so_that_the_key_may_go(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    endpoint = await made(client, told, "/a", headers={"X-Key": "value"})
    new = ("new", bytes(range(32)))
    before = await endpoints.valid_secrets(parts.pool, [endpoint["id"]])
    assert await reseal(parts.pool, Sealer([new, ("test", bytes(32))])) == 2
    assert await reseal(parts.pool, Sealer([new])) == 0
    after = await endpoints.valid_secrets(parts.pool, [endpoint["id"]])
    opened = open_secrets(Sealer([new]), after[endpoint["id"]])
    assert opened == open_secrets(Sealer([("test", bytes(32))]), before[endpoint["id"]])
    row = (await endpoints.by_ids(parts.pool, [endpoint["id"]]))[endpoint["id"]]
    assert open_headers(Sealer([new]), row) == {"X-Key": "value"}
