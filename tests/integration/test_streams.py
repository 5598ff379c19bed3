"""Event streams: nothing is missed, nothing is told twice, and only to its owner."""

import asyncio

import httpx

from tests.support.product import Frame, Person, Product, frames


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


async def test_a_notifier_that_stops_says_when_to_come_back_and_is_gone_at_once(product: Product) -> None:
    person = product.person()
    await person.user_id()
    direct = f"http://127.0.0.1:{product.stack.env['SORAMI_NOTIFIER_PORT']}"
    lines: list[str] = []
    loop = asyncio.get_running_loop()
    try:
        client = httpx.AsyncClient(base_url=direct, headers=dict(person.http.headers), timeout=30)
        async with client, client.stream("GET", "/api/events") as answer:
            stopping: asyncio.Task[None] | None = None
            began = loop.time()
            async for line in answer.aiter_lines():
                lines.append(line)
                if line.startswith("data:") and stopping is None:
                    began = loop.time()
                    stopping = asyncio.create_task(product.stack.astop("notifier"))
        assert stopping is not None
        await stopping
        assert loop.time() - began < 8
    finally:
        await product.stack.astart("notifier")
    first, last = (int(line.removeprefix("retry: ")) for line in lines if line.startswith("retry: "))
    assert (first, 500 <= last <= 6_000) == (1_000, True)


async def test_a_connection_ends_with_the_stream_it_carried(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    for base in (product.url, f"http://127.0.0.1:{product.stack.env['SORAMI_NOTIFIER_PORT']}"):
        async with person.http.stream("GET", f"{base}/api/images/{job_id}/events") as answer:
            await answer.aread()
        assert answer.headers.get_list("connection") == ["close"]


BATCHES = "/api/batches"


async def ask_for_batch(person: Person, count: int = 3) -> tuple[str, set[str]]:
    answer = await person.http.post(BATCHES, json={"kind": "image", "prompt": "Un chat", "model": "instant",
                                                   "variations": count})  # fmt: skip
    assert answer.status_code == 202, answer.text
    body = answer.json()
    return body["batch_id"], {job["job_id"] for job in body["jobs"]}


async def test_a_batch_is_watched_from_its_snapshot_to_its_last_ending(product: Product) -> None:
    person = product.person()
    batch_id, jobs = await ask_for_batch(person)
    beside = await person.ask()
    standing: dict[str, str] = {}
    seen: list[Frame] = []
    async with asyncio.timeout(60), person.http.stream("GET", f"{BATCHES}/{batch_id}/events") as answer:
        assert answer.status_code == 200
        async for frame in frames(answer):
            seen.append(frame)
            moves = frame.data["jobs"] if frame.event == "snapshot" else [frame.data]
            standing |= {job["job_id"]: job["status"] for job in moves}
    assert seen[0].event == "snapshot"
    assert {job["job_id"] for job in seen[0].data["jobs"]} == jobs
    assert standing == dict.fromkeys(jobs, "COMPLETED")
    assert beside not in standing
    ids = [int(frame.id or 0) for frame in seen]
    assert ids == sorted(set(ids))
    # Whoever comes back in the middle gets the rest of it, and whoever saw the end is told to stop.
    first = await product.row("SELECT min(n) AS n FROM sorami.job_events WHERE job_id = ANY($1::text[])", list(jobs))
    middle = str(first["n"])
    rest = []
    async with person.http.stream("GET", f"{BATCHES}/{batch_id}/events", headers={"Last-Event-ID": middle}) as answer:
        rest = [frame async for frame in frames(answer)]
    told = await product.rows(
        "SELECT n FROM sorami.job_events WHERE job_id = ANY($1::text[]) AND n > $2 ORDER BY n", list(jobs), int(middle)
    )
    assert [int(frame.id or 0) for frame in rest] == [row["n"] for row in told]
    over = await person.http.get(f"{BATCHES}/{batch_id}/events", headers={"Last-Event-ID": rest[-1].id or ""})
    assert over.status_code == 204
    for stranger, path in ((product.person(), batch_id), (person, "c" + "0" * 24), (person, "%00")):
        answer = await stranger.http.get(f"{BATCHES}/{path}/events")
        assert (answer.status_code, answer.json()["code"]) == (404, "batch_not_found")


async def test_a_ticket_opens_one_stream_once_through_the_gateway_or_straight(product: Product) -> None:
    person = product.person()
    await person.user_id()
    direct = f"http://127.0.0.1:{product.stack.env['SORAMI_NOTIFIER_PORT']}"
    for base in (product.url, direct):
        made = await person.http.post("/api/stream-tickets")
        assert made.status_code == 201, made.text
        address = f"{base}/api/events?ticket={made.json()['ticket']}"
        async with httpx.AsyncClient() as nobody:
            async with nobody.stream("GET", address) as answer:
                assert answer.status_code == 200
                assert (await anext(frames(answer))).event == "snapshot"
            again = await nobody.get(address)
            assert (again.status_code, again.json()["code"]) == (401, "ticket_invalid")
    late = (await person.http.post("/api/stream-tickets")).json()["ticket"]
    await product.pool.execute("UPDATE sorami.stream_tickets SET expires_at = now() - interval '1 second'")
    refused = await person.http.get("/api/events", params={"ticket": late})
    assert refused.status_code == 401
    kept = await product.rows("SELECT * FROM sorami.stream_tickets")
    assert late not in str([dict(row) for row in kept])


async def test_a_stream_by_ticket_ends_with_the_key_it_was_asked_for_with(product: Product) -> None:
    person = product.person()
    await person.user_id()
    key = (await person.http.post("/api/keys", json={"name": "watch", "scopes": ["jobs:read", "jobs:write"]})).json()
    bearer = {"Authorization": f"Bearer {key['secret']}"}
    async with httpx.AsyncClient(base_url=product.url, headers=bearer, timeout=60) as program:
        ticket = (await program.post("/api/stream-tickets")).json()["ticket"]
    address = f"{product.url}/api/events?ticket={ticket}"
    async with asyncio.timeout(60), httpx.AsyncClient(timeout=60) as nobody, nobody.stream("GET", address) as answer:
        stream = frames(answer)
        await anext(stream)
        revoked = await person.http.delete(f"/api/keys/{key['id']}")
        assert revoked.status_code in (200, 204)
        await asyncio.sleep(0.6)  # a key is asked about twice a second
        await person.ask()
        assert [frame async for frame in stream] == []
