"""Nothing is lost and nothing doubled when any part dies: processes are killed, Kafka is away, a broker forgets."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from tests.support.product import SECRET, Person, Product
from tests.support.receiver import Receiver

VICTIMS = ("generator", "persistence", "gateway", "kafka", "notifier", "postgres")


@pytest.fixture(scope="module")
async def mortal(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[Product]:
    """A product of this module's own, whose parts may be killed."""
    settings = {
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_URL": f"http://127.0.0.1:{receiver.port}/api/webhooks/image-completion",
        "SORAMI_FORGOTTEN_SECONDS": "4",
        "SORAMI_LEASE_SECONDS": "3",
    }
    home = tmp_path_factory.mktemp("mortal")
    async with Stack(home, services=SERVICES, settings=settings, discard=True) as stack:
        product = Product(stack, await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=0, max_size=4))
        yield product
        await product.close()


async def ask_for_certain(person: Person, job_id: str, **body: object) -> None:
    """Ask again under the same id until the gateway says 202, as a client that lost an answer does."""
    request = {"prompt": "Un chat", "model": "instant", "job_id": job_id} | body
    async with asyncio.timeout(120):
        while True:
            try:
                answer = await person.http.post("/api/images/generate", json=request)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 202:
                return
            assert answer is None or answer.status_code == 503, answer.text
            await asyncio.sleep(0.2)


async def all_completed(product: Product, job_ids: list[str], within: float = 120.0) -> None:
    """Wait until every job is COMPLETED; says which are not."""
    statuses: dict[str, str] = {}
    try:
        async with asyncio.timeout(within):
            while True:
                try:
                    statuses = await product.statuses(job_ids)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    statuses = {}
                if len(statuses) == len(job_ids) and set(statuses.values()) == {"COMPLETED"}:
                    return
                await asyncio.sleep(0.2)
    except TimeoutError:
        open_jobs = {
            job_id: statuses.get(job_id, "no row") for job_id in job_ids if statuses.get(job_id) != "COMPLETED"
        }
        raise AssertionError(f"{len(open_jobs)} jobs did not complete: {dict(list(open_jobs.items())[:10])}") from None


async def judge(product: Product, job_ids: list[str], receiver: Receiver) -> None:
    """Hold the rows against what was promised: once each, complete, in order, and everyone was told."""
    files = await product.rows(
        'SELECT "generationId" AS id, count(*) AS n FROM image_files WHERE "generationId" = ANY($1::text[]) GROUP BY 1',
        job_ids,
    )
    assert {row["id"]: row["n"] for row in files} == dict.fromkeys(job_ids, 1)
    notifications = await product.rows(
        "SELECT metadata->>'generationId' AS id, count(*) AS n FROM notifications"
        " WHERE metadata->>'generationId' = ANY($1::text[]) GROUP BY 1",
        job_ids,
    )
    assert {row["id"]: row["n"] for row in notifications} == dict.fromkeys(job_ids, 1)
    events = await product.rows(
        "SELECT job_id, seq, n, data FROM sorami.job_events WHERE job_id = ANY($1::text[]) ORDER BY job_id, seq",
        job_ids,
    )
    endings = [row["job_id"] for row in events if '"COMPLETED"' in row["data"]]
    assert sorted(endings) == sorted(job_ids)
    owners = await product.rows(
        "SELECT user_id, array_agg(n ORDER BY n) AS numbers FROM sorami.job_events GROUP BY user_id"
    )
    for row in owners:
        assert row["numbers"] == list(range(1, len(row["numbers"]) + 1))
    for job_id in job_ids:
        call = await receiver.wait_for(job_id, "completed", within=60)
        assert call.headers["X-Webhook-Secret"] == SECRET
    told = {(call.headers["webhook-id"], call.body["status"]) for job_id in job_ids for call in receiver.about(job_id)}
    assert len([status for _, status in told if status == "completed"]) == len(job_ids)


async def test_killing_every_part_in_the_middle_of_two_hundred_jobs_loses_and_doubles_nothing(
    mortal: Product, receiver: Receiver
) -> None:
    person = mortal.person()
    await person.user_id()
    job_ids = [f"storm-{number}" for number in range(200)]

    async def ask_all() -> None:
        for start in range(0, 200, 10):
            await asyncio.gather(*(ask_for_certain(person, job_id) for job_id in job_ids[start : start + 10]))
            await asyncio.sleep(0.3)

    async def kill_all() -> None:
        for victim in VICTIMS:
            await asyncio.sleep(0.7)
            await mortal.stack.akill(victim)
            await mortal.stack.await_ready(victim, within=60)

    await asyncio.gather(ask_all(), kill_all())
    await mortal.stack.await_ready(within=60)
    await all_completed(mortal, job_ids)
    await judge(mortal, job_ids, receiver)


