"""The main job: an image and a video from request to gallery."""

import asyncio
import hashlib

import httpx
import pytest

from contracts.ids import is_cuid
from tests.support.product import Product

STAGES = [("initializing", 25), ("generating", 60), ("saving", 90), (None, 100)]


@pytest.mark.parametrize("kind", ["image", "video"])
async def test_a_job_goes_from_request_to_gallery(product: Product, kind: str) -> None:
    person = product.person()
    job_id = await person.ask(kind, prompt="Un chat mignon avec des lunettes de soleil")
    assert is_cuid(job_id)
    seen = await person.ended(job_id, kind)
    told = [(frame.data["stage"], frame.data["progress"]) for frame in seen]
    assert [step for step in told if step in STAGES] == STAGES
    result = (await person.http.get(f"/api/{kind}s/{job_id}/result")).json()
    gallery = (await person.http.get(f"/api/{kind}s/user")).json()
    assert result["status"] == "COMPLETED"
    assert result["metadata"]["model_name"] == "instant"
    assert gallery["success"] is True
    assert gallery["count"] == 1
    assert gallery["generations"][0][f"{kind}s"][0]["fileUrl"] == result[f"{kind}s"][0]["fileUrl"]


async def test_the_address_of_a_file_shows_its_bytes_without_a_token(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    await person.ended(job_id)
    address = (await person.http.get(f"/api/images/{job_id}/result")).json()["images"][0]["fileUrl"]
    stored = await product.row("SELECT sha256, size_bytes FROM sorami.files WHERE job_id = $1", job_id)
    async with httpx.AsyncClient(follow_redirects=True) as anybody:
        answer = await anybody.get(address)
    assert answer.headers["content-type"] == "image/png"
    assert hashlib.sha256(answer.content).hexdigest() == stored["sha256"]
    assert len(answer.content) == stored["size_bytes"]


async def test_a_procedural_picture_is_as_large_as_asked(product: Product) -> None:
    person = product.person()
    job_id = await person.ask(prompt="Aurora over a lake", model="procedural-1", size="512x512", num_images=2)
    await person.ended(job_id)
    images = (await person.http.get(f"/api/images/{job_id}/result")).json()["images"]
    assert [(image["width"], image["height"], image["filename"]) for image in images] == [
        (512, 512, "image_1.png"),
        (512, 512, "image_2.png"),
    ]


async def test_an_image_of_ours_can_be_the_start_of_another(product: Product) -> None:
    person = product.person()
    first = await person.ask(prompt="Sea at dusk", model="procedural-1", size="256x256")
    await person.ended(first)
    address = (await person.http.get(f"/api/images/{first}/result")).json()["images"][0]["fileUrl"]
    second = await person.ask(prompt="In ink", model="procedural-1", size="256x256", input_image_url=address)
    assert (await person.ended(second))[-1].data["status"] == "COMPLETED"


async def test_an_image_of_somebody_else_cannot_be_the_start_of_mine(product: Product) -> None:
    owner, other = product.person(), product.person()
    first = await owner.ask(prompt="Sea at dusk", model="procedural-1", size="256x256")
    await owner.ended(first)
    address = (await owner.http.get(f"/api/images/{first}/result")).json()["images"][0]["fileUrl"]
    answer = await other.http.post("/api/images/generate", json={"prompt": "In ink", "input_image_url": address})
    assert (answer.status_code, answer.json()["code"]) == (422, "input_image_not_found")


async def test_a_film_has_a_poster_and_real_progress(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=3, fps=24)
    seen = await person.ended(job_id, "video")
    progress = [frame.data["progress"] for frame in seen]
    assert progress == sorted(progress)
    assert len([percent for percent in progress if 60 < percent < 90]) > 2
    film = (await person.http.get(f"/api/videos/{job_id}/result")).json()["videos"][0]
    assert (film["durationSeconds"], film["fps"], film["width"]) == (3.0, 24, 640)
    async with httpx.AsyncClient(follow_redirects=True) as anybody:
        poster = await anybody.get(film["thumbnailUrl"])
    assert poster.headers["content-type"] == "image/jpeg"
    assert poster.content.startswith(b"\xff\xd8")


async def test_the_seeds_curl_body_with_its_own_id_is_accepted_once(product: Product) -> None:
    person = product.person()
    body = {
        "prompt": "Un chat mignon test",
        "job_id": "test-job-123",
        "user_id": "test-user",
        "num_images": 1,
        "size": "1024x1024",
        "model": "instant",
    }
    answers = await asyncio.gather(*(person.http.post("/api/images/generate", json=body) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.json()["job_id"] for answer in answers} == {"test-job-123"}
    await person.ended("test-job-123")
    author = await product.row('SELECT "authorId" FROM image_generations WHERE id = $1', "test-job-123")
    assert author["authorId"] == await person.user_id()
    files = await product.rows('SELECT * FROM image_files WHERE "generationId" = $1', "test-job-123")
    assert len(files) == 1
    assert files[0]["s3Key"] == "images/test-job-123/image_1.png"


async def test_the_same_id_with_another_body_or_of_somebody_else_is_taken(product: Product) -> None:
    person, other = product.person(), product.person()
    job_id = await person.ask(job_id="mine-1")
    again = await person.http.post("/api/images/generate", json={"prompt": "another", "job_id": job_id})
    foreign = await other.http.post("/api/images/generate", json={"prompt": "Un chat mignon", "job_id": job_id})
    assert [(answer.status_code, answer.json()["code"]) for answer in (again, foreign)] == [(409, "job_id_taken")] * 2


async def test_a_generation_that_an_application_made_is_adopted(product: Product) -> None:
    person = product.person()
    user_id = await person.user_id()
    insert = 'INSERT INTO image_generations (id, prompt, "authorId") VALUES ($1, $2, $3)'
    await product.pool.execute(insert, "made-by-prisma-1", "Un chat", user_id)
    assert (await person.status("made-by-prisma-1"))["status"] == "PENDING"
    await person.ask(prompt="Un chat", job_id="made-by-prisma-1")
    await person.ended("made-by-prisma-1")
    rows = await product.rows("SELECT origin FROM sorami.jobs WHERE id = 'made-by-prisma-1'")
    assert [row["origin"] for row in rows] == ["application"]
    assert (await product.row("SELECT status FROM image_generations WHERE id = 'made-by-prisma-1'"))[
        "status"
    ] == "COMPLETED"


async def test_a_generation_of_another_author_is_not_adopted(product: Product) -> None:
    person, other = product.person(), product.person()
    insert = 'INSERT INTO image_generations (id, prompt, "authorId") VALUES ($1, $2, $3)'
    await product.pool.execute(insert, "made-by-prisma-2", "Un chat", await other.user_id())
    answer = await person.http.post("/api/images/generate", json={"prompt": "Un chat", "job_id": "made-by-prisma-2"})
    assert answer.status_code == 409


async def test_the_seeds_sql_shows_the_rows(product: Product) -> None:
    person = product.person()
    job_id = await person.ask(prompt="P12")
    await person.ended(job_id)
    newest = await product.row('SELECT * FROM image_generations ORDER BY "createdAt" DESC LIMIT 1')
    assert newest["prompt"] == "P12"
    assert newest["progress"] == 100
    assert len(await product.rows('SELECT * FROM image_files WHERE "generationId" = $1', job_id)) == 1
    listed = await product.rows(
        'SELECT id, prompt, status, progress, "createdAt" FROM image_generations ORDER BY "createdAt" DESC LIMIT 10'
    )
    assert job_id in {row["id"] for row in listed}
    joined = await product.rows(
        """SELECT ig.prompt, f."fileUrl", f.format, f."fileSize" FROM image_files f
           JOIN image_generations ig ON f."generationId" = ig.id WHERE ig."authorId" = $1
           ORDER BY f."createdAt" DESC""",
        await person.user_id(),
    )
    assert [(row["prompt"], row["format"]) for row in joined] == [("P12", "PNG")]


async def test_a_finished_job_is_notified_once_in_the_seeds_words(product: Product) -> None:
    person = product.person()
    job_id = await person.ask(num_images=1)
    await person.ended(job_id)
    rows = await product.rows('SELECT * FROM notifications WHERE "userId" = $1', await person.user_id())
    assert [(row["type"], row["title"], row["message"]) for row in rows] == [
        ("IMAGE_COMPLETED", "🎨 Images générées avec succès", "1 image(s) créée(s).")
    ]


async def test_a_thousand_finished_jobs_are_paged_without_gaps(product: Product) -> None:
    person = product.person()
    await asyncio.gather(*(person.ask(prompt=f"p{number}") for number in range(120)))
    count = """SELECT 1 FROM image_generations WHERE "authorId" = $1 AND status = 'COMPLETED' HAVING count(*) = 120"""
    await product.until(count, await person.user_id())
    whole = (await person.http.get("/api/images/user")).json()
    ids: list[str] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": "50"} | ({"cursor": cursor} if cursor else {})
        page = (await person.http.get("/api/images/user", params=parameters)).json()
        ids += [item["id"] for item in page["generations"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert ids == [item["id"] for item in whole["generations"]]
    assert len(set(ids)) == 120
