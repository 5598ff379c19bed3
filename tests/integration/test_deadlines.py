"""Deadlines and priority: what is not begun or done in time ends, at once and for a stated reason."""

import asyncio
import json
import time

from tests.support.product import Product

FILM = {"model": "procedural-1", "prompt": "Waves", "size": "1280x720", "duration_seconds": 60}


async def test_a_job_that_nobody_began_in_time_ends_although_every_slot_is_busy(product: Product) -> None:
    person = product.person()
    busy = await person.ask("video", **FILM)
    await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1 AND state = 'running'", busy)
    began = time.monotonic()
    waiting = [await person.ask("video", **FILM, start_within_seconds=1) for _ in range(3)]
    for job_id in waiting:
        last = (await person.ended(job_id, "video", within=10))[-1].data
        assert (last["status"], last["failure"]["code"]) == ("FAILED", "timeout")
        assert (last["failure"]["stage"], last["failure"]["charged"]) == ("queued", "no")
    assert time.monotonic() - began < 8
    assert (await person.status(busy, "video"))["status"] == "GENERATING"
    await person.http.post(f"/api/jobs/{busy}/cancel")


async def test_a_job_that_is_not_done_in_time_is_called_off(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", **FILM, finish_within_seconds=2)
    last = (await person.ended(job_id, "video", within=10))[-1].data
    assert (last["status"], last["failure"]["code"], last["failure"]["charged"]) == ("FAILED", "timeout", "unknown")
    picture = await person.ask(model="procedural-1", size="256x256")
    assert (await person.ended(picture, within=20))[-1].data["status"] == "COMPLETED"


async def test_a_job_that_was_begun_in_time_goes_on_after_its_deadline_to_start(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", **FILM | {"size": "640x360", "duration_seconds": 4}, start_within_seconds=30)
    assert (await person.ended(job_id, "video"))[-1].data["status"] == "COMPLETED"


async def test_deadlines_are_kept_by_the_clock_of_the_database(product: Product) -> None:
    person = product.person()
    job_id = await person.ask(start_within_seconds=100, finish_within_seconds=200)
    await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1", job_id)
    row = await product.row(
        """SELECT j.start_by - j.created_at = interval '100 seconds' AS start,
                  j.finish_by - j.created_at = interval '200 seconds' AS finish,
                  t.start_by = j.start_by AND t.finish_by = j.finish_by AS same
           FROM sorami.jobs j JOIN sorami.tasks t ON t.job_id = j.id WHERE j.id = $1""",
        job_id,
    )
    assert (row["start"], row["finish"], row["same"]) == (True, True, True)
    body = (await person.http.get(f"/api/jobs/{job_id}")).json()
    assert body["start_by"] < body["finish_by"]


async def test_the_more_urgent_of_waiting_jobs_goes_first(product: Product) -> None:
    person = product.person()
    busy = await person.ask("video", **FILM)
    await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1 AND state = 'running'", busy)
    ids = {}
    for priority in (0, -10, 10):
        ids[priority] = await person.ask(model="procedural-1", size="256x256", priority=priority)
        await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1", ids[priority])
    bodies = {p: (await person.http.get(f"/api/jobs/{job_id}")).json() for p, job_id in ids.items()}
    # Other tests' jobs may wait too: what counts is who goes before whom.
    places = {priority: body["queue_position"] for priority, body in bodies.items()}
    assert places[10] < places[0] < places[-10]
    assert {body["priority"] for body in bodies.values()} == {0, -10, 10}
    await person.http.post(f"/api/jobs/{busy}/cancel")
    await asyncio.gather(*(person.ended(job_id) for job_id in ids.values()))
    rows = await product.rows(
        "SELECT id FROM sorami.jobs WHERE id = ANY($1::text[]) ORDER BY completed_at", list(ids.values())
    )
    assert [row["id"] for row in rows] == [ids[10], ids[0], ids[-10]]


async def test_a_waiting_job_says_when_it_may_be_done(product: Product) -> None:
    person = product.person()
    known = await person.ask(model="procedural-1", size="256x256")
    await person.ended(known)
    # Durations are remembered for a few seconds.
    await product.pool.execute(
        "UPDATE sorami.jobs SET metadata = metadata || $2::jsonb WHERE id = $1",
        known,
        json.dumps({"generation_time_seconds": 7}),
    )
    await asyncio.sleep(5.1)
    busy = await person.ask("video", **FILM)
    await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1 AND state = 'running'", busy)
    waiting = [await person.ask(model="procedural-1", size="256x256") for _ in range(3)]
    await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = ANY($1::text[]) HAVING count(*) = 3", waiting)
    bodies = [await person.status(job_id) for job_id in waiting]
    places = [body["queue_position"] for body in bodies]
    etas = [body["eta_seconds"] for body in bodies]
    assert places == sorted(places)
    assert places[0] >= 1
    assert etas == sorted(etas)
    assert etas[0] >= 1
    await person.http.post(f"/api/jobs/{busy}/cancel")