async def test_a_generator_killed_while_rendering_is_taken_over_by_the_next(mortal: Product) -> None:
    person = mortal.person()
    job_id = await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=4)
    await mortal.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1 AND state = 'running'", job_id)
    await mortal.stack.akill("generator")
    assert (await person.ended(job_id, "video"))[-1].data["status"] == "COMPLETED"
    task = await mortal.row("SELECT fence, attempts FROM sorami.tasks WHERE job_id = $1", job_id)
    assert task["fence"] >= 2
    stored = await mortal.rows("SELECT storage_key FROM sorami.files WHERE job_id = $1", job_id)
    assert [row["storage_key"] for row in stored] == [f"videos/{job_id}/f{task['fence']}/video_1.mp4"]


async def test_a_job_cancelled_while_its_generator_is_killed_is_cancelled_once(mortal: Product) -> None:
    person = mortal.person()
    film = {"model": "procedural-1", "prompt": "Waves", "size": "640x360"}
    # Long enough that none ends before it is cancelled, however busy the machine.
    jobs = [await person.ask("video", **film, duration_seconds=20) for _ in range(4)]
    await mortal.until("SELECT 1 FROM sorami.tasks WHERE job_id = ANY($1) AND state = 'running'", jobs)
    kill = asyncio.create_task(mortal.stack.akill("generator"))
    answers = await asyncio.gather(*(person.http.post(f"/api/jobs/{job_id}/cancel") for job_id in jobs))
    await kill
    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    for job_id in jobs:
        assert (await person.ended(job_id, "video"))[-1].data["status"] == "CANCELLED"
        task = await mortal.row("SELECT state, verdict FROM sorami.tasks WHERE job_id = $1", job_id)
        # Called off by the wish, or by the next lease that met it before it was heard.
        assert task["state"] in ("cancelled", "finished")
        assert '\\"cancelled\\"' in task["verdict"]
    await mortal.stack.await_ready("generator", within=60)
    after = await person.ask("video", **film, duration_seconds=1)
    assert (await person.ended(after, "video"))[-1].data["status"] == "COMPLETED"
    assert set((await mortal.statuses(jobs)).values()) == {"CANCELLED"}


async def test_without_kafka_requests_are_accepted_and_complete_when_it_is_back(
    mortal: Product, receiver: Receiver
) -> None:
    person = mortal.person()
    await mortal.stack.astop("kafka")
    job_ids = list(await asyncio.gather(*(person.ask() for _ in range(20))))
    assert set((await mortal.statuses(job_ids)).values()) == {"PENDING"}
    ready = await person.http.get("/readyz")
    assert ready.status_code == 200
    await mortal.stack.astart("kafka")
    await all_completed(mortal, job_ids)
    await judge(mortal, job_ids, receiver)


async def test_a_broker_put_back_to_an_older_copy_loses_no_job(
    mortal: Product, receiver: Receiver, tmp_path: Path
) -> None:
    person = mortal.person()
    data = mortal.stack.home.kafka / "data"
    await mortal.stack.astop("kafka")
    await asyncio.to_thread(shutil.copytree, data, tmp_path / "older")
    await mortal.stack.astart("kafka")
    before = list(await asyncio.gather(*(person.ask() for _ in range(20))))
    await all_completed(mortal, before)
    # Without a generator these requests are in Kafka alone: no task knows of them.
    await mortal.stack.astop("generator")
    waiting = list(await asyncio.gather(*(person.ask() for _ in range(20))))
    await mortal.until("SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.outbox_gateway)")
    await mortal.stack.astop("kafka")
    await asyncio.to_thread(shutil.rmtree, data)
    await asyncio.to_thread(shutil.copytree, tmp_path / "older", data)
    await mortal.stack.astart("kafka")
    await mortal.stack.astart("generator")
    after = list(await asyncio.gather(*(person.ask() for _ in range(20))))
    await all_completed(mortal, before + waiting + after)
    await judge(mortal, before + waiting + after, receiver)
