"""Event streams: nothing is missed, nothing is told twice, and only to its owner."""

import asyncio

from tests.support.product import Frame, Product, frames


async def test_a_reconnect_with_the_last_id_misses_nothing_and_repeats_nothing(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=2)
    first: list[Frame] = []
    async with person.http.stream("GET", f"/api/videos/{job_id}/events") as answer:
        async for frame in frames(answer):
            first.append(frame)
            if len(first) == 3:
                break
    rest = []
    async with person.http.stream(
        "GET", f"/api/videos/{job_id}/events", headers={"Last-Event-ID": first[-1].id or ""}
    ) as answer:
        rest = [frame async for frame in frames(answer)]
    sequence = [frame.data["seq"] for frame in first + rest]
    assert sequence == list(range(1, len(sequence) + 1))
    assert rest[-1].data["status"] == "COMPLETED"


async def test_whoever_saw_the_end_is_told_to_stop_reconnecting(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    seen = await person.ended(job_id)
    answer = await person.http.get(f"/api/images/{job_id}/events", headers={"Last-Event-ID": seen[-1].id or ""})
    assert answer.status_code == 204


async def test_a_late_watcher_of_a_finished_job_sees_all_of_it(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    live = await person.ended(job_id)
    assert await person.ended(job_id) == live


async def test_the_stream_of_all_jobs_numbers_every_move_without_gaps(product: Product) -> None:
    person = product.person()
    await person.user_id()
    seen: list[Frame] = []
    jobs: list[str] = []
    async with person.http.stream("GET", "/api/events") as answer:
        stream = frames(answer)
        snapshot = await anext(stream)
        assert (snapshot.event, snapshot.id, snapshot.data) == ("snapshot", "0", {"jobs": []})
        jobs = list(await asyncio.gather(*(person.ask() for _ in range(20))))
        done: set[str] = set()
        async with asyncio.timeout(30):
            async for frame in stream:
                seen.append(frame)
                if frame.data["status"] == "COMPLETED":
                    done.add(frame.data["job_id"])
                if len(done) == len(jobs):
                    break
    assert [int(frame.id or 0) for frame in seen] == list(range(1, len(seen) + 1))
    resumed: list[Frame] = []
    async with person.http.stream("GET", "/api/events", headers={"Last-Event-ID": "7"}) as answer:
        async for frame in frames(answer):
            resumed.append(frame)
            if frame.id == seen[-1].id:
                break
    assert resumed == seen[7:]


async def test_a_snapshot_shows_jobs_that_wait(product: Product) -> None:
    person = product.person()
    await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=2)
    async with person.http.stream("GET", "/api/events") as answer:
        snapshot = await anext(frames(answer))
    assert [(job["kind"], job["prompt"]) for job in snapshot.data["jobs"]] == [("video", "Waves")]


async def test_nobody_else_sees_a_job(product: Product) -> None:
    owner, other = product.person(), product.person()
    await other.user_id()
    async with other.http.stream("GET", "/api/events") as answer:
        stream = frames(answer)
        await anext(stream)
        foreign = await owner.ask()
        await owner.ended(foreign)
        own = await other.ask()
        async with asyncio.timeout(20):
            async for frame in stream:
                assert frame.data["job_id"] == own
                if frame.data["status"] == "COMPLETED":
                    break
    answer = await other.http.get(f"/api/images/{foreign}/events")
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


async def test_an_id_that_no_stream_gave_is_refused_and_one_of_the_future_starts_over(product: Product) -> None:
    person = product.person()
    await person.user_id()
    refused = await person.http.get("/api/events", headers={"Last-Event-ID": "abc"})
    assert (refused.status_code, refused.json()["code"]) == (400, "last_event_id_invalid")
    async with person.http.stream("GET", "/api/events", headers={"Last-Event-ID": "999999"}) as answer:
        assert (await anext(frames(answer))).event == "snapshot"


async def test_messages_are_french_unless_english_is_asked_for(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    french = await person.ended(job_id)
    person.http.headers["Accept-Language"] = "en-GB,en;q=0.9"
    english = await person.ended(job_id)
    assert french[0].data["message"] == "Initialisation du modèle..."
    assert english[0].data["message"] == "Starting the model..."


async def test_a_job_whose_events_are_kept_no_more_ends_the_reconnecting(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    await person.ended(job_id)
    await product.pool.execute("DELETE FROM sorami.job_events WHERE job_id = $1", job_id)
    assert (await person.http.get(f"/api/images/{job_id}/events")).status_code == 204
