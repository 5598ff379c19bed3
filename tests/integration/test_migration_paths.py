"""Coming from the seeds' application part by part: their backend behind us, or their routes in front of us."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from contracts.ids import new_id
from services.notifier.queries import endpoints
from services.runtime.api_keys import key_hash, new_key
from tests.support import seeds
from tests.support.postgres import Database
from tests.support.prisma_made import DDL
from tests.support.product import SECRET, Person, Product
from tests.support.receiver import Call, Receiver
from tests.support.seeds.next_routes import OUR_SCHEMA, THEIR_SCHEMA, WINDOW, NextRoutes

IN_FRONT = "SELECT 1 FROM sorami.deliveries WHERE job_id = $1 AND endpoint LIKE 'legacy:%'"


@pytest.fixture(scope="module")
async def flask(product: Product, backend_port: int) -> AsyncIterator[Path]:
    """Start the seeds' backend and give the file it writes its log to."""
    here = Path(str(seeds.__file__)).with_name("backend.py")
    log = product.stack.home.logs / "flask.txt"
    env = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join([str(here.parent / "flask_shim"), *filter(None, sys.path)]),
        "PYTHONIOENCODING": "utf-8",
        "WEBHOOK_URL": f"{product.url}/api/webhooks/image-completion",
        "WEBHOOK_SECRET": SECRET,
    }
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(here), str(backend_port), env=env, stdout=out, stderr=subprocess.STDOUT
        )
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", backend_port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
    yield log
    process.terminate()
    await process.wait()


