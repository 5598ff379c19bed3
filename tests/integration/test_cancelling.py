"""Cancel: who comes first decides, every job ends exactly once, and a render that is called off stops."""

import asyncio
import json
from collections import Counter
from typing import Any

import httpx

from contracts.ids import new_id
from tests.support.product import Person, Product

FILM = {"model": "procedural-1", "prompt": "Waves", "size": "1280x720", "duration_seconds": 60}


async def cancel(person: Person, job_id: str, path: str = "jobs") -> httpx.Response:
    return await person.http.post(f"/api/{path}/{job_id}/cancel")


async def running(product: Product, job_id: str) -> None:
    await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1 AND state = 'running'", job_id)


async def endings(product: Product, job_id: str) -> list[str]:
    rows = await product.rows("SELECT data FROM sorami.job_events WHERE job_id = $1 ORDER BY seq", job_id)
    told = [json.loads(row["data"])["status"] for row in rows]
    return [status for status in told if status in ("COMPLETED", "FAILED", "CANCELLED")]


async def test_a_render_is_called_off_and_its_slot_is_free_at_once(product: Product) -> None:
    person = product.person()
    film = await person.ask("video", **FILM)
    await running(product, film)
    answer = await cancel(person, film, "videos")
    assert (answer.status_code, answer.json()["cancel_requested"]) == (202, True)
    last = (await person.ended(film, "video", within=10))[-1].data
    assert (last["status"], last["failure"]["code"], last["failure"]["charged"]) == ("CANCELLED", "cancelled", "no")
    row = await product.row("SELECT status::text AS status FROM video_generations WHERE id = $1", film)
    assert row["status"] == "FAILED"
    # One render process: a picture is drawn although the film would have taken minutes.
    picture = await person.ask(model="procedural-1", size="256x256")
    assert (await person.ended(picture, within=20))[-1].data["status"] == "COMPLETED"
    assert (await person.status(film, "video"))["status"] == "CANCELLED"


async def test_a_waiting_job_is_cancelled_before_it_is_begun(product: Product) -> None:
    person = product.person()
    first, second = await person.ask("video", **FILM), await person.ask("video", **FILM)
    await running(product, first)
    await cancel(person, second)
    assert (await person.ended(second, "video", within=10))[-1].data["status"] == "CANCELLED"
    task = await product.row("SELECT state, fence FROM sorami.tasks WHERE job_id = $1", second)
    assert (task["state"], task["fence"]) == ("cancelled", 0)
    await cancel(person, first)


