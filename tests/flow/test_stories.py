"""Whole stories through the wired services, with records handed on twice, late and out of order."""

import json
import random

from services.runtime.outbox import OutboxRow
from tests.support.postgres import Database, wait_for
from tests.support.wired import Wired, wired

TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


async def ask(services: Wired, **body: object) -> str:
    await services.pool.execute("""INSERT INTO users (id, "clerkId") VALUES ('u1', 'user_u1') ON CONFLICT DO NOTHING""")
    answer = await services.gateway.post(
        "/api/images/generate",
        json={"prompt": "a cat", "model": "instant"} | body,
        headers={"Authorization": "Bearer u1", "traceparent": TRACE},
    )
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


async def state(services: Wired, job_id: str) -> tuple[str, int, int, int]:
    row = await services.pool.fetchrow("SELECT status, progress, seq FROM sorami.jobs WHERE id = $1", job_id)
    files = await services.pool.fetchval('SELECT count(*) FROM image_files WHERE "generationId" = $1', job_id)
    return row["status"], row["progress"], row["seq"], files


def test_a_request_becomes_a_picture(migrated: Database) -> None:
    async def story() -> None:
        async with wired(migrated.url) as services:
            job_id = await ask(services, num_images=2)
            assert await state(services, job_id) == ("PENDING", 0, 0, 0)
            await services.until_completed()
            status, progress, _, files = await state(services, job_id)
            assert (status, progress, files) == ("COMPLETED", 100, 2)
            assert sorted(services.objects.stored) == [f"images/{job_id}/image_{n}.png" for n in (1, 2)]

    wait_for(story())


def test_one_trace_follows_a_job_through_every_hop(migrated: Database) -> None:
    async def story() -> None:
        async with wired(migrated.url) as services:
            await ask(services)
            seen = list(services.hands.rows)
            await services.hands.hand_on()
            await services.hands.heard("job.completed")
            seen += services.hands.rows
            await services.hands.hand_on()
            seen += services.hands.rows
            topics = {row.topic for row in seen}
            assert topics == {"job.requested", "job.progress", "job.completed", "job.updated", "notification.created"}
            assert {row.headers["traceparent"][3:35] for row in seen} == {"ab" * 16}

    wait_for(story())


def test_any_order_and_any_number_of_tellings_end_the_same(migrated: Database) -> None:
    async def story() -> None:
        dice = random.Random(7)
        async with wired(migrated.url) as services:
            for _ in range(15):
                job_id = await ask(services)
                await services.hands.hand_on()
                await services.hands.heard("job.completed")
                reports, services.hands.rows = services.hands.rows, []
                told = reports * 3
                dice.shuffle(told)
                for report in told:
                    await services.hands.hand_on([report])
                status, progress, seq, files = await state(services, job_id)
                assert (status, progress, files) == ("COMPLETED", 100, 1)
                events = await services.pool.fetch(
                    "SELECT seq, data FROM sorami.job_events WHERE job_id = $1 ORDER BY seq", job_id
                )
                assert [row["seq"] for row in events] == list(range(1, seq + 1))
                shown = [json.loads(row["data"])["progress"] for row in events]
                assert shown == sorted(shown)

    wait_for(story())


def test_a_report_on_a_job_of_nobody_is_buried_and_its_neighbours_are_kept(migrated: Database) -> None:
    async def story() -> None:
        async with wired(migrated.url) as services:
            job_id = await ask(services)
            await services.hands.hand_on()
            last = await services.hands.heard("job.completed")
            value = last.value.replace(job_id.encode(), b"nobody")
            stranger = OutboxRow(0, last.topic, "nobody", value, last.headers)
            await services.hands.hand_on([stranger, last])
            assert [letter.reason for letter in services.hands.buried] == ["unknown_job"]
            assert (await state(services, job_id))[0] == "COMPLETED"

    wait_for(story())


async def cancelled(services: Wired, job_id: str) -> OutboxRow:
    """Ask for the end of a job and return the record that says so, without handing it on."""
    answer = await services.gateway.post(f"/api/jobs/{job_id}/cancel", headers={"Authorization": "Bearer u1"})
    assert answer.status_code == 202, answer.text
    return next(row for row in services.hands.rows if row.topic == "job.cancel-requested")


def test_a_cancel_that_comes_before_its_request_leaves_a_task_that_never_begins(migrated: Database) -> None:
    async def story() -> None:
        async with wired(migrated.url) as services:
            job_id = await ask(services)
            request, services.hands.rows = services.hands.rows, []
            wish = await cancelled(services, job_id)
            services.hands.rows = []
            await services.hands.hand_on([wish])
            await services.hands.hand_on(request)
            await services.hands.hand_on()
            assert (await state(services, job_id))[0] == "CANCELLED"
            task = await services.pool.fetchrow("SELECT state, fence FROM sorami.tasks WHERE job_id = $1", job_id)
            assert (task["state"], task["fence"]) == ("cancelled", 0)
            await services.hands.hand_on(request)
            await services.hands.hand_on([wish])
            assert services.objects.stored == {}
            assert (await state(services, job_id))[0] == "CANCELLED"

    wait_for(story())


def test_a_cancel_that_comes_after_the_work_changes_nothing(migrated: Database) -> None:
    async def story() -> None:
        async with wired(migrated.url) as services:
            job_id = await ask(services)
            request, services.hands.rows = services.hands.rows, []
            await services.hands.hand_on(request)
            await services.hands.heard("job.completed")
            wish = await cancelled(services, job_id)
            await services.hands.hand_on([wish])
            assert [row.topic for row in services.hands.rows if row.topic == "job.failed"] == []
            await services.hands.hand_on()
            assert (await state(services, job_id))[0] == "COMPLETED"
            late = await services.gateway.post(f"/api/jobs/{job_id}/cancel", headers={"Authorization": "Bearer u1"})
            assert (late.status_code, late.json()["code"]) == (409, "job_already_finished")

    wait_for(story())


def test_a_wish_about_a_job_of_nobody_makes_nothing(migrated: Database) -> None:
    async def story() -> None:
        async with wired(migrated.url) as services:
            job_id = await ask(services)
            wish = await cancelled(services, job_id)
            stranger = OutboxRow(0, wish.topic, "nobody", wish.value.replace(job_id.encode(), b"nobody"), wish.headers)
            services.hands.rows = []
            await services.hands.hand_on([stranger])
            assert services.hands.rows == []
            assert await services.pool.fetchval("SELECT count(*) FROM sorami.tasks") == 0

    wait_for(story())