def logged(product: Product, *services: str) -> list[dict[str, Any]]:
    """Return the records of services, as they were written."""
    lines = [line for name in services for line in product.stack.home.log(name).read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def seeds_lines(product: Product, *services: str) -> list[str]:
    return [str(record.get("event")) for record in logged(product, *services)]


@pytest.mark.parametrize(("kind", "count"), [("image", "num_images"), ("video", "num_videos")])
async def test_the_seeds_backend_renders_behind_us_and_every_step_is_logged_in_their_words(
    product: Product, flask: Path, kind: str, count: str
) -> None:
    person = product.person()
    owner = await person.user_id()
    job_id = await person.ask(kind, model="flask-backend", prompt="Un chat", **{count: 2})
    steps = [frame.data for frame in await person.ended(job_id, kind)]
    assert steps[-1]["status"] == "COMPLETED"
    assert {"initializing", "generating", "saving"} >= {step["stage"] for step in steps} - {None}
    title = kind.title()
    files = await product.rows(f'SELECT "s3Key", "fileUrl" FROM {kind}_files WHERE "generationId" = $1', job_id)
    assert len(files) == 2
    assert all(row["s3Key"].startswith(f"{kind}s/{job_id}/") for row in files)
    noted = await product.rows('SELECT type FROM notifications WHERE "userId" = $1', owner)
    assert [row["type"] for row in noted] == [f"{kind.upper()}_COMPLETED"]
    assert job_id in await asyncio.to_thread(flask.read_text, "utf-8")
    lines = seeds_lines(product, "gateway")
    for line in (
        f"✅ [{title} Generate API] {title}Generation créée",
        f"📦 [{title} Webhook] Payload reçu",
        f"✅ [{title} Webhook] {title}Generation existante trouvée",
    ):
        assert line in lines
    assert f"🚀 [{title} Generate API] Envoi au backend Flask..." in seeds_lines(product, "generator")
    done = [line for line in lines if line.startswith(f"⏱️ [{title} Webhook] Traitement terminé en ")]
    assert all(line.endswith("ms") for line in done)
    assert done
    written = seeds_lines(product, "persistence")
    assert f"🔔 [{title} Webhook] Notification créée pour: {owner}" in written
    created = next(record for record in logged(product, "gateway") if record.get("id") == job_id)
    assert created["authorId"] == owner


async def test_a_backend_that_makes_its_own_id_completes_our_job_and_makes_no_second_row(
    product: Product, flask: Path
) -> None:
    person = product.person()
    owner = await person.user_id()
    job_id = await person.ask(model="flask-backend", prompt="avant: un chat")
    assert (await person.ended(job_id))[-1].data["status"] == "COMPLETED"
    rows = await product.rows('SELECT id FROM image_generations WHERE "authorId" = $1', owner)
    assert [row["id"] for row in rows] == [job_id]
    assert len(await product.rows('SELECT 1 FROM image_files WHERE "generationId" = $1', job_id)) == 1
    assert len(await product.rows('SELECT 1 FROM notifications WHERE "userId" = $1', owner)) == 1


async def test_a_failure_of_the_seeds_backend_is_told_in_its_words(product: Product, flask: Path) -> None:
    person = product.person()
    job_id = await person.ask(model="flask-backend", prompt="échec")
    last = (await person.ended(job_id))[-1].data
    assert (last["status"], last["failure"]["provider_words"]) == (
        "FAILED",
        "Erreur lors de la génération: Quota API dépassé",
    )


async def test_a_job_that_bypassed_us_is_logged_step_by_step_as_it_is_made(product: Product) -> None:
    person = product.person()
    owner = await person.user_id()
    job_id = f"c76c36ee-{new_id()}"
    image = {
        "file_path": f"images/{job_id}/image_1.png",
        "url": "https://s3.amazonaws.com/bucket/image_1.png",
        "description": "Un chat",
        "format": "png",
        "size_bytes": 5,
        "dimensions": "1024x1024",
    }
    body = {"job_id": job_id, "user_id": person.subject, "status": "completed", "data": {"images": [image]}}
    assert (await product.backend_says("image", body)).status_code == 200
    await product.until("SELECT 1 FROM image_generations WHERE id = $1 AND status = 'COMPLETED'", job_id)
    lines = seeds_lines(product, "gateway")
    start = lines.index(f"⚠️ [Image Webhook] ImageGeneration non trouvée pour job_id: {job_id}")
    assert lines[start - 2 : start + 5] == [
        "📨 [Image Webhook] Réception d'un webhook de génération d'images...",
        "📦 [Image Webhook] Payload reçu",
        f"⚠️ [Image Webhook] ImageGeneration non trouvée pour job_id: {job_id}",
        "ℹ️ Le job a peut-être été créé directement dans le backend sans passer par l'API Next.js",
        "🔧 [Image Webhook] Création d'une nouvelle entrée ImageGeneration...",
        "✅ [Image Webhook] ImageGeneration créée",
        lines[start + 4],
    ]
    assert lines[start + 4].startswith("⏱️ [Image Webhook] Traitement terminé en ")
    records = [record for record in logged(product, "gateway") if record.get("job_id") == job_id]
    payload = next(record for record in records if record["event"].startswith("📦"))
    assert (payload["status"], payload["has_data"], payload["images_count"]) == ("completed", True, 1)
    written = seeds_lines(product, "persistence")
    notice = written.index(f"🔔 [Image Webhook] Notification créée pour: {owner}")
    assert written[notice - 2 : notice] == [
        "📸 [Image Webhook] Création des ImageFile...",
        "✅ [Image Webhook] Images créées depuis le backend",
    ]


async def service_key(product: Product) -> str:
    """Make the key of an application that acts for its users."""
    secret, prefix = new_key()
    program = product.person()
    await product.pool.execute(
        "INSERT INTO sorami.api_keys (id, owner_id, name, prefix, token_hash, scopes) VALUES ($1, $2, $3, $4, $5, $6)",
        new_id(),
        await program.user_id(),
        "next",
        prefix,
        key_hash(secret),
        ["act-for-others", "jobs:read", "jobs:write", "media:read"],
    )
    return secret


@asynccontextmanager
async def in_front(
    product: Product, receiver: Receiver, schema: Path, database: str, window: timedelta = WINDOW
) -> AsyncIterator[NextRoutes]:
    """Run the seeds' routes; what arrives at WEBHOOK_URL is theirs as long as they know the job."""
    routes = NextRoutes(schema, database, product.url, await service_key(product), window)
    await routes.start()

    async def hand_on(request: web.Request, call: Call) -> web.StreamResponse:
        status = await routes.tell(call.path, call.raw)
        # Jobs of other tests are none of theirs.
        return web.Response(status=200 if status == 404 else status)

    paths = [f"/api/webhooks/{kind}-completion" for kind in ("image", "video")]
    receiver.plays |= dict.fromkeys(paths, hand_on)
    try:
        yield routes
    finally:
        for path in paths:
            del receiver.plays[path]
        await routes.stop()


async def asks_next(routes: NextRoutes, clerk_id: str, kind: str = "image", **body: Any) -> str:
    """Ask as the seeds' form does."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{routes.port}", timeout=30) as client:
        sent = {"prompt": "Un chat mignon", "model": "instant", **body}
        answer = await client.post(f"/api/{kind}s/generate", json=sent, headers={"authenticated": clerk_id})
    assert answer.status_code == 200, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


async def test_routes_with_a_database_of_their_own_hear_back_and_write_their_rows(
    product: Product, receiver: Receiver, empty: Database
) -> None:
    theirs = empty
    await asyncio.to_thread(theirs.execute, DDL.read_text("utf-8"))
    clerk_id = f"user_{new_id()}"
    await asyncio.to_thread(
        theirs.execute,
        """INSERT INTO users (id, "clerkId", email, "updatedAt")
           VALUES ('cmgt5nze20000ggmkzhk720ax', $1, 'a@b.c', now())""",
        clerk_id,
    )
    async with in_front(product, receiver, THEIR_SCHEMA, theirs.url) as routes:
        jobs = [await asks_next(routes, clerk_id), await asks_next(routes, clerk_id, "video")]
        for job_id, kind in zip(jobs, ("image", "video"), strict=True):
            payload = await routes.hears(job_id, "completed")
            assert (payload["user_id"], payload["data"]["original_prompt"]) == (clerk_id, "Un chat mignon")
            statement = f"SELECT status::text FROM {kind}_generations WHERE id = $1"
            assert await asyncio.to_thread(theirs.value, statement, job_id) == "COMPLETED"
            files = f'SELECT count(*) FROM {kind}_files WHERE "generationId" = $1'
            assert await asyncio.to_thread(theirs.value, files, job_id) == 1
        assert await asyncio.to_thread(theirs.value, "SELECT count(*) FROM notifications") == 2
    # The person has appeared here too, and sees them with a token of their own.
    person = product.person(clerk_id)
    listed = (await person.http.get("/api/images/user")).json()["generations"]
    assert [one["id"] for one in listed] == jobs[:1]
    origins = await product.rows("SELECT origin FROM sorami.jobs WHERE id = ANY($1::text[])", jobs)
    assert {row["origin"] for row in origins} == {"api"}


async def written_once(product: Product, person: Person, job_id: str, kind: str) -> None:
    """Hold the rows of a job against what there may be of it."""
    owner = await person.user_id()
    row = await product.until(f"SELECT * FROM {kind}_generations WHERE id = $1 AND status = 'COMPLETED'", job_id)
    assert row["authorId"] == owner
    assert len(await product.rows(f'SELECT 1 FROM {kind}_files WHERE "generationId" = $1', job_id)) == 1
    noted = "SELECT 1 FROM notifications WHERE metadata->>'generationId' = $1"
    assert len(await product.rows(noted, job_id)) == 1
    assert (await product.row("SELECT origin FROM sorami.jobs WHERE id = $1", job_id))["origin"] == "application"


async def test_rows_that_routes_make_in_our_database_are_adopted_and_told_nobody_twice(
    product: Product, receiver: Receiver
) -> None:
    person = product.person()
    await person.user_id()
    async with in_front(product, receiver, OUR_SCHEMA, product.stack.env["DATABASE_URL"]) as routes:
        jobs = [await asks_next(routes, person.subject), await asks_next(routes, person.subject, "video")]
        for job_id, kind in zip(jobs, ("image", "video"), strict=True):
            await written_once(product, person, job_id, kind)
        ours = await person.ask()
        await receiver.wait_for(ours, "completed")
        kept = await endpoints.unplanned_of_operator(
            product.pool, "legacy:image", "image", 0, await endpoints.moment(product.pool, 3_600), shared=False
        )
        assert not {event.job_id for event in kept} & set(jobs)
        assert [one["job_id"] for one in routes.heard if one["job_id"] in jobs] == []
    for job_id in jobs:
        assert await product.rows(IN_FRONT, job_id) == []


@pytest.mark.parametrize("window", [WINDOW, timedelta(0)])
async def test_told_all_the_same_routes_that_share_our_database_make_no_second_file_or_notification(
    product: Product, receiver: Receiver, window: timedelta
) -> None:
    person = product.person()
    await person.user_id()
    await product.stack.astop("notifier")
    env = {**os.environ, **product.stack.env, "SORAMI_LEGACY_SHARED_DB": "true"}
    telling = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.notifier", env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        async with in_front(product, receiver, OUR_SCHEMA, product.stack.env["DATABASE_URL"], window) as routes:
            job_id = await asks_next(routes, person.subject)
            await routes.hears(job_id, "completed")
            await written_once(product, person, job_id, "image")
            status = routes.answered[
                [(one["job_id"], one["status"]) for one in routes.heard].index((job_id, "completed"))
            ]
            # Inside its five minutes the route says that it knows; later the unique keys say so.
            assert status == (200 if window else 500)
            await product.pool.execute("DELETE FROM sorami.deliveries WHERE job_id = $1", job_id)
    finally:
        telling.terminate()
        await telling.wait()
        await product.stack.astart("notifier")
    await written_once(product, person, job_id, "image")


async def test_a_row_of_somebody_else_is_not_adopted(product: Product, receiver: Receiver) -> None:
    person, other = product.person(), product.person()
    await person.user_id()
    owner = await other.user_id()
    job_id = new_id()
    await product.pool.execute(
        'INSERT INTO image_generations (id, prompt, "authorId") VALUES ($1, $2, $3)', job_id, "Un chat", owner
    )
    async with httpx.AsyncClient(base_url=product.url, timeout=30) as program:
        key = await service_key(product)
        answer = await program.post(
            "/api/images/generate",
            json={"prompt": "Un chat", "model": "instant", "job_id": job_id, "user_id": person.subject},
            headers={"Authorization": f"Bearer {key}"},
        )
    assert (answer.status_code, answer.json()["code"]) == (409, "job_id_taken")