async def test_cancelling_twice_is_cancelling_once(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", **FILM)
    answers = await asyncio.gather(*(cancel(person, job_id) for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert all(answer.json()["cancel_requested"] for answer in answers)
    await person.ended(job_id, "video", within=10)
    after = await cancel(person, job_id)
    assert (after.status_code, after.json()["status"], after.json()["cancel_requested"]) == (200, "CANCELLED", True)
    assert await endings(product, job_id) == ["CANCELLED"]
    assert len(await product.rows("SELECT 1 FROM sorami.cancellations WHERE job_id = $1", job_id)) == 1


async def test_a_finished_job_is_not_cancelled(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    await person.ended(job_id)
    for path in ("jobs", "images"):
        answer = await cancel(person, job_id, path)
        assert (answer.status_code, answer.json()["code"]) == (409, "job_already_finished")
        assert answer.json()["job_status"] == "COMPLETED"


async def test_a_job_of_somebody_else_or_of_another_kind_is_not_there(product: Product) -> None:
    owner, other = product.person(), product.person()
    job_id = await owner.ask("video", **FILM)
    assert (await cancel(other, job_id)).text == (await cancel(other, "nobody")).text
    assert (await cancel(other, job_id)).status_code == 404
    assert (await cancel(owner, job_id, "images")).status_code == 404
    assert (await owner.status(job_id, "video"))["cancel_requested"] is False
    await cancel(owner, job_id)


async def test_in_a_race_with_completion_every_job_ends_exactly_once(product: Product) -> None:
    person = product.person()
    await person.user_id()

    async def race(number: int) -> tuple[str, int]:
        job_id = await person.ask(prompt=f"race {number}")
        await asyncio.sleep((number % 12) * 0.004)
        return job_id, (await cancel(person, job_id)).status_code

    raced = await asyncio.gather(*(race(number) for number in range(120)))
    job_ids = [job_id for job_id, _ in raced]
    await product.until(
        """SELECT 1 FROM sorami.jobs WHERE id = ANY($1::text[]) AND status IN ('COMPLETED', 'CANCELLED')
           HAVING count(*) = 120""",
        job_ids,
    )
    statuses = await product.statuses(job_ids)
    assert set(Counter(statuses.values())) <= {"COMPLETED", "CANCELLED"}
    for job_id, answered in raced:
        assert await endings(product, job_id) == [statuses[job_id]]
        assert answered in ((200, 202) if statuses[job_id] == "CANCELLED" else (202, 409))
    files = await product.rows("SELECT DISTINCT job_id FROM sorami.files WHERE job_id = ANY($1::text[])", job_ids)
    assert {row["job_id"] for row in files} == {i for i, status in statuses.items() if status == "COMPLETED"}


async def test_a_wish_that_kafka_forgot_is_told_again(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", **FILM)
    await running(product, job_id)
    # As if the gateway's event had been lost: the wish is a row, and nothing was ever sent.
    await product.pool.execute(
        """INSERT INTO sorami.cancellations (job_id, requested_by, sent_at)
           VALUES ($1, $2, now() - interval '1 minute')""",
        job_id,
        await person.user_id(),
    )
    assert (await person.status(job_id, "video"))["cancel_requested"] is True
    assert (await person.ended(job_id, "video", within=20))[-1].data["status"] == "CANCELLED"
    await product.until("SELECT 1 FROM sorami.cancellations WHERE job_id = $1 AND done_at IS NOT NULL", job_id)


async def test_a_job_that_no_generator_of_ours_has_is_cancelled_all_the_same(product: Product) -> None:
    person = product.person()
    job_id = await job_of_a_backend(product, await person.user_id())
    # 200 when it was cancelled before the answer was written.
    assert (await cancel(person, job_id)).status_code in (200, 202)
    await product.until("SELECT 1 FROM sorami.jobs WHERE id = $1 AND status = 'CANCELLED'", job_id)
    said = {"job_id": job_id, "status": "failed", "error_message": "too late", "timestamp": "2025-10-23T14:30:00Z"}
    answer = await product.backend_says("image", said)
    assert answer.json() == {"success": True, "ignored": True, "state": "CANCELLED"}


async def test_a_generation_that_an_application_wrote_alone_is_its_own_to_cancel(product: Product) -> None:
    person = product.person()
    job_id = new_id()
    insert = 'INSERT INTO image_generations (id, prompt, "authorId") VALUES ($1, $2, $3)'
    await product.pool.execute(insert, job_id, "Un chat", await person.user_id())
    answer = await cancel(person, job_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_ours")


async def job_of_a_backend(product: Product, owner: str) -> str:
    """Insert a job that no generator takes up."""
    job_id = new_id()
    request: dict[str, Any] = {"job_id": job_id, "kind": "image", "at": "2025-10-23T14:30:00Z", "user_id": owner}
    request |= {"prompt": "x", "count": 1, "size": "1024x1024", "format": "PNG", "model": "nobody-renders-this"}
    await product.pool.execute(
        'INSERT INTO image_generations (id, prompt, "authorId") VALUES ($1, $2, $3)', job_id, "x", owner
    )
    await product.pool.execute(
        """INSERT INTO sorami.jobs (id, kind, owner_id, provider, model, request, request_hash)
           VALUES ($1, 'image', $2, 'backend', 'nobody-renders-this', $3::jsonb, '')""",
        job_id,
        owner,
        json.dumps(request),
    )
    return job_id
